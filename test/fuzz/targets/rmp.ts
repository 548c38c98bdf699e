/** Targets of serialisation: the scanner, msgpackr behind it, our encoder and our positional reader against a reference. */
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { scanRmp } from '#core/msgpack/scanner.ts';
import type { RmpValue } from '#core/msgpack/value.ts';
import { fromHex, utf8 } from '#core/bytes/bytes.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import accepted from '#test/vectors/msgpack/accepted.json' with { type: 'json' };
import { promise, sameBytes } from '../promises.ts';
import { plain, referenceRmp } from '../reference-rmp.ts';

const nested = (depth: number): Uint8Array => Uint8Array.from([...Array.from({ length: depth }, () => 0x91), 0xc0]);
const tokens = ['__proto__', 'constructor', 'prototype'].map((word) => Uint8Array.of(0x81, 0xa0 + word.length, ...utf8(word), 0xc0));

/** First byte: with floats, or as inside signed objects. */
const rmp: FuzzTarget = {
  name: 'rmp',
  // The reference is slow by intent.
  msMax: 250,
  promise: 'the scanner accepts exactly what the rules accept, and what it accepts is decoded to the same value and encoded to the same bytes',
  prefixBytes: 1,
  tokens: [
    ...tokens,
    Uint8Array.of(0xc1),
    Uint8Array.of(0xdd, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0),
    Uint8Array.of(0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0),
  ],
  seeds: () => [
    ...accepted.map((vector) => Uint8Array.of(vector.mode === 'open' ? 1 : 0, ...(fromHex(vector.hex) ?? []))),
    Uint8Array.of(0, ...nested(16)),
    Uint8Array.of(1, ...nested(17)),
    Uint8Array.of(0, 0xdc, 0x0f, 0xff, ...new Uint8Array(4_095)),
  ],
  run: (input) => {
    const floats = (input[0] ?? 0) % 2 === 1;
    const mode = floats ? 'open' : 'signed';
    // A view in the middle of a larger buffer: whoever looks outside of it sees something else.
    const larger = new Uint8Array(input.length + 32).fill(0xc0);
    larger.set(input, 16);
    const bytes = larger.subarray(17, 16 + Math.max(1, input.length));
    const scan = scanRmp(bytes, mode);
    const decoded = decodeRmp(bytes, mode);
    const reference = referenceRmp(bytes, floats);
    promise(scan.kind === decoded.kind, 'scanner and decoder disagree');
    promise(
      (scan.kind === 'ok') === (typeof reference !== 'string'),
      `the scanner says ${scan.kind === 'ok' ? 'yes' : scan.error}, the rules say ${JSON.stringify(typeof reference === 'string' ? reference : 'yes')}`,
    );
    if (scan.kind === 'refused') promise(scan.offset >= 0 && scan.offset <= bytes.length, 'the place of the fault lies outside');
    if (decoded.kind === 'refused' || typeof reference === 'string') return false;
    promise(JSON.stringify(shown(decoded.value)) === JSON.stringify(plain(reference)), 'the decoded value is another one');
    sameBytes(encodeRmp(decoded.value), bytes, 'encoded again');
    return true;
  },
};

/** First byte: what to ask for. */
const rmpReader: FuzzTarget = {
  name: 'rmp-reader',
  promise: 'reading by position accepts an integer, a text or bytes exactly where the rules do, and never moves on a refusal',
  prefixBytes: 1,
  seeds: () =>
    [0, 1, 2, 3].flatMap((ask) =>
      ['07', 'ccff', 'cf0010000000000000', 'a161', 'd920' + '61'.repeat(32), 'c40100', 'c50100' + '00'.repeat(256), '9401a161c4010003'].map((text) =>
        Uint8Array.of(ask, ...(fromHex(text) ?? [])),
      ),
    ),
  run: (input) => {
    const ask = (input[0] ?? 0) % 4;
    const bytes = input.subarray(1);
    const reader = new RmpReader(bytes);
    const read: unknown = ask === 0 ? reader.uint() : ask === 1 ? reader.str(65_536) : ask === 2 ? reader.bin() : reader.arrayHead();
    if (read === undefined) {
      promise(reader.offset === 0 || ask === 3, 'the reader moved on although it refused');
      const whole = referenceRmp(bytes, false);
      const wanted =
        typeof whole !== 'string' &&
        ((ask === 0 && whole.is === 'int' && whole.value >= 0n) ||
          (ask === 1 && whole.is === 'str' && whole.value.length <= 65_535) ||
          (ask === 2 && whole.is === 'bin'));
      promise(!wanted, 'the reader refuses what the rules accept');
      return false;
    }
    promise(reader.offset <= bytes.length, 'the reader stands behind the end');
    if (ask === 3) return true;
    const consumed = bytes.subarray(0, reader.offset);
    const reference = referenceRmp(consumed, false);
    promise(typeof reference !== 'string', `the reader accepts what the rules refuse: ${String(reference)}`);
    promise(plainRead(read) === plain(reference), 'the value read is another one');
    return true;
  },
};

function plainRead(read: unknown): unknown {
  return read instanceof Uint8Array ? `h'${Buffer.from(read).toString('hex')}'` : read;
}

function shown(value: RmpValue): unknown {
  if (value instanceof Uint8Array) return plainRead(value);
  if (value instanceof Map) return { map: [...value].map(([key, item]) => [key, shown(item)]) };
  if (Array.isArray(value)) return value.map((item: RmpValue) => shown(item));
  return value;
}

export const rmpTargets: readonly FuzzTarget[] = [rmp, rmpReader];
