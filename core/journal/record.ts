/**
 * The framing of journal records: length, CRC-32, payload (protocol.md §2.10). The checksum covers the length too, so
 * that a damaged length is noticed and not followed. Pure: where the bytes live is `core/node`'s business.
 */
import { assert } from '#core/errors/assert.ts';
import { concat, u32 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { RECORD_BYTES_MAX } from './limits.ts';

/** Bytes in front of every record: u32 length, u32 CRC-32 over length and payload, big-endian. */
export const RECORD_HEAD_BYTES = 8;

/** The checksum half of the crypto port. */
export type Checksum = Pick<CryptoPort, 'crc32'>;

/** Checksum of a record. */
export function recordChecksum(checksum: Checksum, payload: Uint8Array): number {
  return checksum.crc32(payload, checksum.crc32(u32(payload.length)));
}

/** A record as it is stored. Empty payloads do not exist: eight zero bytes must never be a valid record. */
export function encodeRecord(checksum: Checksum, payload: Uint8Array): Uint8Array {
  assert(payload.length > 0 && payload.length <= RECORD_BYTES_MAX, `a record has 1 to ${String(RECORD_BYTES_MAX)} bytes`);
  return concat(u32(payload.length), u32(recordChecksum(checksum, payload)), payload);
}
