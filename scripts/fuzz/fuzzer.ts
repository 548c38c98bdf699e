/**
 * The search itself: mutate what is in the corpus, run, keep what reached code that nothing reached before. Coverage is
 * read once per batch and, only when the batch reached something new, by halves until the inputs that did it are found.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import type { Coverage } from './coverage.ts';
import { below, mutate } from './mutate.ts';
import { judge } from './judge.ts';
import type { Finding, FuzzTarget } from './target.ts';

/** How long, and from where. */
export interface FuzzOptions {
  readonly seed: string;
  readonly ms: number;
  readonly corpus: readonly Uint8Array[];
  /** Told before every run, so that a watcher knows what hangs. */
  readonly about: (input: Uint8Array) => void;
}

/** What a search gave. */
export interface FuzzReport {
  readonly target: string;
  readonly runs: number;
  readonly accepted: number;
  /** Bytes of source that have run. */
  readonly reached: number;
  /** Inputs worth keeping, those of the given corpus that still are among them; smallest first. */
  readonly kept: readonly Uint8Array[];
  readonly finding: Finding | null;
}

/** A failing input is made smaller for so long. */
const SHRINK_MS = 3_000;
/** A batch takes about so long; reading the coverage costs about a millisecond. */
const BATCH_MS = 15;
const BATCH_INPUTS_MAX = 1_024;
/** So many of the newest finds count as newcomers. */
const NEWS = 8;
/** What one batch may allocate beyond a fixed share per byte of input: far above any honest parser, far below a claimed length of gigabytes. */
const BATCH_BYTES_FREE = 256 * 1024 * 1024;
const BYTES_PER_INPUT_BYTE_MAX = 4_096;

/** Search for so long. */
export function fuzz(target: FuzzTarget, coverage: Coverage, options: FuzzOptions): FuzzReport {
  return new Search(target, coverage, options).run();
}

class Search {
  readonly #target: FuzzTarget;
  readonly #coverage: Coverage;
  readonly #options: FuzzOptions;
  readonly #rng: Rng;
  #kept: Uint8Array[] = [];
  /** How many of those were there at the beginning. */
  #known = 0;
  #runs = 0;
  #accepted = 0;
  #finding: Finding | null = null;

  constructor(target: FuzzTarget, coverage: Coverage, options: FuzzOptions) {
    this.#target = target;
    this.#coverage = coverage;
    this.#options = options;
    this.#rng = createRng(`${options.seed}/${target.name}`);
  }

  run(): FuzzReport {
    const until = performance.now() + this.#options.ms;
    // The smallest first, so that a long input is kept only for what no shorter one reaches.
    const known = [...this.#options.corpus, ...this.#target.seeds()].toSorted((a, b) => a.length - b.length);
    for (const input of known) this.#attribute([input]);
    this.#known = this.#kept.length;
    while (this.#finding === null && performance.now() < until) this.#batch();
    return { target: this.#target.name, runs: this.#runs, accepted: this.#accepted, reached: this.#coverage.size, kept: this.#kept, finding: this.#finding };
  }

  #batch(): void {
    const began = performance.now();
    const inputs: Uint8Array[] = [];
    const before = memoryInUse();
    let bytes = 0;
    while (inputs.length < BATCH_INPUTS_MAX && this.#finding === null && performance.now() - began < BATCH_MS) {
      const input = this.#next();
      inputs.push(input);
      bytes += input.length;
      this.#try(input);
    }
    if (memoryInUse() - before > BATCH_BYTES_FREE + bytes * BYTES_PER_INPUT_BYTE_MAX)
      this.#finding ??= {
        target: this.#target.name,
        input: inputs.at(-1) ?? new Uint8Array(0),
        what: `the last ${inputs.length} inputs, ${bytes} bytes, allocated more than ${BATCH_BYTES_FREE >> 20} MiB`,
      };
    const ran = this.#coverage.collect();
    if (this.#finding === null && this.#coverage.gain(ran) > 0) this.#attribute(inputs);
  }

  /** Find the inputs that reached something new; what repeats itself only in company is let go. */
  #attribute(inputs: readonly Uint8Array[]): void {
    this.#coverage.collect();
    for (const input of inputs) this.#try(input);
    const ran = this.#coverage.collect();
    if (this.#finding !== null || this.#coverage.gain(ran) === 0) return;
    const [first] = inputs;
    if (inputs.length === 1 && first !== undefined) {
      this.#coverage.keep(ran);
      this.#kept.push(first);
      return;
    }
    const middle = inputs.length >> 1;
    this.#attribute(inputs.slice(0, middle));
    this.#attribute(inputs.slice(middle));
  }

  #next(): Uint8Array {
    const rng = this.#rng;
    const parent = this.#parent();
    const { tokens = [], prefixBytes = 0, bytesMax = 4_096, repair } = this.#target;
    const input = mutate(parent, { rng, others: this.#kept, tokens, prefixBytes, bytesMax });
    return repair !== undefined && below(rng, 4) > 0 ? repair(input) : input;
  }

  /** Newcomers more often, since what reached new code is near more of it; and of three the smallest, since it is the fastest. */
  #parent(): Uint8Array {
    const news = this.#kept.slice(Math.max(this.#known, this.#kept.length - NEWS));
    const pool = news.length > 0 && below(this.#rng, 2) === 0 ? news : this.#kept;
    const candidates = Array.from({ length: 3 }, () => pool[below(this.#rng, pool.length)] ?? new Uint8Array(0));
    return below(this.#rng, 4) === 0 ? (candidates[0] ?? new Uint8Array(0)) : candidates.reduce((best, each) => (each.length < best.length ? each : best));
  }

  #try(input: Uint8Array): void {
    if (this.#finding !== null) return;
    this.#options.about(input);
    this.#runs += 1;
    const verdict = judge(this.#target, input);
    if (verdict.kind === 'accepted') this.#accepted += 1;
    if (verdict.kind === 'broken') this.#finding = { target: this.#target.name, input: this.#smallest(input, verdict.what), what: verdict.what };
  }

  /** Remove what the failure does not need, for so long. */
  #smallest(input: Uint8Array, what: string): Uint8Array {
    const until = performance.now() + SHRINK_MS;
    let best = input;
    const same = (candidate: Uint8Array): boolean => {
      this.#options.about(candidate);
      const verdict = judge(this.#target, candidate);
      return verdict.kind === 'broken' && gist(verdict.what) === gist(what);
    };
    for (let size = Math.max(1, best.length >> 1); size >= 1; size >>= 1) {
      for (let at = 0; at + size <= best.length && performance.now() < until;) {
        const candidate = new Uint8Array([...best.subarray(0, at), ...best.subarray(at + size)]);
        if (same(candidate)) best = candidate;
        else at += size;
      }
    }
    return best;
  }
}

function memoryInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** A failure without its particulars. */
function gist(what: string): string {
  return what.replace(/[0-9a-f]{6,}|\d+/g, '#').slice(0, 60);
}
