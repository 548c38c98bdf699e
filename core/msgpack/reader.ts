/**
 * Reading msgpack by position: the counterpart of `RmpWriter` for known shapes. It accepts exactly the shortest forms
 * that the scanner accepts, one value at a time, and allocates only what it returns. Every verb answers `undefined` when
 * the next value is not what was asked for; the reader is then stuck there and the message is refused as a whole.
 */
import { textOf } from '#core/bytes/bytes.ts';

const UINT32 = 0x1_0000_0000;
const HIGH_WORD_MAX = 0x20_0000;

/** A cursor over bytes that should be one RMP array. */
export class RmpReader {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** Whether everything has been read. */
  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Offset of the next value. */
  get offset(): number {
    return this.#at;
  }

  /** Consume a nil if one is next. */
  nil(): boolean {
    if (this.#bytes[this.#at] !== 0xc0) return false;
    this.#at += 1;
    return true;
  }

  /** The number of elements of an array. */
  arrayHead(): number | undefined {
    const head = this.#bytes[this.#at];
    if (head === undefined) return undefined;
    if (head >= 0x90 && head < 0xa0) {
      this.#at += 1;
      return head & 0x0f;
    }
    return head === 0xdc ? this.#sized(2, 0x0f) : undefined;
  }

  /** A non-negative integer up to `max`. */
  uint(max: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const bytes = this.#bytes;
    const at = this.#at;
    const head = bytes[at];
    if (head === undefined) return undefined;
    if (head < 0x80) {
      if (head > max) return undefined;
      this.#at = at + 1;
      return head;
    }
    // Written out per size: this is what most of a message by position consists of.
    let value: number;
    let size: number;
    switch (head) {
      case 0xcc:
        size = 2;
        value = bytes[at + 1] ?? 0;
        if (value < 0x80) return undefined;
        break;
      case 0xcd:
        size = 3;
        value = ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
        if (value < 0x100) return undefined;
        break;
      case 0xce:
        size = 5;
        value = uint32At(bytes, at + 1);
        if (value < 0x1_0000) return undefined;
        break;
      case 0xcf: {
        size = 9;
        const high = uint32At(bytes, at + 1);
        if (high === 0 || high >= HIGH_WORD_MAX) return undefined;
        value = high * UINT32 + uint32At(bytes, at + 5);
        break;
      }
      default:
        return undefined;
    }
    // Bytes behind the end read as zeros above; here they are refused.
    if (at + size > bytes.length || value > max) return undefined;
    this.#at = at + size;
    return value;
  }

  /** Bytes, as a view; of exactly `length` where given. */
  bin(length?: number): Uint8Array | undefined {
    const start = this.#at;
    const head = this.#bytes[start];
    const size = head === 0xc4 ? this.#sized(1, -1) : head === 0xc5 ? this.#sized(2, 0xff) : head === 0xc6 ? this.#sized(4, 0xffff) : undefined;
    if (size === undefined || (length !== undefined && size !== length) || this.#at + size > this.#bytes.length) {
      this.#at = start;
      return undefined;
    }
    this.#at += size;
    return this.#bytes.subarray(this.#at - size, this.#at);
  }

  /** Text of at most `byteMax` UTF-8 bytes. */
  str(byteMax: number): string | undefined {
    const start = this.#at;
    const size = this.#strHead();
    if (size === undefined || size > byteMax || this.#at + size > this.#bytes.length) {
      this.#at = start;
      return undefined;
    }
    const at = this.#at;
    const text = size <= SHORT_TEXT_BYTES_MAX ? asciiText(this.#bytes, at, at + size) : undefined;
    const value = text ?? textOf(this.#bytes.subarray(at, at + size));
    this.#at = value === undefined ? start : at + size;
    return value;
  }

  #strHead(): number | undefined {
    const head = this.#bytes[this.#at];
    if (head === undefined) return undefined;
    if (head >= 0xa0 && head < 0xc0) {
      this.#at += 1;
      return head & 0x1f;
    }
    return head === 0xd9 ? this.#sized(1, 0x1f) : head === 0xda ? this.#sized(2, 0xff) : undefined;
  }

  /** A number of `size` bytes behind the head, refused when a shorter form could hold it. */
  #sized(size: number, shorterMax: number): number | undefined {
    if (this.#at + 1 + size > this.#bytes.length) return undefined;
    const value = this.#big(this.#at + 1, size);
    if (value <= shorterMax) return undefined;
    this.#at += 1 + size;
    return value;
  }

  /** The big-endian number of 1, 2 or 4 bytes at an offset. */
  #big(at: number, size: number): number {
    const bytes = this.#bytes;
    const first = bytes[at] ?? 0;
    if (size === 1) return first;
    const second = bytes[at + 1] ?? 0;
    if (size === 2) return (first << 8) | second;
    return ((first << 24) | (second << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
  }
}

/** The big-endian number of four bytes; those behind the end count as zeros. */
function uint32At(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/** Up to here text is put together from character codes; above, the engine's decoder is faster in spite of its fixed cost. */
const SHORT_TEXT_BYTES_MAX = 24;
const { fromCharCode } = String;

/** The text of these bytes where all are ASCII; eight at a time, as one call costs as much as one character. */
function asciiText(bytes: Uint8Array, start: number, end: number): string | undefined {
  let text = '';
  let at = start;
  for (; at + 8 <= end; at += 8) {
    const a = bytes[at] ?? 0;
    const b = bytes[at + 1] ?? 0;
    const c = bytes[at + 2] ?? 0;
    const d = bytes[at + 3] ?? 0;
    const e = bytes[at + 4] ?? 0;
    const f = bytes[at + 5] ?? 0;
    const g = bytes[at + 6] ?? 0;
    const h = bytes[at + 7] ?? 0;
    if ((a | b | c | d | e | f | g | h) >= 0x80) return undefined;
    text += fromCharCode(a, b, c, d, e, f, g, h);
  }
  const left = end - at;
  if (left >= 4) {
    const a = bytes[at] ?? 0;
    const b = bytes[at + 1] ?? 0;
    const c = bytes[at + 2] ?? 0;
    const d = bytes[at + 3] ?? 0;
    if ((a | b | c | d) >= 0x80) return undefined;
    const four = fromCharCode(a, b, c, d);
    text = text === '' ? four : text + four;
    at += 4;
  }
  const a = bytes[at] ?? 0;
  const b = bytes[at + 1] ?? 0;
  const c = bytes[at + 2] ?? 0;
  switch (end - at) {
    case 0:
      return text;
    case 1:
      return a >= 0x80 ? undefined : text + fromCharCode(a);
    case 2:
      return (a | b) >= 0x80 ? undefined : text + fromCharCode(a, b);
    default:
      return (a | b | c) >= 0x80 ? undefined : text + fromCharCode(a, b, c);
  }
}
