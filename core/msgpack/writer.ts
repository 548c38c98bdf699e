/**
 * Writing msgpack by position into one reused buffer: the fast path for known shapes (performance.md). Always shortest
 * forms, so whatever is written passes the scanner as long as its caller keeps maps sorted and within the limits.
 */
import { assert } from '#core/errors/assert.ts';
import { utf8Into } from '#core/bytes/bytes.ts';

const UINT32 = 0x1_0000_0000;
/** One UTF-16 unit is at most three bytes of UTF-8 (a pair of them four). */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/**
 * A growing byte buffer with msgpack verbs.
 * Invariants: `bytes` up to `length` is what was written; views handed out by {@link written} are valid until the next write.
 */
export class RmpWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(byteCount = 1_024) {
    this.#bytes = new Uint8Array(byteCount);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** A view of what was written. */
  written(start = 0): Uint8Array {
    return this.#bytes.subarray(start, this.#length);
  }

  /** A copy of what was written. */
  copy(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  /** Forget everything behind `length`. */
  reset(length = 0): void {
    assert(length <= this.#length, 'a writer is only ever cut back');
    this.#length = length;
  }

  nil(): void {
    this.#byte(0xc0);
  }

  bool(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  int(value: number): void {
    // Nearly all integers are of this kind, and for them the check costs nothing.
    if (value >>> 0 === value) return this.#unsigned32(value);
    assert(Number.isSafeInteger(value), 'integers in RMP are exact');
    if (value >= 0) this.#wide(0xcf, value);
    else this.#negative(value);
  }

  /** Integers go out as integers; only a fraction needs a float64. */
  number(value: number): void {
    if (Number.isSafeInteger(value)) return this.int(value);
    assert(Number.isFinite(value), 'numbers in RMP are finite');
    const at = this.#reserve(9);
    this.#bytes[at] = 0xcb;
    this.#view.setFloat64(at + 1, value);
  }

  str(value: string): void {
    if (value.length < 32 && this.#shortAscii(value)) return;
    // Encoded in place, behind the head that fits if every unit is one byte; moved where that guess was too short.
    const start = this.#length;
    const guess = strHeadBytes(value.length);
    this.#reserve(5 + value.length * UTF8_BYTES_PER_UNIT_MAX);
    const length = utf8Into(value, this.#bytes.subarray(start + guess));
    const headBytes = strHeadBytes(length);
    if (headBytes !== guess) this.#bytes.copyWithin(start + headBytes, start + guess, start + guess + length);
    this.#length = start;
    if (length < 32) this.#byte(0xa0 | length);
    else if (length < 0x100) this.#head8(0xd9, length);
    else if (length < 0x1_0000) this.#head16(0xda, length);
    else this.#head32(0xdb, length);
    this.#length += length;
  }

  bin(value: Uint8Array): void {
    this.binHead(value.length);
    this.raw(value);
  }

  /** The head of a bin whose bytes follow by {@link raw}. */
  binHead(length: number): void {
    if (length < 0x100) this.#head8(0xc4, length);
    else if (length < 0x1_0000) this.#head16(0xc5, length);
    else this.#head32(0xc6, length);
  }

  /**
   * Begin a bin whose content is written by other verbs and whose length is about `guess`; answers where it begins, for
   * {@link closeBin}. A good guess saves moving the content.
   */
  openBin(guess: number): number {
    return this.#reserve(binHeadBytes(guess)) + binHeadBytes(guess);
  }

  /** End the bin whose content begins at `start`; answers where it begins now. */
  closeBin(start: number, guess: number): number {
    const length = this.#length - start;
    const head = start - binHeadBytes(guess);
    const moved = head + binHeadBytes(length);
    if (moved !== start) {
      this.#reserve(Math.max(0, moved - start));
      this.#bytes.copyWithin(moved, start, start + length);
    }
    this.#length = head;
    this.binHead(length);
    this.#length += length;
    return moved;
  }

  arrayHead(count: number): void {
    if (count < 16) this.#byte(0x90 | count);
    else if (count < 0x1_0000) this.#head16(0xdc, count);
    else this.#head32(0xdd, count);
  }

  mapHead(count: number): void {
    if (count < 16) this.#byte(0x80 | count);
    else if (count < 0x1_0000) this.#head16(0xde, count);
    else this.#head32(0xdf, count);
  }

  /** Bytes as they are: an already encoded value. */
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** Overwrite bytes already written (an array head that was left open). */
  patch(at: number, bytes: Uint8Array): void {
    assert(at + bytes.length <= this.#length, 'a patch lies inside what was written');
    this.#bytes.set(bytes, at);
  }

  #unsigned32(value: number): void {
    if (value < 0x80) this.#byte(value);
    else if (value < 0x100) this.#head8(0xcc, value);
    else if (value < 0x1_0000) this.#head16(0xcd, value);
    else this.#head32(0xce, value);
  }

  #negative(value: number): void {
    if (value >= -0x20) this.#byte(0x100 + value);
    else if (value >= -0x80) this.#head8(0xd0, value & 0xff);
    else if (value >= -0x8000) this.#head16(0xd1, value & 0xffff);
    else if (value >= -0x8000_0000) this.#head32(0xd2, value >>> 0);
    else this.#wide(0xd3, value);
  }

  #shortAscii(value: string): boolean {
    const at = this.#reserve(value.length + 1);
    for (let index = 0; index < value.length; index += 1) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) {
        this.#length = at;
        return false;
      }
      this.#bytes[at + 1 + index] = unit;
    }
    this.#bytes[at] = 0xa0 | value.length;
    return true;
  }

  #byte(value: number): void {
    const at = this.#reserve(1);
    this.#bytes[at] = value;
  }

  #head8(head: number, value: number): void {
    const at = this.#reserve(2);
    this.#bytes[at] = head;
    this.#bytes[at + 1] = value;
  }

  #head16(head: number, value: number): void {
    const at = this.#reserve(3);
    this.#bytes[at] = head;
    this.#view.setUint16(at + 1, value);
  }

  #head32(head: number, value: number): void {
    const at = this.#reserve(5);
    this.#bytes[at] = head;
    this.#view.setUint32(at + 1, value);
  }

  /** Two halves by multiplication: the remainder of a division costs ten times more. */
  #wide(head: number, value: number): void {
    const high = Math.floor(value / UINT32);
    const at = this.#reserve(9);
    this.#bytes[at] = head;
    this.#view.setInt32(at + 1, high);
    this.#view.setUint32(at + 5, value - high * UINT32);
  }

  #reserve(byteCount: number): number {
    const at = this.#length;
    const end = at + byteCount;
    if (end > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = end;
    return at;
  }
}

function strHeadBytes(length: number): number {
  return length < 32 ? 1 : length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5;
}

function binHeadBytes(length: number): number {
  return length < 0x100 ? 2 : length < 0x1_0000 ? 3 : 5;
}
