/** Targets of the wire: the stream cut into frames, batches, every message, the payload of a handshake. */
import { concat, fromHex, hex } from '#core/bytes/bytes.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { decodePayload } from '#mesh/wire/batch.ts';
import { decodeMessage, encodeMessage } from '#mesh/wire/codec.ts';
import { decodeHandshakePayload, encodeHandshakePayload } from '#mesh/wire/codec/handshake-payload.ts';
import { FrameReader } from '#mesh/wire/frame-reader.ts';
import { encodeFrame, type Frame } from '#mesh/wire/header.ts';
import { HEADER_BYTES } from '#mesh/wire/limits.ts';
import { FLAG, MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { isRefusalCode } from '#mesh/wire/refusal.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { crypto } from '#test/kit/identities.ts';
import batches from '#test/vectors/wire/batches.json' with { type: 'json' };
import payloads from '#test/vectors/wire/handshake-payloads.json' with { type: 'json' };
import messages from '#test/vectors/wire/messages.json' with { type: 'json' };
import { promise, sameBytes } from '../promises.ts';

const bytesOf = (text: string): Uint8Array => fromHex(text) ?? new Uint8Array(0);
const LIMITS = [256, 2_048, 4_096, 65_536];

/** First byte: the limit; second: how the stream is cut into reads; then the stream. */
const frames: FuzzTarget = {
  name: 'frames',
  promise:
    'however a stream is cut, the same frames and the same refusal come out, nothing beyond the limit is held, and a good frame is encoded to the same bytes',
  tokens: [bytesOf('524e0101'), bytesOf('524e011001'), bytesOf('ffffffff'), bytesOf('00000801')],
  bytesMax: 6_000,
  seeds: () => {
    const one = encodeFrame(crypto, { type: MESSAGE_TYPE.PING, flags: FLAG.ENC, channel: 0, sequence: 1 }, new Uint8Array(40).fill(7));
    const large = encodeFrame(crypto, { type: MESSAGE_TYPE.REQ, flags: FLAG.ENC, channel: 3, sequence: 2 }, new Uint8Array(3_000).fill(9));
    const empty = encodeFrame(crypto, { type: MESSAGE_TYPE.HELLO, flags: 0, channel: 0, sequence: 0 }, new Uint8Array(0));
    return [
      concat(Uint8Array.of(1, 7), one),
      concat(Uint8Array.of(2, 1), one, large, empty),
      concat(Uint8Array.of(0, 200), empty, empty, empty),
      concat(Uint8Array.of(2, 90), large, large),
    ];
  },
  repair: withChecksums,
  run: (input) => {
    const limit = LIMITS[(input[0] ?? 0) % LIMITS.length] ?? 256;
    const step = 1 + (input[1] ?? 0);
    const stream = input.subarray(2);
    const whole = readAll(stream, Math.max(1, stream.length), limit);
    const pieces = readAll(stream, step, limit);
    // The piecewise reader may refuse before the whole is there, never differently.
    promise(whole.join('\n') === pieces.join('\n'), `cut into ${step}: ${pieces.join(' ')} instead of ${whole.join(' ')}`);
    return whole.some((line) => line.startsWith('frame'));
  },
};

function readAll(stream: Uint8Array, step: number, limit: number): readonly string[] {
  const reader = new FrameReader(crypto, limit);
  const lines: string[] = [];
  let offset = 0;
  for (let at = 0; at < stream.length; at += step) {
    const chunk = stream.slice(at, at + step);
    reader.push(chunk);
    for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
      if (frame.kind === 'refused') {
        promise(isRefusalCode(frame.code), 'a refusal without a code');
        promise(reader.next() === frame, 'after a refusal the reader goes on');
        return [...lines, `refused ${frame.code}`];
      }
      promise(frame.payload.length <= limit, 'a frame beyond the limit');
      const size = HEADER_BYTES + frame.payload.length;
      sameBytes(frame.bytes, stream.subarray(offset, offset + size), 'the frame');
      if (frame.reserved === 0 && Number.isSafeInteger(frame.sequence))
        sameBytes(encodeFrame(crypto, frame, frame.payload), stream.subarray(offset, offset + size), 'encoded again');
      offset += size;
      lines.push(`frame ${frame.type} ${frame.payload.length} ${frame.sequence}`);
    }
    promise(reader.bytesHeld <= HEADER_BYTES + limit, `${reader.bytesHeld} bytes are held, the limit is ${limit}`);
  }
  return lines;
}

/** Every frame that is there in full gets the checksum that fits. */
function withChecksums(input: Uint8Array): Uint8Array {
  const bytes = input.slice();
  const view = new DataView(bytes.buffer);
  for (let at = 2; at + HEADER_BYTES <= bytes.length;) {
    const end = at + HEADER_BYTES + view.getUint32(at + 16);
    if (end > bytes.length) break;
    view.setUint32(at + 20, crypto.crc32(bytes.subarray(at + HEADER_BYTES, end), crypto.crc32(bytes.subarray(at, at + 20))));
    at = end;
  }
  return bytes;
}

const batch: FuzzTarget = {
  name: 'batch',
  promise: 'a batch is refused with a code, or holds exactly the entries that its bytes spell, none of them an opening message',
  seeds: () => batches.accepted.map((vector) => bytesOf(vector.hex)),
  run: (input) => {
    const outcome = decodePayload({ flags: FLAG.ENC | FLAG.BATCH, ...headOf(input) }, input);
    if (outcome.kind === 'refused') {
      promise(isRefusalCode(outcome.code), 'a refusal without a code');
      return false;
    }
    const writer = new RmpWriter(input.length + 16);
    writer.arrayHead(outcome.message.length);
    for (const { type, channel, payload } of outcome.message) {
      promise(type > MESSAGE_TYPE.REJECT, 'an opening message in a batch');
      writer.arrayHead(3);
      writer.int(type);
      writer.int(channel);
      writer.bin(payload);
    }
    sameBytes(writer.copy(), input, 'written again');
    return true;
  },
};

/** The header of an honest batch names its first entry. */
function headOf(payload: Uint8Array): Pick<Frame, 'type' | 'channel'> {
  const at = payload[0] === 0xdc ? 3 : 1;
  const type = payload[at + 1] ?? 0;
  return type === 0xcc ? { type: payload[at + 2] ?? 0, channel: payload[at + 3] ?? 0 } : { type, channel: payload[at + 2] ?? 0 };
}

/** First byte: the message type. */
const message: FuzzTarget = {
  name: 'message',
  promise: 'a message is refused with a code, or is encoded to the same bytes (HELLO, which tolerates fields of the future, to the same message)',
  prefixBytes: 1,
  bytesMax: 16_384,
  seeds: () => messages.accepted.map((vector) => concat(Uint8Array.of(vector.type), bytesOf(vector.hex))),
  run: (input) => {
    const type = input[0] ?? 0;
    const payload = input.subarray(1);
    const outcome = decodeMessage(type, payload);
    if (outcome.kind === 'refused') {
      promise(isRefusalCode(outcome.code), 'a refusal without a code');
      promise(outcome.why.length < 300, 'a refusal that repeats what it was sent');
      return false;
    }
    const again = encodeMessage(outcome.message);
    if (type !== MESSAGE_TYPE.HELLO) sameBytes(again, payload, 'encoded again');
    const second = decodeMessage(type, again);
    promise(second.kind === 'ok', 'what was encoded again is refused');
    sameBytes(encodeMessage(second.message), again, 'encoded a second time');
    return true;
  },
};

const handshakePayload: FuzzTarget = {
  name: 'handshake-payload',
  promise: 'the payload of HS2 and HS3 is refused with a code, or is encoded to the same bytes',
  bytesMax: 8_192,
  seeds: () => payloads.accepted.map((vector) => bytesOf(vector.hex)),
  run: (input) => {
    const outcome = decodeHandshakePayload(input);
    if (outcome.kind === 'refused') {
      promise(isRefusalCode(outcome.code), 'a refusal without a code');
      return false;
    }
    sameBytes(encodeHandshakePayload(outcome.message), input, `encoded again (${hex(input.subarray(0, 8))})`);
    return true;
  },
};

export const wireTargets: readonly FuzzTarget[] = [frames, batch, message, handshakePayload];
