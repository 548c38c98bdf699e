/**
 * The entries in memory, from the snapshot on: where terms change, where two logs part, what to send next. The chain of
 * digests makes it impossible that two logs agree in one place and differ before it.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { assert } from '#core/errors/assert.ts';
import type { SealedEntry } from '../log.ts';
import type { LogEnd } from './messages.ts';

/** The last entry that is not kept any more; index 0 for none. */
export interface LogBase extends LogEnd {
  readonly digest: Uint8Array;
}

/** The base of a log that has everything. */
export const NO_BASE: LogBase = { index: 0, term: 0, digest: new Uint8Array(32) };

/** Invariants: entry i + 1 names the digest of entry i; terms never fall. */
export class RaftLog {
  #base: LogBase;
  #entries: SealedEntry[];

  constructor(base: LogBase, entries: readonly SealedEntry[]) {
    this.#base = base;
    this.#entries = [...entries];
  }

  get base(): LogBase {
    return this.#base;
  }

  get lastIndex(): number {
    return this.#base.index + this.#entries.length;
  }

  get end(): LogEnd {
    return { index: this.lastIndex, term: this.#entries.at(-1)?.entry.term ?? this.#base.term };
  }

  get headDigest(): Uint8Array {
    return this.#entries.at(-1)?.digest ?? this.#base.digest;
  }

  get count(): number {
    return this.#entries.length;
  }

  at(index: number): SealedEntry | undefined {
    return this.#entries[index - this.#base.index - 1];
  }

  /** Term of an entry or of the base; undefined for what is not there (any more). */
  termAt(index: number): number | undefined {
    return index === this.#base.index ? this.#base.term : this.at(index)?.entry.term;
  }

  digestAt(index: number): Uint8Array | undefined {
    return index === this.#base.index ? this.#base.digest : this.at(index)?.digest;
  }

  append(sealed: SealedEntry): void {
    assert(sealed.entry.index === this.lastIndex + 1, 'log entries are appended in order');
    assert(bytesEqual(sealed.entry.previous, this.headDigest), 'an entry names the digest of the one before');
    this.#entries.push(sealed);
  }

  /** Entries from here on go. */
  truncate(from: number): void {
    assert(from > this.#base.index, 'what is in a snapshot is never taken back');
    this.#entries.length = Math.min(this.#entries.length, from - this.#base.index - 1);
  }

  /** Entries up to here are in a snapshot. */
  compact(through: number): void {
    const last = this.at(through);
    if (last === undefined) return;
    this.#entries = this.#entries.slice(through - this.#base.index);
    this.#base = { index: through, term: last.entry.term, digest: last.digest };
  }

  /** Begin anew behind a snapshot. */
  reset(base: LogBase): void {
    this.#base = base;
    this.#entries = [];
  }

  /** Entries from an index on, as many as fit; at least one where there is one. */
  from(index: number, limits: { readonly entriesMax: number; readonly bytesMax: number }): readonly SealedEntry[] {
    const out: SealedEntry[] = [];
    let bytes = 0;
    for (let at = index; out.length < limits.entriesMax; at += 1) {
      const sealed = this.at(at);
      if (sealed === undefined) break;
      bytes += sealed.bytes.length + sealed.signature.length + 16;
      if (bytes > limits.bytesMax && out.length > 0) break;
      out.push(sealed);
    }
    return out;
  }

  /** The newest place up to `index` whose term is at most `term`: whole terms that differ are skipped in one step. */
  lastWithTermAtMost(index: number, term: number): LogEnd {
    let at = Math.min(index, this.lastIndex);
    while (at > this.#base.index && (this.termAt(at) ?? 0) > term) at -= 1;
    return { index: at, term: this.termAt(at) ?? 0 };
  }
}
