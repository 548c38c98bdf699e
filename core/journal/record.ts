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
/** In the length: the payload is a batch, `(u32 length, payload)` again and again, that is there as a whole or not at all. */
export const BATCH_FLAG = 0x8000_0000;

/** The checksum half of the crypto port. */
export type Checksum = Pick<CryptoPort, 'crc32'>;

/** Checksum of a record. */
export function recordChecksum(checksum: Checksum, payload: Uint8Array, flag: 0 | typeof BATCH_FLAG = 0): number {
  return checksum.crc32(payload, checksum.crc32(u32(payload.length + flag)));
}

/** A record as it is stored. Empty payloads do not exist: eight zero bytes must never be a valid record. */
export function encodeRecord(checksum: Checksum, payload: Uint8Array): Uint8Array {
  assert(payload.length > 0 && payload.length <= RECORD_BYTES_MAX, `a record has 1 to ${String(RECORD_BYTES_MAX)} bytes`);
  return concat(u32(payload.length), u32(recordChecksum(checksum, payload)), payload);
}

/**
 * Several payloads as the fewest records. A disk may write the end of an unconfirmed append before its beginning; one
 * checksum over all of it makes that a torn tail, and not a damage with good records behind it.
 */
export function encodeBatches(checksum: Checksum, payloads: readonly Uint8Array[]): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  let batch: Uint8Array[] = [];
  let bytes = 0;
  const close = (): void => {
    const [only] = batch;
    if (batch.length === 1 && only !== undefined) records.push(encodeRecord(checksum, only));
    else if (batch.length > 1) records.push(encodeBatch(checksum, batch));
    [batch, bytes] = [[], 0];
  };
  for (const payload of payloads) {
    if (bytes + payload.length + 4 > RECORD_BYTES_MAX) close();
    batch.push(payload);
    bytes += payload.length + 4;
  }
  close();
  return records;
}

function encodeBatch(checksum: Checksum, payloads: readonly Uint8Array[]): Uint8Array {
  assert(!payloads.some((payload) => payload.length === 0), 'a record has at least 1 byte');
  const payload = concat(...payloads.flatMap((part) => [u32(part.length), part]));
  return concat(u32(payload.length + BATCH_FLAG), u32(recordChecksum(checksum, payload, BATCH_FLAG)), payload);
}

/** The payloads of a batch whose checksum was right; undefined where they do not add up. */
export function decodeBatch(payload: Uint8Array): readonly Uint8Array[] | undefined {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < payload.length;) {
    const length = offset + 4 > payload.length ? 0 : view.getUint32(offset);
    if (length === 0 || offset + 4 + length > payload.length) return undefined;
    parts.push(payload.subarray(offset + 4, offset + 4 + length));
    offset += 4 + length;
  }
  return parts.length === 0 ? undefined : parts;
}
