/**
 * The strict scanner in front of every msgpack decoder (protocol.md D16, §2.1): one pass over the bytes, no allocation
 * that depends on them, every limit checked before it could matter. What passes has exactly one meaning and one spelling.
 * Must never read outside the given bytes and never throw.
 */
import { DEPTH_MAX, KEY_BYTES_MAX, NODES_MAX, STR_BYTES_MAX } from './limits.ts';
import { malformedUtf8At } from './utf8.ts';
import type { RmpError, RmpMode, RmpRefused } from './value.ts';

/** The verdict on some bytes. */
export type RmpScan = { readonly kind: 'ok' } | RmpRefused;

const OK: RmpScan = Object.freeze({ kind: 'ok' });
const UINT32 = 0x1_0000_0000;
/** High 32 bits of an integer's magnitude must stay below this for |n| < 2^53. */
const HIGH_WORD_MAX = 0x20_0000;

/** Look at bytes that claim to be one RMP value. */
export function scanRmp(bytes: Uint8Array, mode: RmpMode = 'open'): RmpScan {
  const scan = new Scan(bytes, mode === 'open');
  const end = scan.value(0, 0);
  if (end < 0) return { kind: 'refused', error: scan.error, offset: scan.errorOffset };
  return end === bytes.length ? OK : { kind: 'refused', error: 'trailing-bytes', offset: end };
}

/** One pass. Offsets go down and come back as numbers; -1 means refused, with `error` saying why. */
class Scan {
  readonly #bytes: Uint8Array;
  readonly #floats: boolean;
  #nodes = 0;
  error: RmpError = 'truncated';
  errorOffset = 0;

  constructor(bytes: Uint8Array, floats: boolean) {
    this.#bytes = bytes;
    this.#floats = floats;
  }

  /** Offset behind the value that starts at `at`. */
  value(at: number, depth: number): number {
    const bytes = this.#bytes;
    const head = bytes[at];
    if (head === undefined) return this.#refuse('truncated', at);
    this.#nodes += 1;
    if (this.#nodes > NODES_MAX) return this.#refuse('too-many-nodes', at);
    if (head < 0x80 || head >= 0xe0) return at + 1;
    if (head < 0x90) return this.#map(at, at + 1, head & 0x0f, depth);
    if (head < 0xa0) return this.#array(at, at + 1, head & 0x0f, depth);
    if (head < 0xc0) return this.#str(at, at + 1, head & 0x1f);
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return at + 1;
      case 0xc1:
        return this.#refuse('never-used-byte', at);
      case 0xc4:
        return this.#bin(at, 1, 0);
      case 0xc5:
        return this.#bin(at, 2, 0xff);
      case 0xc6:
        return this.#bin(at, 4, 0xffff);
      case 0xcb:
        return this.#float64(at);
      case 0xcc:
        return this.#unsigned(at, 1, 0x7f);
      case 0xcd:
        return this.#unsigned(at, 2, 0xff);
      case 0xce:
        return this.#unsigned(at, 4, 0xffff);
      case 0xcf:
        return this.#unsigned64(at);
      case 0xd0:
        return this.#signed(at, 1, 0x80, 0x100 - 0x20);
      case 0xd1:
        return this.#signed(at, 2, 0x8000, 0x1_0000 - 0x80);
      case 0xd2:
        return this.#signed(at, 4, 0x8000_0000, UINT32 - 0x8000);
      case 0xd3:
        return this.#signed64(at);
      case 0xd9:
        return this.#longStr(at, 1, 0x1f);
      case 0xda:
        return this.#longStr(at, 2, 0xff);
      case 0xdb:
        return this.#longStr(at, 4, 0xffff);
      case 0xdc:
        return this.#longContainer(at, 2, 0x0f, depth, false);
      case 0xdd:
        return this.#longContainer(at, 4, 0xffff, depth, false);
      case 0xde:
        return this.#longContainer(at, 2, 0x0f, depth, true);
      case 0xdf:
        return this.#longContainer(at, 4, 0xffff, depth, true);
      case 0xca:
        return this.#refuse('float', at);
      default: // 0xc7–0xc9, 0xd4–0xd8
        return this.#refuse('extension', at);
    }
  }

  #refuse(error: RmpError, offset: number): number {
    this.error = error;
    this.errorOffset = offset;
    return -1;
  }

  /** The big-endian number of `size` bytes behind the head at `at`, or -1 when the bytes end. */
  #number(at: number, size: number): number {
    const bytes = this.#bytes;
    if (at + size >= bytes.length) return this.#refuse('truncated', bytes.length);
    let value = 0;
    for (let index = 1; index <= size; index += 1) value = value * 256 + (bytes[at + index] ?? 0);
    return value;
  }

  /** Like {@link #number}, refusing a number that a shorter form could hold. */
  #length(at: number, size: number, shorterMax: number): number {
    const length = this.#number(at, size);
    if (length < 0) return -1;
    // A bin of length 0 has no shorter form than bin 8.
    return length <= shorterMax && shorterMax > 0 ? this.#refuse('not-shortest', at) : length;
  }

  #unsigned(at: number, size: number, shorterMax: number): number {
    const value = this.#number(at, size);
    if (value < 0) return -1;
    return value <= shorterMax ? this.#refuse('not-shortest', at) : at + 1 + size;
  }

  /** Two's complement: must be negative (`signBit` set) and below what the shorter form reaches. */
  #signed(at: number, size: number, signBit: number, shorterMin: number): number {
    const value = this.#number(at, size);
    if (value < 0) return -1;
    return value < signBit || value >= shorterMin ? this.#refuse('not-shortest', at) : at + 1 + size;
  }

  #unsigned64(at: number): number {
    const high = this.#number(at, 8) < 0 ? -1 : this.#number(at, 4);
    if (high < 0) return -1;
    if (high === 0) return this.#refuse('not-shortest', at);
    return high >= HIGH_WORD_MAX ? this.#refuse('integer-range', at) : at + 9;
  }

  #signed64(at: number): number {
    if (this.#number(at, 8) < 0) return -1;
    const high = this.#number(at, 4);
    const low = this.#number(at + 4, 4);
    if (high < 0x8000_0000) return this.#refuse('not-shortest', at);
    if (high === UINT32 - 1 && low >= 0x8000_0000) return this.#refuse('not-shortest', at);
    // -2^53 itself is just outside: it has high word 0xffe00000 and low word 0.
    const inRange = high > UINT32 - HIGH_WORD_MAX || (high === UINT32 - HIGH_WORD_MAX && low > 0);
    return inRange ? at + 9 : this.#refuse('integer-range', at);
  }

  #float64(at: number): number {
    if (!this.#floats) return this.#refuse('float', at);
    if (at + 8 >= this.#bytes.length) return this.#refuse('truncated', this.#bytes.length);
    const value = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at + 1, 8).getFloat64(0);
    if (!Number.isFinite(value)) return this.#refuse('float', at);
    // A whole number has one spelling, and that is an integer's; so has minus zero.
    return Number.isSafeInteger(value) ? this.#refuse('not-shortest', at) : at + 9;
  }

  #bin(at: number, size: number, shorterMax: number): number {
    const length = this.#length(at, size, shorterMax);
    if (length < 0) return -1;
    const end = at + 1 + size + length;
    return end <= this.#bytes.length ? end : this.#refuse('truncated', this.#bytes.length);
  }

  #longStr(at: number, size: number, shorterMax: number): number {
    const length = this.#length(at, size, shorterMax);
    return length < 0 ? -1 : this.#str(at, at + 1 + size, length);
  }

  #str(at: number, start: number, length: number): number {
    if (length > STR_BYTES_MAX) return this.#refuse('str-too-long', at);
    const end = start + length;
    if (end > this.#bytes.length) return this.#refuse('truncated', this.#bytes.length);
    const malformed = malformedUtf8At(this.#bytes, start, end);
    return malformed < 0 ? end : this.#refuse('bad-utf8', malformed);
  }

  #longContainer(at: number, size: number, shorterMax: number, depth: number, isMap: boolean): number {
    const count = this.#length(at, size, shorterMax);
    if (count < 0) return -1;
    return isMap ? this.#map(at, at + 1 + size, count, depth) : this.#array(at, at + 1 + size, count, depth);
  }

  #array(at: number, start: number, count: number, depth: number): number {
    if (depth >= DEPTH_MAX) return this.#refuse('too-deep', at);
    // Refuse a huge claim at once: the loop below would only find out after reading that much.
    if (count > NODES_MAX - this.#nodes) return this.#refuse('too-many-nodes', at);
    let offset = start;
    for (let index = 0; index < count; index += 1) {
      offset = this.value(offset, depth + 1);
      if (offset < 0) return -1;
    }
    return offset;
  }

  #map(at: number, start: number, count: number, depth: number): number {
    if (depth >= DEPTH_MAX) return this.#refuse('too-deep', at);
    if (count > NODES_MAX - this.#nodes) return this.#refuse('too-many-nodes', at);
    let offset = start;
    let previousStart = 0;
    let previousEnd = -1; // no key yet
    for (let index = 0; index < count; index += 1) {
      const keyStart = this.#keyStart(offset);
      if (keyStart < 0) return -1;
      const length = keyStart === offset + 1 ? (this.#bytes[offset] ?? 0) & 0x1f : (this.#bytes[offset + 1] ?? 0);
      if (length > KEY_BYTES_MAX) return this.#refuse('key-too-long', offset);
      const keyEnd = this.#str(offset, keyStart, length);
      if (keyEnd < 0) return -1;
      if (previousEnd >= 0 && !this.#ascends(previousStart, previousEnd, keyStart, keyEnd)) return this.#refuse('key-order', offset);
      if (this.#isForbidden(keyStart, length)) return this.#refuse('key-forbidden', offset);
      previousStart = keyStart;
      previousEnd = keyEnd;
      offset = this.value(keyEnd, depth + 1);
      if (offset < 0) return -1;
    }
    return offset;
  }

  /** Where the text of the key at `at` begins. Keys are short, so only fixstr and str 8 can be right. */
  #keyStart(at: number): number {
    const head = this.#bytes[at];
    if (head === undefined) return this.#refuse('truncated', at);
    if (head >= 0xa0 && head < 0xc0) return at + 1;
    if (head === 0xd9) return this.#length(at, 1, 0x1f) < 0 ? -1 : at + 2;
    return this.#refuse(head === 0xda || head === 0xdb ? 'key-too-long' : 'key-not-str', at);
  }

  #ascends(aStart: number, aEnd: number, bStart: number, bEnd: number): boolean {
    const bytes = this.#bytes;
    const shared = Math.min(aEnd - aStart, bEnd - bStart);
    for (let index = 0; index < shared; index += 1) {
      const difference = (bytes[bStart + index] ?? 0) - (bytes[aStart + index] ?? 0);
      if (difference !== 0) return difference > 0;
    }
    return bEnd - bStart > aEnd - aStart;
  }

  /** `__proto__`, `constructor`, `prototype`: refused even though a `Map` would hold them, because they end up in objects somewhere. */
  #isForbidden(start: number, length: number): boolean {
    return (length === 9 && (this.#spells(start, '__proto__') || this.#spells(start, 'prototype'))) || (length === 11 && this.#spells(start, 'constructor'));
  }

  #spells(start: number, ascii: string): boolean {
    for (let index = 0; index < ascii.length; index += 1) if (this.#bytes[start + index] !== ascii.charCodeAt(index)) return false;
    return true;
  }
}
