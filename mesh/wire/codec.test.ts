import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import messages from '#test/vectors/wire/messages.json' with { type: 'json' };
import { decodeHandshakePayload } from './codec/handshake-payload.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { MESSAGE_TYPE, messageTypeName } from './message-type.ts';
import { isRefusalCode, refusalCodes, refusalText } from './refusal.ts';

const types = fc.constantFrom(...Object.values(MESSAGE_TYPE), 0x00, 0x08, 0x7f, 0x80, 0xff);
const seeds = messages.accepted.map((vector) => ({ type: vector.type, bytes: fromHex(vector.hex)! }));

describe('decoders against hostile bytes', () => {
  test('W-2 noise is refused with a code, never with an exception', () => {
    fc.assert(
      fc.property(types, fc.uint8Array({ maxLength: 120 }), (type, noise) => {
        const outcome = decodeMessage(type, noise);
        if (outcome.kind === 'refused') expect(isRefusalCode(outcome.code)).toBe(true);
        else expect(hex(encodeMessage(outcome.message))).toBe(hex(noise));
        decodeHandshakePayload(noise);
      }),
      { numRuns: 10_000 },
    );
  });

  test('W-1 W-2 a valid message with bytes changed is refused, or is another message in canonical form', () => {
    fc.assert(
      fc.property(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 3 }), (seed, changes) => {
        const changed = seed.bytes.slice();
        for (const [at, byte] of changes) changed[at % changed.length] = byte;
        const outcome = decodeMessage(seed.type, changed);
        // HELLO alone tolerates fields of the future; they are not kept.
        if (outcome.kind === 'ok' && seed.type !== MESSAGE_TYPE.HELLO) expect(hex(encodeMessage(outcome.message))).toBe(hex(changed));
      }),
      { numRuns: 20_000 },
    );
  });

  test('W-2 a valid message cut short or lengthened is refused', () => {
    for (const seed of seeds) {
      for (let length = 0; length < seed.bytes.length; length += 1) expect(decodeMessage(seed.type, seed.bytes.subarray(0, length)).kind).toBe('refused');
      const longer = new Uint8Array(seed.bytes.length + 1);
      longer.set(seed.bytes);
      expect(decodeMessage(seed.type, longer).kind).toBe('refused');
    }
  });
});

describe('registries', () => {
  test('W-17 there are 32 refusal codes and each has a sentence of its own', () => {
    expect(refusalCodes).toHaveLength(32);
    expect(new Set(refusalCodes.map(refusalText)).size).toBe(refusalCodes.length);
    expect(isRefusalCode('toString')).toBe(false);
  });

  test('types have names, and numbers without one are shown as such', () => {
    expect([messageTypeName(0x10), messageTypeName(0x91), messageTypeName(0x05)]).toEqual(['PING', '0x91', 'ACCEPT']);
  });
});
