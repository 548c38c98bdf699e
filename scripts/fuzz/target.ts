/**
 * What is fuzzed: one function of bytes with properties that no input may break. Targets live in `test/fuzz/targets`.
 */

/** One thing to fuzz. */
export interface FuzzTarget {
  /** Its word on the command line, and its file in `test/fuzz/corpus`. */
  readonly name: string;
  /** What no input may bring about, in a sentence. */
  readonly promise: string;
  /** True specimens to begin with, made anew each time. */
  readonly seeds: () => readonly Uint8Array[];
  /** Throws when a property is broken; otherwise tells whether the input was accepted as well-formed. */
  readonly run: (input: Uint8Array) => boolean;
  /** Leading bytes that choose how, not what; the rest is looked at as a document. */
  readonly prefixBytes?: number;
  /** Make checksums and the like true again, so that mutations get past them. */
  readonly repair?: (input: Uint8Array) => Uint8Array;
  /** Words of the format, for insertion. */
  readonly tokens?: readonly Uint8Array[];
  /** Longer inputs are not made; 4 096 where absent. */
  readonly bytesMax?: number;
  /** Processor time that one input may take, on top of a microsecond per byte; 50 ms where absent. */
  readonly msMax?: number;
}

/** What an input brought about. */
export interface Finding {
  readonly target: string;
  readonly input: Uint8Array;
  readonly what: string;
}
