import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareBytes, hex, textOf, utf8 } from '#core/bytes/bytes.ts';
import { decodeRmp } from './decode.ts';
import { encodeRmp } from './encode.ts';
import { strOf } from './fields.ts';
import { RmpReader } from './reader.ts';
import { scanRmp } from './scanner.ts';
import { malformedUtf8At } from './utf8.ts';
import type { RmpInput } from './value.ts';
import { RmpWriter } from './writer.ts';

const forbidden = ['__proto__', 'constructor', 'prototype'];
const key = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !forbidden.includes(text) && textOf(utf8(text)) === text);
const value: fc.Arbitrary<RmpInput> = fc.letrec<{ node: RmpInput }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer({ min: -70_000, max: 70_000 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('node'), { maxLength: 20 }),
    fc.array(fc.tuple(key, tie('node')), { maxLength: 20 }).map((entries) => new Map(entries)),
  ),
})).node;

describe('encoding and decoding', () => {
  test('W-1 whatever is encoded passes the scanner and comes back, and encodes to the same bytes again', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeRmp(input);
        const outcome = decodeRmp(bytes);
        if (outcome.kind !== 'ok') throw new Error(`${outcome.error} at ${String(outcome.offset)} of ${hex(bytes)}`);
        expect(hex(encodeRmp(outcome.value))).toBe(hex(bytes));
      }),
    );
  });

  test('W-1 maps come out sorted whatever order they went in', () => {
    expect(hex(encodeRmp({ b: 1, a: 2, aa: 3 }))).toBe(
      hex(
        encodeRmp(
          new Map([
            ['aa', 3],
            ['b', 1],
            ['a', 2],
          ]),
        ),
      ),
    );
  });

  test('an undefined member is left out', () => {
    expect(hex(encodeRmp({ a: undefined, b: 1 }))).toBe('81a16201');
  });

  test('decoded maps are Maps, so no key meets a prototype', () => {
    const outcome = decodeRmp(encodeRmp({ toString: 1 }));
    expect(outcome.kind === 'ok' && outcome.value instanceof Map && outcome.value.get('toString')).toBe(1);
  });
});

describe('the scanner', () => {
  test('W-2 never throws and never accepts what cannot be decoded and re-encoded to itself', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const outcome = scanRmp(bytes);
        if (outcome.kind === 'refused') return outcome.offset >= 0 && outcome.offset <= bytes.length;
        const decoded = decodeRmp(bytes);
        return decoded.kind === 'ok';
      }),
      { numRuns: 5_000 },
    );
  });

  test('W-2 every single-byte change of a valid document is judged without throwing, and what is accepted is canonical', () => {
    fc.assert(
      fc.property(value, fc.nat(), fc.nat(255), (input, at, byte) => {
        const bytes = encodeRmp(input);
        bytes[at % bytes.length] = byte;
        const outcome = decodeRmp(bytes, 'signed');
        if (outcome.kind === 'ok') expect(hex(encodeRmp(outcome.value))).toBe(hex(bytes));
      }),
      { numRuns: 1_000 },
    );
  });

  test('W-2 does not look outside the view it was given', () => {
    fc.assert(
      fc.property(value, (input) => {
        const bytes = encodeRmp(input);
        const larger = new Uint8Array(bytes.length + 64).fill(0xc0);
        larger.set(bytes, 32);
        expect(scanRmp(larger.subarray(32, 32 + bytes.length)).kind).toBe('ok');
        for (let length = 0; length < bytes.length; length += 1) expect(scanRmp(larger.subarray(32, 32 + length)).kind).toBe('refused');
      }),
      { numRuns: 50 },
    );
  });

  test('W-2 agrees with the platform about UTF-8', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8 }), (bytes) => (malformedUtf8At(bytes, 0, bytes.length) === -1) === (textOf(bytes) !== undefined)),
      { numRuns: 20_000 },
    );
  });
});

describe('reading and writing by position', () => {
  test('W-1 integers, texts and bytes written by position are read back, and pass the scanner', () => {
    fc.assert(
      fc.property(
        fc.nat(Number.MAX_SAFE_INTEGER),
        fc.string({ unit: 'binary', maxLength: 100 }),
        fc.uint8Array({ maxLength: 70_000, size: 'large' }),
        (integer, text, bin) => {
          fc.pre(textOf(utf8(text)) === text);
          const writer = new RmpWriter(8);
          writer.arrayHead(3);
          writer.int(integer);
          writer.str(text);
          writer.bin(bin);
          const reader = new RmpReader(writer.written());
          expect(reader.arrayHead()).toBe(3);
          expect(reader.uint()).toBe(integer);
          expect(reader.str(400)).toBe(text);
          expect(compareBytes(reader.bin() ?? new Uint8Array(0), bin)).toBe(0);
          expect(reader.atEnd).toBe(true);
          expect(scanRmp(writer.written()).kind).toBe('ok');
        },
      ),
    );
  });

  test('W-2 the reader accepts an integer, text or bin exactly where the scanner does', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 12 }), (bytes) => {
        const scanned = decodeRmp(bytes, 'signed');
        const accepted = [
          (reader: RmpReader) => reader.uint() !== undefined,
          (reader: RmpReader) => reader.str(64) !== undefined,
          (reader: RmpReader) => reader.bin() !== undefined,
        ].some((read) => {
          const reader = new RmpReader(bytes);
          return read(reader) && reader.atEnd;
        });
        const isScalar =
          scanned.kind === 'ok' &&
          ((typeof scanned.value === 'number' && scanned.value >= 0) || typeof scanned.value === 'string' || scanned.value instanceof Uint8Array);
        return accepted === isScalar;
      }),
      { numRuns: 20_000 },
    );
  });

  test('a text limit counts UTF-8 bytes', () => {
    expect(strOf('ééé', 6)).toBe('ééé');
    expect(strOf('ééé', 5)).toBeUndefined();
  });
});
