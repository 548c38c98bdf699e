/**
 * What stands in `ledger.journal` beside the entries: the term, the vote and the commit index of a server. An entry is a
 * packed object, a hard state an array that begins with its version; the newest counts. A journal without any is that of a
 * mesh with one voter, or of an observer: everything in it is committed.
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { CONFIG_LIMITS } from '../config/limits.ts';
import type { HardState } from '../raft/inputs.ts';

const VERSION = 1;
const FIELDS = 5;

/** One record of the journal. */
export function packHardState({ term, vote, commit, damagedSince }: HardState): Uint8Array {
  const writer = new RmpWriter(128);
  writer.arrayHead(FIELDS);
  writer.int(VERSION);
  writer.int(term);
  if (vote === null) writer.nil();
  else writer.str(vote);
  writer.int(commit);
  if (damagedSince === null) writer.nil();
  else writer.int(damagedSince);
  return writer.copy();
}

/** The counterpart of {@link packHardState}; `undefined` where it is none. */
export function unpackHardState(record: Uint8Array): HardState | undefined {
  const reader = new RmpReader(record);
  if (reader.arrayHead() !== FIELDS || reader.uint(VERSION) !== VERSION) return undefined;
  const term = reader.uint();
  const vote = reader.nil() ? null : reader.str(CONFIG_LIMITS.idBytesMax);
  const commit = reader.uint();
  const damagedSince = reader.nil() ? null : reader.uint();
  if (term === undefined || vote === undefined || commit === undefined || damagedSince === undefined || !reader.atEnd) return undefined;
  return { term, vote, commit, damagedSince };
}
