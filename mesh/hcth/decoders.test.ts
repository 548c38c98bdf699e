import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binding, bootOf, bytesFor, chainOf, crypto, identityOf } from '#test/kit/identities.ts';
import { decodeBoot } from './boot-event.ts';
import { decodeCheckpoint, encodeCheckpoint, makeCheckpoint } from './checkpoint.ts';
import { decodeInception, decodeRotation } from './establishment-events.ts';
import { openIdentity } from './identity-file.ts';
import { decodeIncarnation } from './incarnation.ts';
import { decodePeerRecord } from './peer-record.ts';
import { decodeStatement } from './statement-log.ts';

const ada = identityOf('ada');
const chain = chainOf(ada, identityOf('bob'), 1, bytesFor('n', 16));
const checkpoint = makeCheckpoint(crypto, ada.signKey, {
  from: ada.established.aid,
  to: ada.established.aid,
  sending: chain,
  received: null,
  echo: new Uint8Array(16),
  slot: 0,
});

const decoders: Readonly<Record<string, (bytes: Uint8Array) => unknown>> = {
  inception: decodeInception,
  rotation: decodeRotation,
  boot: decodeBoot,
  statement: decodeStatement,
  checkpoint: decodeCheckpoint,
  'peer record': decodePeerRecord,
  incarnation: decodeIncarnation,
  'identity file': (bytes) => (openIdentity(crypto, bytes, binding({})).kind === 'ok' ? 'ok' : undefined),
};
const samples = [ada.established.events[0]!.body, bootOf(ada, 1).object.body, checkpoint.body];

describe('decoders of foreign bytes', () => {
  test.each(Object.keys(decoders))('H-2: the decoder of %s answers anything, and never throws', (name) => {
    const decode = decoders[name]!;
    const mutated = fc
      .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat({ max: 400 }), fc.nat({ max: 255 })), { maxLength: 4 }))
      .map(([sample, edits]) => {
        const bytes = new Uint8Array(sample);
        for (const [at, value] of edits) bytes[at % bytes.length] = value;
        return bytes;
      });
    let looked = 0;
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 300 }), mutated), (bytes) => {
        looked += 1;
        decode(bytes);
      }),
      { numRuns: 300 },
    );
    expect(looked).toBeGreaterThanOrEqual(300);
  });

  test('H-2: what a decoder accepts encodes to the very bytes it was given', () => {
    const decoded = decodeCheckpoint(checkpoint.body)!;
    expect(new Uint8Array(encodeCheckpoint(decoded))).toEqual(new Uint8Array(checkpoint.body));
  });

  test('H-2: decoded byte strings do not change when the received buffer is used again', () => {
    const buffer = Buffer.from(checkpoint.body);
    const decoded = decodeCheckpoint(buffer)!;
    const before = new Uint8Array(decoded.head);
    buffer.fill(0);
    expect(decoded.head).toEqual(before);
  });
});
