import { expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import own from '#test/vectors/noise/own.json' with { type: 'json' };
import published from '#test/vectors/noise/published.json' with { type: 'json' };
import { createHandshake } from './handshake.ts';
import { type PatternName, patternOf } from './pattern.ts';

interface Vector {
  readonly protocol_name: string;
  readonly init_prologue: string;
  readonly init_static?: string;
  readonly init_ephemeral: string;
  readonly init_psks?: readonly string[];
  readonly resp_static?: string;
  readonly resp_ephemeral: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
}

const names: readonly PatternName[] = ['XX', 'XXpsk0', 'XXpsk3', 'NNpsk0'];
const vectors: readonly Vector[] = [...published.vectors, ...own.vectors];
const crypto = createNodeCrypto();
const bytes = (text: string): Uint8Array => fromHex(text)!;

test('there are vectors for every pattern', () => {
  expect(new Set(vectors.map((vector) => vector.protocol_name))).toEqual(new Set(names.map((name) => patternOf(name).protocolName)));
});

test.each(vectors.map((vector, index) => [`${vector.protocol_name} (${String(index)})`, vector] as const))(
  'W-20 %s gives the published bytes',
  (_title, vector) => {
    const name = names.find((candidate) => patternOf(candidate).protocolName === vector.protocol_name)!;
    const [psk] = vector.init_psks ?? [];
    const side = (initiator: boolean, staticKey: string | undefined, ephemeral: string) =>
      createHandshake(crypto, {
        pattern: name,
        initiator,
        prologue: bytes(vector.init_prologue),
        ephemeral: crypto.dhKey(bytes(ephemeral)),
        ...(staticKey === undefined ? {} : { staticKey: crypto.dhKey(bytes(staticKey)) }),
        ...(psk === undefined ? {} : { psk: bytes(psk) }),
      });
    const initiator = side(true, vector.init_static, vector.init_ephemeral);
    const responder = side(false, vector.resp_static, vector.resp_ephemeral);
    const handshakeCount = patternOf(name).messages.length;

    vector.messages.slice(0, handshakeCount).forEach(({ payload, ciphertext }, index) => {
      const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
      const message = writer.write(bytes(payload));
      expect(hex(message)).toBe(ciphertext);
      const read = reader.read(message);
      expect(read.kind).toBe('ok');
      expect(hex(read.kind === 'ok' ? read.payload : new Uint8Array(0))).toBe(payload);
      expect(hex(reader.hash)).toBe(hex(writer.hash));
      expect(hex(reader.hashBeforePayload)).toBe(hex(writer.hashBeforePayload));
    });
    if (vector.handshake_hash !== undefined) expect(hex(initiator.hash)).toBe(vector.handshake_hash);

    const ends = [initiator.split(), responder.split()] as const;
    vector.messages.slice(handshakeCount).forEach(({ payload, ciphertext }, index) => {
      const initiatorWrites = (handshakeCount + index) % 2 === 0;
      const [writer, reader] = initiatorWrites ? [ends[0].send, ends[1].receive] : [ends[1].send, ends[0].receive];
      const sealed = writer.seal(new Uint8Array(0), bytes(payload));
      expect(hex(sealed)).toBe(ciphertext);
      expect(hex(reader.open(new Uint8Array(0), sealed)!)).toBe(payload);
    });
  },
);
