/**
 * A small whole document with a checksum behind it, so that a card's flipped bit is noticed where nothing inside the
 * document would notice it.
 */
import { concat, u32 } from '#core/bytes/bytes.ts';
import type { Checksum } from './record.ts';

/** "RND1". */
const MAGIC = 0x524e4431;
const TAIL_BYTES = 12;

/** Contents, then magic, length, CRC-32 over all before it. */
export function wrapDocument(checksum: Checksum, contents: Uint8Array): Uint8Array {
  const body = concat(contents, u32(MAGIC), u32(contents.length));
  return concat(body, u32(checksum.crc32(body)));
}

/** The contents; undefined where they are not what was written. */
export function unwrapDocument(checksum: Checksum, bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length < TAIL_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const body = bytes.subarray(0, bytes.length - 4);
  const whole = view.getUint32(bytes.length - 4) === checksum.crc32(body);
  const length = bytes.length - TAIL_BYTES;
  return whole && view.getUint32(length) === MAGIC && view.getUint32(length + 4) === length ? bytes.subarray(0, length) : undefined;
}
