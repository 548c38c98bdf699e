/**
 * Which parts of our code ran, down to single branches: V8's own block coverage, read through Node's inspector. It is
 * what tells a mutation worth keeping from the millions that are not. Needs no instrumentation and no package.
 */
import { type Profiler, Session } from 'node:inspector';

/** Bytes of source that ran, by function. */
export type Ran = ReadonlyMap<string, Uint8Array>;

/** See the header. Invariant: `#seen` holds, for every watched function that ever ran, which of its bytes did. */
export class Coverage {
  readonly #session = new Session();
  readonly #isWatched: (url: string) => boolean;
  readonly #seen = new Map<string, Uint8Array>();

  constructor(isWatched: (url: string) => boolean) {
    this.#isWatched = isWatched;
    this.#session.connect();
    this.#session.post('Profiler.enable');
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    this.collect();
  }

  /** What ran since the last call. */
  collect(): Ran {
    const ran = new Map<string, Uint8Array>();
    for (const script of this.#take()) {
      if (!this.#isWatched(script.url)) continue;
      for (const each of script.functions) {
        const [whole] = each.ranges;
        if (whole === undefined || whole.count === 0) continue;
        const bytes = new Uint8Array(whole.endOffset - whole.startOffset).fill(1);
        // Ranges are nested, the outer ones first: painting them in order leaves what really ran.
        for (const { startOffset, endOffset, count } of each.ranges.slice(1))
          bytes.fill(count > 0 ? 1 : 0, startOffset - whole.startOffset, endOffset - whole.startOffset);
        ran.set(`${script.scriptId}:${whole.startOffset}:${whole.endOffset}`, bytes);
      }
    }
    return ran;
  }

  /** How many bytes of source in there had never run before. */
  gain(ran: Ran): number {
    let fresh = 0;
    for (const [place, bytes] of ran) {
      const seen = this.#seen.get(place);
      for (const [at, byte] of bytes.entries()) if (byte === 1 && seen?.[at] !== 1) fresh += 1;
    }
    return fresh;
  }

  /** Count it as seen. */
  keep(ran: Ran): void {
    for (const [place, bytes] of ran) {
      const seen = this.#seen.get(place);
      if (seen === undefined) this.#seen.set(place, bytes);
      else for (const [at, byte] of bytes.entries()) if (byte === 1) seen[at] = 1;
    }
  }

  /** Bytes of source that have run so far. */
  get size(): number {
    let sum = 0;
    for (const bytes of this.#seen.values()) for (const byte of bytes) sum += byte;
    return sum;
  }

  close(): void {
    this.#session.disconnect();
  }

  #take(): readonly Profiler.ScriptCoverage[] {
    let result: readonly Profiler.ScriptCoverage[] = [];
    // The inspector answers in the same turn when it is asked from its own thread.
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error !== null) throw error;
      ({ result } = answer);
    });
    return result;
  }
}
