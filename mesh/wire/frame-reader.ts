/**
 * Cutting a byte stream into frames (protocol.md §2.5). Magic, version and length are checked as soon as their bytes are
 * there, before anything behind them is kept; the checksum when the frame is complete. Everything here is attacker-
 * controlled on the path, so no refusal of this file says anything about the peer's identity.
 * Must never allocate what a length field merely claims.
 */
import { type Refused, refused } from './decoded.ts';
import { type Checksum, FRAME_VERSION, type Frame, MAGIC } from './header.ts';
import { BATCH_BYTES_MAX, HEADER_BYTES, HEADER_BYTES_COVERED, PAYLOAD_BYTES_MAX_PRE_AUTH } from './limits.ts';

/**
 * An incremental reader.
 * Invariants: held bytes never exceed one frame within the limit, plus the chunk last pushed; after a refusal the reader
 * answers that refusal for ever. Frames are views into what was pushed, or into a buffer of their own; only those larger
 * than anything before authentication lie in a buffer that the reader uses again at the next {@link next}: they are opened
 * at once, and a fresh buffer for each would be most of what a fast link allocates.
 */
export class FrameReader {
  /** Largest wire payload accepted from now on; the session raises it as the peer earns more (limits.ts). */
  payloadBytesMax: number;
  readonly #checksum: Checksum;
  /** Bytes of an incomplete frame, and how many of them are filled. */
  #held: Uint8Array = EMPTY;
  #heldBytes = 0;
  /** A large frame was handed out of `#held` and nothing is held any more. */
  #spent: Uint8Array = EMPTY;
  /** The chunk being cut, and where. */
  #chunk: Uint8Array = EMPTY;
  #at = 0;
  #refusal: Refused | undefined;

  constructor(checksum: Checksum, payloadBytesMax: number) {
    this.#checksum = checksum;
    this.payloadBytesMax = payloadBytesMax;
  }

  /** Whether a frame has begun and is not complete: its deadline is running. */
  get isPartial(): boolean {
    return this.#heldBytes + this.#chunk.length - this.#at > 0;
  }

  /** Bytes kept for a frame that is not complete. */
  get bytesHeld(): number {
    return this.#heldBytes + this.#chunk.length - this.#at;
  }

  /** Give the next piece of the stream; call {@link next} until it answers undefined before the following one. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) this.#hold(this.#chunk.length - this.#at);
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** The next complete frame, the reason to close the connection, or undefined when more bytes are needed. */
  next(): Frame | Refused | undefined {
    if (!this.isPartial && this.#refusal === undefined) return undefined;
    const length = this.#number(16);
    this.#refusal ??= this.#refuseStart(length);
    if (this.#refusal !== undefined) return this.#refusal;
    const total = HEADER_BYTES + (length ?? 0);
    if (this.bytesHeld < total) {
      this.#hold(this.#chunk.length - this.#at);
      return undefined;
    }
    const bytes = this.#take(total);
    const frame = this.#verified(bytes);
    if (frame.kind === 'refused') this.#refusal = frame;
    return frame;
  }

  #byte(index: number): number | undefined {
    return index < this.#heldBytes ? this.#held[index] : this.#chunk[this.#at + index - this.#heldBytes];
  }

  /** The four bytes at an index; undefined while one of them is missing. */
  #number(index: number): number | undefined {
    if (this.bytesHeld < index + 4) return undefined;
    if (this.#heldBytes === 0) return uint32At(this.#chunk, this.#at + index);
    let value = 0;
    for (let offset = 0; offset < 4; offset += 1) value = value * 256 + (this.#byte(index + offset) ?? 0);
    return value;
  }

  /** Refuse as early as the bytes allow: a foreign protocol shows itself in its first byte. */
  #refuseStart(length: number | undefined): Refused | undefined {
    const first = this.#byte(0);
    const second = this.#byte(1);
    if ((first !== undefined && first !== MAGIC >> 8) || (second !== undefined && second !== (MAGIC & 0xff))) {
      return refused('FRAME_MAGIC', 'the first two bytes are not "RN"');
    }
    const version = this.#byte(2);
    if (version !== undefined && version !== FRAME_VERSION)
      return refused('FRAME_VERSION', `frame version ${String(version)} instead of ${String(FRAME_VERSION)}`);
    if (length !== undefined && length > this.payloadBytesMax) {
      return refused('FRAME_SIZE', `a payload of ${String(length)} bytes exceeds the limit of ${String(this.payloadBytesMax)}`);
    }
    return undefined;
  }

  /** Move bytes from the chunk to the held buffer, which at most doubles. */
  #hold(byteCount: number): void {
    if (byteCount === 0) return;
    const end = this.#heldBytes + byteCount;
    if (end > this.#held.length) {
      const grown = this.#room(end);
      grown.set(this.#held.subarray(0, this.#heldBytes));
      this.#held = grown;
    }
    this.#held.set(this.#chunk.subarray(this.#at, this.#at + byteCount), this.#heldBytes);
    this.#heldBytes = end;
    this.#at += byteCount;
  }

  /** A buffer for at least `byteCount` bytes: the one that a large frame has left, or a new one that is at most twice as large as the last. */
  #room(byteCount: number): Uint8Array {
    const spent = this.#spent;
    if (spent.length >= byteCount && byteCount > REUSED_BYTES_MIN) {
      this.#spent = EMPTY;
      return spent;
    }
    return new Uint8Array(Math.max(byteCount, Math.min(this.#held.length * 2, HEADER_BYTES + this.payloadBytesMax)));
  }

  #take(total: number): Uint8Array {
    if (this.#heldBytes === 0) {
      this.#at += total;
      return this.#chunk.subarray(this.#at - total, this.#at);
    }
    if (total > this.#heldBytes) this.#hold(total - this.#heldBytes);
    const isLarge = total > REUSED_BYTES_MIN;
    // A small one that came to lie in a large buffer gets bytes of its own.
    const bytes = isLarge || this.#held.length <= REUSED_BYTES_MIN ? this.#held.subarray(0, total) : this.#held.slice(0, total);
    const rest = this.#held.subarray(total, this.#heldBytes);
    if (isLarge && this.#held.length <= REUSED_BYTES_MAX) this.#spent = this.#held;
    this.#held = rest.length === 0 ? EMPTY : rest.slice();
    this.#heldBytes = rest.length;
    return bytes;
  }

  #verified(bytes: Uint8Array): Frame | Refused {
    const covered = bytes.subarray(0, HEADER_BYTES_COVERED);
    const payload = bytes.subarray(HEADER_BYTES);
    const crc = this.#checksum.crc32(payload, this.#checksum.crc32(covered));
    if (uint32At(bytes, HEADER_BYTES_COVERED) !== crc)
      return refused('FRAME_CRC', `the checksum of a frame with ${String(payload.length)} bytes of payload does not fit`);
    return {
      kind: 'frame',
      bytes,
      covered,
      payload,
      type: bytes[3] ?? 0,
      flags: bytes[4] ?? 0,
      channel: bytes[5] ?? 0,
      reserved: ((bytes[6] ?? 0) << 8) | (bytes[7] ?? 0),
      // A sequence of 2^53 or more is no longer exact here, but never equal to an expected one either.
      sequence: uint32At(bytes, 8) * 0x1_0000_0000 + uint32At(bytes, 12),
    };
  }
}

function uint32At(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

const EMPTY = new Uint8Array(0);
/** Frames up to here are never in a buffer that is used again. */
const REUSED_BYTES_MIN = HEADER_BYTES + PAYLOAD_BYTES_MAX_PRE_AUTH;
/** A larger buffer is not kept: an idle link holds at most this. */
const REUSED_BYTES_MAX = 2 * BATCH_BYTES_MAX;
