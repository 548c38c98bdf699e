import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import accepted from '../../test/vectors/msgpack/accepted.json' with { type: 'json' };
import refused from '../../test/vectors/msgpack/refused.json' with { type: 'json' };
import { decodeRmp } from './decode.ts';
import { encodeRmp } from './encode.ts';
import { scanRmp } from './scanner.ts';
import type { RmpMode, RmpValue } from './value.ts';

const bytes = (text: string): Uint8Array => fromHex(text)!;

/** Byte strings are written h'…' in the vectors. */
function plain(value: RmpValue): unknown {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map((item: RmpValue) => plain(item)) : value;
}

describe('what the specification allows and the profile accepts', () => {
  test.each(accepted.map((vector) => [vector.name, vector] as const))('W-1 %s', (_name, vector) => {
    const mode: RmpMode = 'mode' in vector ? 'open' : 'signed';
    const outcome = decodeRmp(bytes(vector.hex), mode);
    if (outcome.kind !== 'ok') throw new Error(`refused: ${outcome.error} at ${String(outcome.offset)}`);
    expect(plain(outcome.value)).toEqual(vector.value);
    expect(hex(encodeRmp(outcome.value))).toBe(vector.hex);
  });
});

describe('what the profile refuses', () => {
  test.each(refused.map((vector) => [vector.name, vector] as const))('W-1 %s', (_name, vector) => {
    const outcome = scanRmp(bytes(vector.hex), vector.mode === 'signed' ? 'signed' : 'open');
    expect(outcome).toMatchObject({ kind: 'refused', error: vector.error });
    expect(decodeRmp(bytes(vector.hex), vector.mode === 'signed' ? 'signed' : 'open')).toEqual(outcome);
  });
});
