/**
 * BATCH: all messages of one event-loop turn in one frame (protocol.md §2.6), because one seal, one chain step and one
 * write cost nearly the same for one message as for a hundred (performance.md). A frame of one message goes out plain.
 * The header's type and channel are those of the first message.
 */
import { assert } from '#core/errors/assert.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { typeOf, writeMessage } from './codec.ts';
import { type Decoded, decoded, refused } from './decoded.ts';
import type { Frame } from './header.ts';
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX } from './limits.ts';
import { CHANNEL_MAX, FLAG, channelOf, isOpeningType, isPermittedType, messageTypeName } from './message-type.ts';
import type { SessionMessage } from './message.ts';

/** One message of a frame, its payload a view into the record. */
export interface Entry {
  readonly type: number;
  readonly channel: number;
  readonly payload: Uint8Array;
}

/** Payload and header fields of a frame that is ready to be sealed. */
export interface Batch extends Entry {
  readonly flags: number;
}

/** Room for the array head in front, which is only known at the end. */
const HEAD_BYTES = 3;
/** A turn of an idle link fits: heartbeat, checkpoint. */
const BATCH_BYTES_START = 1_024;
/** Room for the head of an entry: array, type, channel, bin 32. */
const ENTRY_HEAD_BYTES = 1 + 2 + 1 + 5;

/**
 * Collects messages into one reused buffer.
 * Invariants: the buffer holds HEAD_BYTES of room, then `entries` finished entries; a payload handed out is valid until
 * the next {@link add}.
 */
export class BatchWriter {
  /** Grows to what the busiest turn needed, and is then reused: most links never need more than this. */
  readonly #body = new RmpWriter(BATCH_BYTES_START);
  #bytesMax: number;
  #entries = 0;
  /** Bytes of finished entries, the room in front included. */
  #end = 0;
  /** Size of the newest message: the next one is probably like it, and is then written where it stays. */
  #guess = 0;
  #first: { readonly type: number; readonly channel: number; readonly start: number } | undefined;

  /** @param bytesMax what the receiver accepts as wire payload, less the tag; never more than BATCH_BYTES_MAX is collected */
  constructor(bytesMax: number = BATCH_BYTES_MAX) {
    this.#bytesMax = Math.min(bytesMax, BATCH_BYTES_MAX);
  }

  /** The receiver has said what it accepts; nothing is collected yet. */
  limitTo(bytesMax: number): void {
    assert(this.#entries === 0, 'the limit of a batch is set between batches');
    this.#bytesMax = Math.min(bytesMax, BATCH_BYTES_MAX);
  }

  /** Messages collected. */
  get size(): number {
    return this.#entries;
  }

  /** Bytes collected. */
  get bytes(): number {
    return this.#entries === 0 ? 0 : this.#end;
  }

  /**
   * Add a message; false when the batch is full, and nothing was added: take it and add again. A message larger than a
   * whole batch is taken alone. The channel is the usual one of its type unless another is wanted.
   */
  add(message: SessionMessage, wanted?: number): boolean {
    if (this.#entries === BATCH_ENTRIES_MAX) return false;
    if (this.#entries === 0) this.#begin();
    const type = typeOf(message);
    const channel = wanted ?? channelOf(type);
    const body = this.#body;
    const before = this.#end;
    // A message that could not be written leaves nothing behind.
    body.reset(before);
    body.arrayHead(3);
    body.int(type);
    body.int(channel);
    const opened = body.openBin(this.#guess);
    writeMessage(body, message);
    const size = body.length - opened;
    if (this.#entries > 0 && before + ENTRY_HEAD_BYTES + size > this.#bytesMax) {
      body.reset(before);
      return false;
    }
    const start = body.closeBin(opened, this.#guess);
    this.#guess = size;
    this.#first ??= { type, channel, start };
    this.#end = body.length;
    this.#entries += 1;
    return true;
  }

  /** What was collected, as one payload; undefined when there is nothing. */
  take(): Batch | undefined {
    const first = this.#first;
    if (first === undefined) return undefined;
    const { type, channel } = first;
    const count = this.#entries;
    this.#entries = 0;
    this.#first = undefined;
    this.#body.reset(this.#end);
    if (count === 1) return { type, channel, flags: 0, payload: this.#body.written(first.start) };
    // The shortest head differs in size, so it is written right before the first entry.
    const start = count < 16 ? HEAD_BYTES - 1 : 0;
    this.#body.patch(start, count < 16 ? Uint8Array.of(0x90 | count) : Uint8Array.of(0xdc, count >> 8, count & 0xff));
    return { type, channel, flags: FLAG.BATCH, payload: this.#body.written(start) };
  }

  #begin(): void {
    this.#body.reset();
    this.#body.raw(ROOM);
    this.#end = HEAD_BYTES;
  }
}

const ROOM = new Uint8Array(HEAD_BYTES);

/**
 * The messages of an authenticated frame, batch or not. Entries of ignorable types are included: the session counts and
 * drops them.
 */
export function decodePayload(frame: Pick<Frame, 'type' | 'channel' | 'flags'>, plaintext: Uint8Array): Decoded<readonly Entry[]> {
  if ((frame.flags & FLAG.BATCH) === 0) return decoded([{ type: frame.type, channel: frame.channel, payload: plaintext }]);
  const reader = new RmpReader(plaintext);
  const count = reader.arrayHead();
  if (count === undefined) return refused('RMP_INVALID', 'the batch is not an array');
  if (count === 0 || count > BATCH_ENTRIES_MAX)
    return refused('RMP_INVALID', `a batch of ${String(count)} messages; 1 to ${String(BATCH_ENTRIES_MAX)} are allowed`);
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    const fields = reader.arrayHead() === 3;
    const type = fields ? reader.uint(0xff) : undefined;
    const channel = type === undefined ? undefined : reader.uint(CHANNEL_MAX);
    const payload = channel === undefined ? undefined : reader.bin();
    if (type === undefined || channel === undefined || payload === undefined) {
      return refused('RMP_INVALID', `entry ${String(index)} of the batch is malformed at byte ${String(reader.offset)}`);
    }
    if (!isPermittedType(type) || isOpeningType(type)) return refused('FRAME_TYPE', `a batch may not contain ${messageTypeName(type)}`);
    entries.push({ type, channel, payload });
  }
  if (!reader.atEnd) return refused('RMP_INVALID', `bytes behind the batch at byte ${String(reader.offset)}`);
  const [first] = entries;
  if (first?.type !== frame.type || first.channel !== frame.channel) return refused('FRAME_TYPE', 'the header of a batch does not name its first message');
  return decoded(entries);
}
