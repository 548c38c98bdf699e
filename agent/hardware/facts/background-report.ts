/**
 * What a program of the system says, fetched in the background so that a poll never waits for a process: `current` answers
 * with the last report and starts the next when that is older than the interval. Fixed paths and fixed arguments only.
 * Invariant: at most one process runs at a time.
 */
import { spawn } from 'node:child_process';
import { limits } from '../limits.ts';

export class BackgroundReport {
  /** Program and its arguments; null where it is not installed. */
  readonly #argv: readonly string[] | null;
  readonly #intervalMs: number;
  #report: string | null = null;
  #askedAt = Number.NEGATIVE_INFINITY;
  #running = false;

  constructor(argv: readonly string[] | null, intervalMs: number) {
    this.#argv = argv;
    this.#intervalMs = intervalMs;
  }

  /** Null until a first report has come, and after one that failed. */
  current(): string | null {
    if (this.#argv !== null && !this.#running && performance.now() - this.#askedAt >= this.#intervalMs) this.#ask(this.#argv);
    return this.#report;
  }

  #ask([program = '', ...words]: readonly string[]): void {
    this.#running = true;
    this.#askedAt = performance.now();
    let output = '';
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore'], timeout: limits.reportTimeoutMs });
    child.unref();
    child.stdout.on('data', (part: Buffer) => {
      if (output.length < limits.factFileBytesMax) output += part.toString('latin1');
    });
    child.once('error', () => {
      this.#running = false;
      this.#report = null;
    });
    child.once('close', (code) => {
      this.#running = false;
      this.#report = code === 0 ? output.trim() : null;
    });
  }
}
