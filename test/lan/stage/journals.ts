/** A stopped node's journals, opened and written as somebody does who has the disk, knows the format and has no key. */
import { readFile } from 'node:fs/promises';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { concat } from '#core/bytes/bytes.ts';
import { encodeRecord, RECORD_HEAD_BYTES } from '#core/journal/record.ts';
import { recoverJournal } from '#core/journal/recovery.ts';
import type { Host } from '../lab/host/host.ts';

const crypto = createNodeCrypto();

/** The records of a journal; it has to be sound. */
export async function recordsOf(host: Host, path: string): Promise<readonly Uint8Array[]> {
  const recovery = recoverJournal(crypto, new Uint8Array(await readFile(host.path(path))));
  if (recovery.state !== 'clean') throw new Error(`${path} is ${recovery.state}`);
  return recovery.records.map((record) => record.slice());
}

/** A journal of these records, each with the checksum it should have. */
export async function writeRecords(host: Host, path: string, records: readonly Uint8Array[]): Promise<void> {
  await host.writeFile(path, journalOf(records));
}

/** The same, with one byte of one record changed and its checksum as it was. */
export async function writeDamaged(host: Host, path: string, records: readonly Uint8Array[], index: number): Promise<void> {
  const bytes = journalOf(records);
  const at = journalOf(records.slice(0, index)).length + RECORD_HEAD_BYTES + 40;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await host.writeFile(path, bytes);
}

function journalOf(records: readonly Uint8Array[]): Uint8Array {
  return concat(...records.map((record) => encodeRecord(crypto, record)));
}
