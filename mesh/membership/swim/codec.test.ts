import { describe, expect, it } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import vectors from '#test/vectors/membership/presence.json' with { type: 'json' };
import { decodeSwimMessage, encodeSwimMessage } from './codec.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { SwimMessage } from './messages.ts';

describe('M-20 bytes of presence', () => {
  it.each(vectors.accepted)('$name', ({ message, hex: bytes }) => {
    expect(decodeSwimMessage(fromHex(bytes)!)).toEqual(message);
    expect(hex(encodeSwimMessage(message as SwimMessage))).toBe(bytes);
  });

  it.each(vectors.refused)('refused: $name', ({ hex: bytes }) => {
    expect(decodeSwimMessage(fromHex(bytes)!)).toBeUndefined();
  });

  it('every kind of message has a vector that holds', () => {
    expect(new Set(vectors.accepted.map(({ message }) => message.kind))).toEqual(new Set(['probe', 'ack', 'ask', 'nack', 'news', 'digest', 'rows']));
  });

  it('a message of rows keeps within what may be sent at once, with whole rows, and all else within the smallest frame', () => {
    const full = vectors.accepted.map(({ message }) => message as SwimMessage);
    for (const bytesMax of [2_200, 4_000, LIMITS.messageBytesMax])
      for (const message of full) {
        const bytes = encodeSwimMessage(message, bytesMax);
        expect(bytes.length, message.kind).toBeLessThanOrEqual(bytesMax);
        const again = decodeSwimMessage(bytes);
        expect(again?.kind).toBe(message.kind);
        if (again?.kind === 'rows' && message.kind === 'rows') expect(again.rows).toEqual(message.rows.slice(0, again.rows.length));
      }
    const most = full.findLast((message) => message.kind === 'rows')!;
    const fits = decodeSwimMessage(encodeSwimMessage(most, 4_000));
    expect(fits?.kind === 'rows' && fits.rows.length).toBe(22);
  });
});
