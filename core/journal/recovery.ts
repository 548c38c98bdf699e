/**
 * Reading a journal back after any accident (protocol.md §2.10). A torn tail, what a power cut leaves, is told apart from
 * a corrupt middle, what a dying card leaves: the first is cut off, the second makes the node degraded.
 */
import { DAMAGE_SEARCH_BYTES_MAX, RECORD_BYTES_MAX } from './limits.ts';
import { BATCH_FLAG, type Checksum, decodeBatch, RECORD_HEAD_BYTES, recordChecksum } from './record.ts';

/** What a journal's bytes amount to. */
export interface Recovery {
  /** Payloads of the valid prefix, as views. */
  readonly records: readonly Uint8Array[];
  /** Bytes of the valid prefix: where the next record goes. */
  readonly validBytes: number;
  /**
   * `clean`: everything was valid. `torn`: the end is unfinished and nothing valid follows it. `corrupt`: behind the
   * damage there are valid records, which therefore were written and are now unreachable.
   */
  readonly state: 'clean' | 'torn' | 'corrupt';
}

/** Scan the bytes of a journal. */
export function recoverJournal(checksum: Checksum, bytes: Uint8Array): Recovery {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let offset = 0;
  while (offset < bytes.length) {
    const record = recordAt(checksum, bytes, view, offset);
    if (record === undefined) return { records, validBytes: offset, state: followedByRecord(checksum, bytes, view, offset + 1) ? 'corrupt' : 'torn' };
    records.push(...record.payloads);
    offset += record.bytes;
  }
  return { records, validBytes: offset, state: 'clean' };
}

/** Whole records behind a damage, oldest first; for owners whose records prove themselves. Bounded like the search for them. */
export function salvageRecords(checksum: Checksum, bytes: Uint8Array, from: number): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let budget = DAMAGE_SEARCH_BYTES_MAX;
  for (let offset = from; offset + RECORD_HEAD_BYTES < bytes.length && budget > 0;) {
    const { length } = lengthAt(view, offset);
    const isPossible = length > 0 && length <= RECORD_BYTES_MAX && offset + RECORD_HEAD_BYTES + length <= bytes.length;
    const record = isPossible ? recordAt(checksum, bytes, view, offset) : undefined;
    budget -= isPossible ? length : 0;
    if (record !== undefined) records.push(...record.payloads);
    offset += record?.bytes ?? 1;
  }
  return records;
}

interface Found {
  readonly payloads: readonly Uint8Array[];
  /** Bytes of the whole record. */
  readonly bytes: number;
}

function recordAt(checksum: Checksum, bytes: Uint8Array, view: DataView, offset: number): Found | undefined {
  const start = offset + RECORD_HEAD_BYTES;
  if (start > bytes.length) return undefined;
  const { length, flag } = lengthAt(view, offset);
  if (length === 0 || length > RECORD_BYTES_MAX || start + length > bytes.length) return undefined;
  const payload = bytes.subarray(start, start + length);
  if (recordChecksum(checksum, payload, flag) !== view.getUint32(offset + 4)) return undefined;
  const payloads = flag === 0 ? [payload] : decodeBatch(payload);
  return payloads === undefined ? undefined : { payloads, bytes: RECORD_HEAD_BYTES + length };
}

function lengthAt(view: DataView, offset: number): { readonly length: number; readonly flag: 0 | typeof BATCH_FLAG } {
  const word = view.getUint32(offset);
  return word >= BATCH_FLAG ? { length: word - BATCH_FLAG, flag: BATCH_FLAG } : { length: word, flag: 0 };
}

/**
 * Whether a chain of records that ends exactly where the file ends, or a valid record at all, lies behind the damage. The
 * search is bounded, so that a large damaged file cannot hold up start-up: a wrong answer would only be "torn".
 */
function followedByRecord(checksum: Checksum, bytes: Uint8Array, view: DataView, from: number): boolean {
  let budget = DAMAGE_SEARCH_BYTES_MAX;
  for (let offset = from; offset + RECORD_HEAD_BYTES < bytes.length && budget > 0; offset += 1) {
    const { length } = lengthAt(view, offset);
    if (length === 0 || length > RECORD_BYTES_MAX || offset + RECORD_HEAD_BYTES + length > bytes.length) continue;
    budget -= length;
    if (recordAt(checksum, bytes, view, offset) !== undefined) return true;
  }
  return false;
}
