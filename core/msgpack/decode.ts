/**
 * Decoding RMP: the scanner first, `msgpackr` only behind it. Every feature of msgpackr beyond plain data (records,
 * extensions, BigInt, shared structures) is unreachable, because the bytes that trigger them do not pass the scanner.
 */
import { Unpackr } from 'msgpackr/unpack';
import { scanRmp } from './scanner.ts';
import type { RmpMode, RmpRefused, RmpValue } from './value.ts';

/** One value, or what is wrong with the bytes. */
export type RmpDecoded = { readonly kind: 'ok'; readonly value: RmpValue } | RmpRefused;

/** Decode bytes that claim to be one RMP value; byte strings in the result are views. */
export function decodeRmp(bytes: Uint8Array, mode: RmpMode = 'open'): RmpDecoded {
  const scan = scanRmp(bytes, mode);
  if (scan.kind === 'refused') return scan;
  // The scanner has proved the shape; msgpackr's own type is `any`.
  const value: RmpValue = unpackr.unpack(bytes) as RmpValue;
  return { kind: 'ok', value };
}

// Stateless for the restricted profile: without records there are no structures to remember.
const unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: 'number', copyBuffers: false, moreTypes: false });
