import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import batches from '#test/vectors/wire/batches.json' with { type: 'json' };
import { BatchWriter, decodePayload } from './batch.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { BATCH_BYTES_MAX, BATCH_ENTRIES_MAX } from './limits.ts';
import { FLAG, MESSAGE_TYPE } from './message-type.ts';
import type { Req, SessionMessage } from './message.ts';

const bytes = (text: string): Uint8Array => fromHex(text)!;
const request = (id: number, byteCount: number): Req => ({
  kind: 'req',
  id,
  key: null,
  method: 'echo',
  timeoutMs: 0,
  body: new Uint8Array(byteCount).fill(id),
});

describe('decoding', () => {
  test.each(batches.accepted.map((vector) => [vector.name, vector] as const))('W-7 %s', (_name, vector) => {
    const outcome = decodePayload({ type: vector.type, channel: vector.channel, flags: FLAG.BATCH }, bytes(vector.hex));
    if (outcome.kind === 'refused') throw new Error(outcome.why);
    expect(outcome.message.map(({ type, channel, payload }) => ({ type, channel, payload: `h'${hex(payload)}'` }))).toEqual(vector.value);
  });

  test.each(batches.refused.map((vector) => [vector.name, vector] as const))('W-7 refused: %s', (_name, vector) => {
    expect(decodePayload({ type: vector.type, channel: vector.channel, flags: FLAG.BATCH }, bytes(vector.hex))).toMatchObject({
      kind: 'refused',
      code: vector.error,
    });
  });

  test('W-7 a frame without the flag is one message', () => {
    const payload = Uint8Array.of(0x91, 0x01);
    expect(decodePayload({ type: 0x43, channel: 3, flags: 0 }, payload)).toEqual({ kind: 'ok', message: [{ type: 0x43, channel: 3, payload }] });
  });

  test('W-2 noise never makes it throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(255), (noise, type) => {
        decodePayload({ type, channel: 0, flags: FLAG.BATCH }, noise);
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('writing', () => {
  test('W-7 what goes in comes out, in order, and the payload is itself RMP', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { minLength: 1, maxLength: 40 }), (sizes) => {
        const writer = new BatchWriter();
        const sent: SessionMessage[] = sizes.map((size, index) => request(index, size));
        for (const message of sent) expect(writer.add(message)).toBe(true);
        const batch = writer.take()!;
        if (sent.length > 1) expect(decodeRmp(batch.payload, 'signed').kind).toBe('ok');
        const outcome = decodePayload(batch, batch.payload);
        if (outcome.kind === 'refused') throw new Error(outcome.why);
        expect(outcome.message.map((entry) => decodeMessage(entry.type, entry.payload))).toEqual(sent.map((message) => ({ kind: 'ok', message })));
        expect(writer.take()).toBeUndefined();
      }),
    );
  });

  test('W-7 the head of an entry is the shortest, whatever the size of the entry before', () => {
    const writer = new BatchWriter();
    const sizes = [0, 250, 5, 20_000, 1, 300, 0];
    for (const [index, size] of sizes.entries()) expect(writer.add(request(index, size))).toBe(true);
    const batch = writer.take()!;
    const outcome = decodePayload(batch, batch.payload);
    expect(outcome.kind === 'ok' ? outcome.message.map((entry) => decodeMessage(entry.type, entry.payload)) : outcome.why).toEqual(
      sizes.map((size, index) => ({ kind: 'ok', message: request(index, size) })),
    );
    for (const size of [70_000, 3, 70_000]) {
      expect(writer.add(request(9, size))).toBe(true);
      expect(hex(writer.take()!.payload)).toBe(hex(encodeMessage(request(9, size))));
    }
  });

  test('W-7 a message that cannot be written leaves nothing behind', () => {
    const writer = new BatchWriter();
    writer.add(request(1, 10));
    expect(() => writer.add({ ...request(2, 10), timeoutMs: Number.NaN })).toThrow();
    writer.add(request(3, 10));
    expect(() => writer.add({ ...request(4, 10), timeoutMs: Number.NaN })).toThrow();
    const batch = writer.take()!;
    const outcome = decodePayload(batch, batch.payload);
    expect(outcome.kind === 'ok' ? outcome.message.map((entry) => decodeMessage(entry.type, entry.payload)) : outcome.why).toEqual([
      { kind: 'ok', message: request(1, 10) },
      { kind: 'ok', message: request(3, 10) },
    ]);
  });

  test('W-7 one message goes out plain, under its own type', () => {
    const writer = new BatchWriter();
    writer.add(request(7, 10));
    const batch = writer.take()!;
    expect(batch).toMatchObject({ type: MESSAGE_TYPE.REQ, channel: 3, flags: 0 });
    expect(hex(batch.payload)).toBe(hex(encodeMessage(request(7, 10))));
  });

  test('W-7 a full batch refuses the next message and keeps what it has', () => {
    const writer = new BatchWriter();
    for (let index = 0; index < BATCH_ENTRIES_MAX; index += 1) expect(writer.add({ kind: 'cancel', id: index })).toBe(true);
    expect(writer.add({ kind: 'cancel', id: 0 })).toBe(false);
    const batch = writer.take()!;
    const outcome = decodePayload(batch, batch.payload);
    expect(outcome.kind === 'ok' && outcome.message.length).toBe(BATCH_ENTRIES_MAX);
    expect(writer.add({ kind: 'cancel', id: 0 })).toBe(true);
  });

  test('W-7 a batch never exceeds its size, but a message larger than it goes alone', () => {
    const writer = new BatchWriter();
    let count = 0;
    while (writer.add(request(count, 1_000))) count += 1;
    expect(count).toBeGreaterThan(60);
    expect(writer.take()!.payload.length).toBeLessThanOrEqual(BATCH_BYTES_MAX);
    expect(writer.add(request(1, 200_000))).toBe(true);
    expect(writer.add(request(2, 1))).toBe(false);
    expect(writer.take()).toMatchObject({ flags: 0 });
  });

  test('W-5 a batch for a stranger keeps to the stranger’s limit', () => {
    const writer = new BatchWriter(4_080);
    while (writer.add(request(1, 300)));
    expect(writer.take()!.payload.length).toBeLessThanOrEqual(4_080);
  });
});
