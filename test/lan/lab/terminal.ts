/**
 * A person at a terminal: runs an interactive program under a pseudo-terminal (util-linux `script`, which every Debian
 * has), reads its screen and types. What the screen shows is the output with its drawing codes removed.
 */
import { stripVTControlCharacters } from 'node:util';
import { type CommandResult, type RunningCommand } from './command.ts';
import type { Host, HostCommandOptions } from './host/host.ts';
import { type Waited, waitFor } from './wait-for.ts';

/** Keys a person presses. */
export const keys = { enter: '\r', up: '\u001b[A', down: '\u001b[B', space: ' ', escape: '\u001b', interrupt: '\u0003' } as const;

const COLUMNS = 140;
const ROWS = 50;

/** See the file's head. */
export class Terminal {
  readonly #command: RunningCommand;
  #seen = 0;

  private constructor(command: RunningCommand) {
    this.#command = command;
  }

  /** Starts a program in a host, at a terminal of 140 by 50. */
  static async open(host: Host, argv: readonly string[], options: HostCommandOptions = {}): Promise<Terminal> {
    const line = `stty cols ${COLUMNS} rows ${ROWS}; exec ${argv.map(quote).join(' ')}`;
    const command = await host.start(['script', '-q', '-f', '-e', '-c', line, '/dev/null'], { timeoutMs: 180_000, ...options, keepInputOpen: true });
    return new Terminal(command);
  }

  /** Everything the screen has shown, without drawing codes. */
  text(): string {
    return stripVTControlCharacters(this.#command.stdout()).replaceAll('\r\n', '\n').replaceAll('\r', '\n');
  }

  /** Waits until the screen shows something after what was last waited for. */
  async sees(pattern: RegExp, withinMs = 30_000): Promise<Waited<RegExpExecArray>> {
    const waited = await waitFor(`the screen shows ${pattern}`, { withinMs, everyMs: 40, evidence: () => this.text() }, () => {
      const match = pattern.exec(this.text().slice(this.#seen));
      if (match === null && this.#command.child.exitCode !== null) throw new Error(`the program ended with exit ${this.#command.child.exitCode}`);
      return match ?? undefined;
    });
    this.#seen += waited.value.index + waited.value[0].length;
    return waited;
  }

  /** Types; see `keys`. */
  type(text: string): void {
    this.#command.child.stdin?.write(text);
  }

  /** Waits for the program's end. */
  async ended(): Promise<CommandResult> {
    return this.#command.ended;
  }

  /** Hangs up. */
  close(): void {
    this.#command.child.kill('SIGKILL');
  }
}

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
