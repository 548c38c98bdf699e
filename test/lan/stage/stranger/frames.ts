/**
 * Bytes a stranger sends: good frames to start from, and every way of spoiling them that MESH-11 names. Header fields are
 * written by hand here, so that the product's own encoder cannot hide a mistake.
 */
import { crc32 } from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { encodeRmp } from '#core/msgpack/encode.ts';

const HEADER_BYTES = 24;
const CHECKSUM_AT = 20;

/** Message types used here (protocol.md §2.6). */
export const frameTypes = { hello: 0x01, hs1: 0x02, hs3: 0x04 } as const;

/** Fields of a header, each of which may be spoiled. */
export interface FrameOptions {
  readonly type: number;
  readonly payload: Uint8Array;
  readonly sequence?: number;
  readonly magic?: number;
  readonly version?: number;
  readonly flags?: number;
  /** Length to claim; default the true one. */
  readonly claimedBytes?: number;
  readonly isChecksumWrong?: boolean;
}

/** One frame, good unless told otherwise. */
export function frame(options: FrameOptions): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + options.payload.length);
  bytes.writeUInt16BE(options.magic ?? 0x524e, 0);
  bytes[2] = options.version ?? 1;
  bytes[3] = options.type;
  bytes[4] = options.flags ?? 0;
  bytes.writeBigUInt64BE(BigInt(options.sequence ?? 0), 8);
  bytes.writeUInt32BE(options.claimedBytes ?? options.payload.length, 16);
  bytes.set(options.payload, HEADER_BYTES);
  const sum = crc32(bytes.subarray(HEADER_BYTES), crc32(bytes.subarray(0, CHECKSUM_AT)));
  bytes.writeUInt32BE(options.isChecksumWrong === true ? (sum ^ 0x5555) >>> 0 : sum, CHECKSUM_AT);
  return bytes;
}

/** A HELLO an honest joiner could have sent, asking for approval in the mesh of this tag. */
export function hello(meshTag: string, versions: readonly number[] = [1]): Uint8Array {
  return encodeRmp({ fb: 0, m: Buffer.from(meshTag, 'hex'), md: 2, r: randomBytes(16), v: [...versions] });
}

/** The answer an agent of that one version gives. */
export function helloAnswer(meshTag: string, version: number): Uint8Array {
  return encodeRmp({ fb: 0, m: Buffer.from(meshTag, 'hex'), md: 1, r: randomBytes(16), v: version });
}
