import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import messages from '#test/vectors/wire/messages.json' with { type: 'json' };
import payloads from '#test/vectors/wire/handshake-payloads.json' with { type: 'json' };
import { decodeHandshakePayload, encodeHandshakePayload } from './codec/handshake-payload.ts';
import { decodeMessage, encodeMessage, typeOf } from './codec.ts';
import { MESSAGE_TYPE } from './message-type.ts';

const bytes = (text: string): Uint8Array => fromHex(text)!;

/** Byte strings are written h'…' in the vectors. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return `h'${hex(value)}'`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value;
}

describe('messages', () => {
  test.each(messages.accepted.map((vector) => [vector.rule, vector.name, vector] as const))('%s %s', (_rule, _name, vector) => {
    const outcome = decodeMessage(vector.type, bytes(vector.hex));
    if (outcome.kind === 'refused') throw new Error(outcome.why);
    expect(plain(outcome.message)).toEqual(vector.value);
    expect(typeOf(outcome.message)).toBe(vector.type);
    expect(hex(encodeMessage(outcome.message))).toBe(vector.hex);
  });

  test.each(messages.refused.map((vector) => [vector.rule, vector.name, vector] as const))('%s refused: %s', (_rule, _name, vector) => {
    expect(decodeMessage(vector.type, bytes(vector.hex))).toMatchObject({ kind: 'refused', code: vector.error });
  });

  test('every message type has an accepted and a refused vector', () => {
    const noise: readonly number[] = [MESSAGE_TYPE.HS1, MESSAGE_TYPE.HS2, MESSAGE_TYPE.HS3];
    const all = Object.values(MESSAGE_TYPE).filter((type) => !noise.includes(type));
    expect(all.filter((type) => !messages.accepted.some((vector) => vector.type === type))).toEqual([]);
    expect(all.filter((type) => !messages.refused.some((vector) => vector.type === type))).toEqual([]);
  });
});

describe('handshake payloads', () => {
  test.each(payloads.accepted.map((vector) => [vector.rule, vector.name, vector] as const))('%s %s', (_rule, _name, vector) => {
    const outcome = decodeHandshakePayload(bytes(vector.hex));
    if (outcome.kind === 'refused') throw new Error(outcome.why);
    expect(plain(outcome.message)).toEqual(vector.value);
    expect(hex(encodeHandshakePayload(outcome.message))).toBe(vector.hex);
  });

  test.each(payloads.refused.map((vector) => [vector.rule, vector.name, vector] as const))('%s refused: %s', (_rule, _name, vector) => {
    expect(decodeHandshakePayload(bytes(vector.hex))).toMatchObject({ kind: 'refused', code: vector.error });
  });
});
