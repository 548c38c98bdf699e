import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import frames from '#test/vectors/wire/frames.json' with { type: 'json' };
import type { Refused } from './decoded.ts';
import { FrameReader } from './frame-reader.ts';
import { checkHeader, encodeFrame, type Frame } from './header.ts';

const checksum = createNodeCrypto();
const bytes = (text: string): Uint8Array => fromHex(text)!;
const LIMIT = 256;

/** Feed a stream in pieces of the given sizes (repeated) and collect everything that comes out. */
function readAll(stream: Uint8Array, sizes: readonly number[], limit = LIMIT): (Frame | Refused)[] {
  const reader = new FrameReader(checksum, limit);
  const out: (Frame | Refused)[] = [];
  for (let at = 0, turn = 0; at < stream.length; turn += 1) {
    const size = sizes[turn % sizes.length]!;
    reader.push(stream.slice(at, at + size));
    at += size;
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      out.push(next);
      if (next.kind === 'refused') return out;
    }
  }
  return out;
}

describe('the reader', () => {
  test.each(frames.accepted.map((vector) => [vector.rule, vector.name, vector] as const))('%s %s', (_rule, _name, vector) => {
    const [frame] = readAll(bytes(vector.hex), [vector.hex.length]);
    if (frame?.kind !== 'frame') throw new Error(frame?.why ?? 'no frame');
    const { type, flags, channel, sequence } = frame;
    expect({ type, flags, channel, sequence, payload: `h'${hex(frame.payload)}'` }).toEqual(vector.value);
    expect(hex(encodeFrame(checksum, frame, frame.payload))).toBe(vector.hex);
  });

  test.each(frames.refused.map((vector) => [vector.rule, vector.name, vector] as const))('%s refused: %s', (_rule, _name, vector) => {
    for (const size of [1, 7, vector.hex.length]) expect(readAll(bytes(vector.hex), [size]).at(-1)).toMatchObject({ kind: 'refused', code: vector.error });
  });

  test('W-3 any stream of frames, cut anywhere, gives the same frames', () => {
    const frame = fc.record({ type: fc.nat(255), flags: fc.nat(3), channel: fc.nat(5), sequence: fc.nat(2 ** 40), payload: fc.uint8Array({ maxLength: 80 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), fc.array(fc.integer({ min: 1, max: 120 }), { minLength: 1, maxLength: 5 }), (sent, sizes) => {
        const stream = concat(...sent.map((item) => encodeFrame(checksum, item, item.payload)));
        const got = readAll(stream, sizes).map((item) =>
          item.kind === 'frame' ? `${String(item.type)} ${String(item.flags)} ${String(item.sequence)} ${hex(item.payload)}` : item.why,
        );
        expect(got).toEqual(sent.map((item) => `${String(item.type)} ${String(item.flags)} ${String(item.sequence)} ${hex(item.payload)}`));
      }),
    );
  });

  test('W-3 frames stay what they were while later bytes are read', () => {
    const stream = concat(...[1, 2, 3].map((sequence) => encodeFrame(checksum, { type: 0x10, flags: 0, channel: 0, sequence }, Uint8Array.of(sequence))));
    const got = readAll(stream, [5]);
    expect(got.map((frame) => (frame.kind === 'frame' ? hex(frame.payload) : ''))).toEqual(['01', '02', '03']);
  });

  test('W-3 a large frame is whole until the next one is asked for, and small ones around it stay what they were', () => {
    const sizes = [10, 5_000, 20, 9_000, 4_000, 30, 7_000];
    const stream = concat(
      ...sizes.map((size, index) => encodeFrame(checksum, { type: 0x10, flags: 0, channel: 0, sequence: index }, new Uint8Array(size).fill(index + 1))),
    );
    for (const piece of [3_000, 4_096, 7_001]) {
      const reader = new FrameReader(checksum, 10_000);
      const kept: Uint8Array[] = [];
      for (let at = 0; at < stream.length; at += piece) {
        reader.push(stream.slice(at, at + piece));
        for (let frame = reader.next(); frame?.kind === 'frame'; frame = reader.next()) {
          const { payload, sequence } = frame;
          expect(payload.length).toBe(sizes[sequence]);
          expect(payload.every((byte) => byte === sequence + 1)).toBe(true);
          if (payload.length < 100) kept.push(payload);
        }
      }
      expect(kept.map((payload) => payload.every((byte) => byte === payload[0]))).toEqual([true, true, true]);
      expect(kept.map((payload) => payload[0])).toEqual([1, 3, 6]);
    }
  });

  test('W-4 noise never makes it throw, and a refusal is final', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (noise, plausible) => {
        const stream = plausible ? concat(bytes('524e01'), noise) : noise;
        const reader = new FrameReader(checksum, LIMIT);
        reader.push(stream);
        const first = reader.next();
        if (first?.kind !== 'refused') return;
        reader.push(encodeFrame(checksum, { type: 1, flags: 0, channel: 0, sequence: 0 }, Uint8Array.of(0x80)));
        expect(reader.next()).toBe(first);
      }),
      { numRuns: 2_000 },
    );
  });

  test('W-6 every single-bit change of a frame is noticed', () => {
    const frame = encodeFrame(checksum, { type: 0x10, flags: 0, channel: 0, sequence: 1 }, Uint8Array.of(1, 2, 3));
    for (let bit = 0; bit < frame.length * 8; bit += 1) {
      const changed = frame.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      // A changed length may also leave the reader waiting for bytes that never come.
      expect(readAll(concat(changed, new Uint8Array(LIMIT)), [9]).at(0)?.kind).not.toBe('frame');
    }
  });

  test('W-5 holds no more than has arrived, whatever the length claims', () => {
    const reader = new FrameReader(checksum, 1_048_576);
    const frame = encodeFrame(checksum, { type: 0x51, flags: 0, channel: 4, sequence: 1 }, new Uint8Array(1_000_000));
    reader.push(frame.slice(0, 100));
    expect(reader.next()).toBeUndefined();
    expect(reader.bytesHeld).toBe(100);
    expect(reader.isPartial).toBe(true);
  });

  test('W-5 the limit may be raised between frames', () => {
    const reader = new FrameReader(checksum, 10);
    const large = encodeFrame(checksum, { type: 0x20, flags: 0, channel: 1, sequence: 1 }, new Uint8Array(11));
    reader.payloadBytesMax = 11;
    reader.push(large);
    expect(reader.next()?.kind).toBe('frame');
  });
});

describe('header checks behind authentication', () => {
  test.each(frames.headers.map((vector) => [vector.rule, vector.name, vector] as const))('%s refused: %s', (_rule, _name, vector) => {
    const [frame] = readAll(bytes(vector.hex), [1_000]);
    if (frame?.kind !== 'frame') throw new Error('the reader refused it already');
    expect(checkHeader(frame, 1)).toMatchObject({ kind: 'refused', code: vector.error });
  });

  test('W-8 a known and an ignorable type with the expected sequence pass', () => {
    for (const type of [0x10, 0x80, 0xff]) {
      const [frame] = readAll(encodeFrame(checksum, { type, flags: 3, channel: 5, sequence: 7 }, new Uint8Array(0)), [100]);
      expect(frame?.kind === 'frame' && checkHeader(frame, 7)).toBeUndefined();
    }
  });
});
