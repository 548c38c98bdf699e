/**
 * Which configuration holds: the newest in the log, committed or not (Ongaro §4.1), so it goes back when entries are
 * taken back. Why not the newest applied one: docs/protocols/consensus.md, divergences.
 */
import { assert } from '#core/errors/assert.ts';
import { type Configuration, decodeConfiguration } from '../config/configuration.ts';
import type { SealedEntry } from '../log.ts';

/** Kinds of entries that are the log's own business. */
export const ENTRY_KINDS = { noop: 'raft-noop', config: 'raft-config', digest: 'raft-digest' } as const;

interface Step {
  readonly index: number;
  readonly config: Configuration;
}

/** See the header. Never empty: the first step is that of the base. */
export class ConfigHistory {
  #steps: Step[];

  constructor(base: Step) {
    this.#steps = [base];
  }

  get newest(): Step {
    const step = this.#steps.at(-1);
    assert(step !== undefined, 'a configuration history is never empty');
    return step;
  }

  /** The one before the newest; the same where there is none. */
  get previous(): Step {
    return this.#steps.at(-2) ?? this.newest;
  }

  /** The one that held at an index. */
  at(index: number): Configuration {
    return (this.#steps.findLast((step) => step.index <= index) ?? this.newest).config;
  }

  /** An entry was appended. One that does not decode changes nothing, here as everywhere. */
  appended({ entry }: SealedEntry): void {
    if (entry.kind !== ENTRY_KINDS.config) return;
    const config = decodeConfiguration(entry.body);
    if (config !== undefined) this.#steps.push({ index: entry.index, config });
  }

  /** Entries from here on are gone. */
  truncate(from: number): void {
    this.#steps = this.#steps.filter((step, at) => at === 0 || step.index < from);
  }

  /** Begin anew behind a snapshot. */
  restart(index: number, config: Configuration): void {
    this.#steps = [{ index, config }];
  }

  /** What was before this index is in a snapshot. */
  compact(through: number): void {
    const first = this.#steps.findLastIndex((step) => step.index <= through);
    if (first > 0) this.#steps = this.#steps.slice(first);
  }
}
