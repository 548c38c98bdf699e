/**
 * The 24 bytes in front of every payload (protocol.md §2.5). Writing them, and the checks that come only after the
 * payload is authenticated: what stands here is then the peer's own doing.
 */
import { assert } from '#core/errors/assert.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Refused, refused } from './decoded.ts';
import { HEADER_BYTES, HEADER_BYTES_COVERED } from './limits.ts';
import { CHANNEL_MAX, FLAGS_KNOWN, isPermittedType, messageTypeName } from './message-type.ts';

/** "RN". */
export const MAGIC = 0x524e;
/** The one frame version there is. */
export const FRAME_VERSION = 1;

/** The checksum half of {@link CryptoPort}. */
export type Checksum = Pick<CryptoPort, 'crc32'>;

/** What a sender chooses about a frame. */
export interface FrameFields {
  readonly type: number;
  readonly flags: number;
  readonly channel: number;
  readonly sequence: number;
}

/** A frame as it came, its checksum verified; nothing else is known about it yet. */
export interface Frame extends FrameFields {
  readonly kind: 'frame';
  /** Header and payload as they came. */
  readonly bytes: Uint8Array;
  /** The 20 header bytes that are authenticated and chained. */
  readonly covered: Uint8Array;
  /** What travelled: ciphertext and tag when the flag ENC is set. */
  readonly payload: Uint8Array;
  readonly reserved: number;
}

/** Write bytes 0 to 19 of a header at the start of `target`; the checksum follows by {@link writeChecksum}. */
export function writeHeader(target: Uint8Array, fields: FrameFields, payloadBytes: number): void {
  assert(target.length >= HEADER_BYTES_COVERED, 'a header covers 20 bytes before its checksum');
  const { sequence } = fields;
  assert(Number.isSafeInteger(sequence) && sequence >= 0, 'a sequence number is a non-negative exact integer');
  const high = Math.floor(sequence / 0x1_0000_0000);
  target[0] = MAGIC >> 8;
  target[1] = MAGIC & 0xff;
  target[2] = FRAME_VERSION;
  target[3] = fields.type;
  target[4] = fields.flags;
  target[5] = fields.channel;
  target[6] = 0;
  target[7] = 0;
  writeUint32(target, 8, high);
  writeUint32(target, 12, sequence - high * 0x1_0000_0000);
  writeUint32(target, 16, payloadBytes);
}

// Byte by byte: a DataView would be made for a single use.
function writeUint32(target: Uint8Array, at: number, value: number): void {
  target[at] = value >>> 24;
  target[at + 1] = value >>> 16;
  target[at + 2] = value >>> 8;
  target[at + 3] = value;
}

/** Fill in the checksum of a complete frame (header and payload in one buffer). */
export function writeChecksum(checksum: Checksum, frame: Uint8Array): void {
  const crc = checksum.crc32(frame.subarray(HEADER_BYTES), checksum.crc32(frame.subarray(0, HEADER_BYTES_COVERED)));
  writeUint32(frame, HEADER_BYTES_COVERED, crc);
}

/** A complete frame around a payload that is ready to travel. */
export function encodeFrame(checksum: Checksum, fields: FrameFields, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  writeHeader(frame, fields, payload.length);
  frame.set(payload, HEADER_BYTES);
  writeChecksum(checksum, frame);
  return frame;
}

/**
 * The checks behind authentication, in the order of §2.5: type, flags, reserved bits, channel, sequence. Undefined means
 * all is well; a refusal is a protocol violation by the authenticated peer.
 */
export function checkHeader(frame: Frame, sequenceExpected: number): Refused | undefined {
  if (!isPermittedType(frame.type)) return refused('FRAME_TYPE', `message type ${messageTypeName(frame.type)} is not known in version 1`);
  if ((frame.flags & ~FLAGS_KNOWN) !== 0) return refused('FRAME_FLAGS', `flags 0x${frame.flags.toString(16)} have reserved bits set`);
  if (frame.reserved !== 0) return refused('FRAME_FLAGS', `the reserved field is ${String(frame.reserved)} instead of 0`);
  if (frame.channel > CHANNEL_MAX) return refused('FRAME_FLAGS', `channel ${String(frame.channel)} is above ${String(CHANNEL_MAX)}`);
  if (frame.sequence !== sequenceExpected) {
    return refused('SEQ', `sequence number ${String(frame.sequence)} instead of ${String(sequenceExpected)}`);
  }
  return undefined;
}
