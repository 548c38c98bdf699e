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
    const start = this.#at;
    const value = this.#uint();
    if (value === undefined || value > max) {
      this.#at = start;
      return undefined;
    }
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
    const text = size < 32 ? this.#ascii(size) : undefined;
    const value = text ?? textOf(this.#bytes.subarray(this.#at, this.#at + size));
    this.#at = value === undefined ? start : this.#at + size;
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

  #ascii(size: number): string | undefined {
    let text = '';
    for (let index = this.#at; index < this.#at + size; index += 1) {
      const byte = this.#bytes[index] ?? 0;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #uint(): number | undefined {
    const head = this.#bytes[this.#at];
    if (head === undefined) return undefined;
    if (head < 0x80) {
      this.#at += 1;
      return head;
    }
    if (head === 0xcc) return this.#sized(1, 0x7f);
    if (head === 0xcd) return this.#sized(2, 0xff);
    if (head === 0xce) return this.#sized(4, 0xffff);
    if (head !== 0xcf || this.#at + 9 > this.#bytes.length) return undefined;
    const high = this.#big(this.#at + 1, 4);
    if (high === 0 || high >= HIGH_WORD_MAX) return undefined;
    const low = this.#big(this.#at + 5, 4);
    this.#at += 9;
    return high * UINT32 + low;
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
