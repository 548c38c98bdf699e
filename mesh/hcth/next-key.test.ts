import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { binding, bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { verifyEstablishment } from './establishment.ts';
import { identityDocument, readIdentityDocument } from './identity-document.ts';
import { openIdentity, sealIdentity, secretsOf } from './identity-file.ts';
import { nextKeyFingerprint, nextKeyText, parseNextKey } from './next-key.ts';
import { nextKeyFault, rotateIdentity, ROTATION_RANDOM_BYTES } from './rotate-identity.ts';
import { fingerprintOf } from './identity-text.ts';

const ada = identityOf('ada');
const text = nextKeyText(crypto, ada.established.aid, 1, ada.nextSeed!);
const random = (label: string): Uint8Array => bytesFor(label, ROTATION_RANDOM_BYTES);

describe('the next key as text', () => {
  test('H-64: is rnk1. and 19 groups of four, and reads back as written', () => {
    expect(text).toMatch(/^rnk1\.([A-Z2-7]{4}-){18}[A-Z2-7]{4}$/);
    const read = parseNextKey(crypto, text);
    expect(read).toEqual({ kind: 'key', key: { rotation: 1, aidPrefix: ada.established.aid.slice(0, 10), seed: ada.nextSeed } });
    expect(read.kind === 'key' && nextKeyFingerprint(read.key)).toBe(fingerprintOf(ada.established.aid));
  });

  test('H-64: whatever a hand does to it that keeps the letters is forgiven', () => {
    for (const written of [
      text.toLowerCase(),
      text.replaceAll('-', ' '),
      `# next key of attic\n\n  ${text.slice(0, 40)}\n  ${text.slice(40)}\n`,
      text.replaceAll('O', '0').replaceAll('I', '1').replaceAll('B', '8'),
    ])
      expect(parseNextKey(crypto, written).kind).toBe('key');
  });

  test('H-64: any other character at any place, and any part of it, is refused', () => {
    let refused = 0;
    for (let at = 5; at < text.length; at += 1) {
      if (text[at] === '-') continue;
      const wrong = text[at] === 'A' ? 'C' : 'A';
      expect(parseNextKey(crypto, text.slice(0, at) + wrong + text.slice(at + 1)).kind, String(at)).toBe('bad');
      refused += 1;
    }
    expect(refused).toBe(76);
    for (const part of ['', 'rnk1.', text.slice(0, -1), `${text}A`, text.slice(5), 'x'.repeat(5_000)]) expect(parseNextKey(crypto, part).kind).toBe('bad');
  });

  test('H-64: whatever is pasted, the answer is an outcome that repeats nothing of it', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (pasted) => {
        const outcome = parseNextKey(crypto, `rnk1.${pasted}`);
        expect(outcome.kind === 'key' || !/[A-Z2-7]{8}/.test(outcome.why)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('rotating an identity', () => {
  test('H-6: a planned rotation and a recovery both continue the log, with fresh keys and a fresh commitment', () => {
    for (const old of [ada.signKey, null]) {
      const rotated = rotateIdentity(crypto, ada.established, ada.nextSeed!, old, random('r'));
      if (rotated.kind !== 'rotated') throw new Error(rotated.why);
      const { identity } = rotated;
      expect(verifyEstablishment(crypto, identity.established.events)).toMatchObject({
        kind: 'valid',
        established: { rotations: 1, aid: ada.established.aid },
      });
      expect(identity.signKey.publicKey).toEqual(crypto.signKey(ada.nextSeed!).publicKey);
      expect(identity.staticKey.publicKey).not.toEqual(ada.staticKey.publicKey);
      expect(crypto.sha256(crypto.signKey(identity.nextSeed!).publicKey)).toEqual(identity.established.nextDigest);
      expect(identity.nextSeed).not.toEqual(ada.nextSeed);
    }
  });

  test('H-64: only the key that was committed to rotates; the reason says whose or which one it is', () => {
    expect(rotateIdentity(crypto, ada.established, bytesFor('other', 32), null, random('r'))).toMatchObject({ kind: 'refused', because: 'wrong-key' });
    const key = (aid: Uint8Array, rotation: number, seed: Uint8Array) => ({ aidPrefix: aid.slice(0, 10), rotation, seed });
    const { aid } = ada.established;
    expect(nextKeyFault(crypto, ada.established, key(aid, 1, ada.nextSeed!))).toBe(undefined);
    expect(nextKeyFault(crypto, ada.established, key(identityOf('bob').established.aid, 1, ada.nextSeed!))).toContain(
      fingerprintOf(identityOf('bob').established.aid),
    );
    expect(nextKeyFault(crypto, ada.established, key(aid, 2, bytesFor('later', 32)))).toContain('it is for rotation 2');
    const rotated = rotateIdentity(crypto, ada.established, ada.nextSeed!, null, random('r'));
    if (rotated.kind !== 'rotated') throw new Error(rotated.why);
    expect(nextKeyFault(crypto, rotated.identity.established, key(aid, 1, ada.nextSeed!))).toContain('it was for rotation 1, and this identity has had 1');
  });

  test('H-35, H-60: an identity is rotated 63 times and no more, and its file still opens', () => {
    const board = binding({ serial: 'ada' });
    let identity = ada;
    for (let round = 1; round <= 63; round += 1) {
      const rotated = rotateIdentity(crypto, identity.established, identity.nextSeed!, identity.signKey, random(`round ${round}`));
      if (rotated.kind !== 'rotated') throw new Error(rotated.why);
      identity = rotated.identity;
    }
    expect(rotateIdentity(crypto, identity.established, identity.nextSeed!, null, random('one more'))).toMatchObject({ kind: 'refused', because: 'worn-out' });
    const { aid } = identity.established;
    const place = { how: 'escrowed', place: 'the laptop of the owner', at: 1_800_000_000_000 } as const;
    const file = sealIdentity(crypto, { ...secretsOf(identity), nextSeed: null, nextKeyPlace: place }, aid, board, bytesFor('seal', 12));
    expect(openIdentity(crypto, file, board)).toMatchObject({ kind: 'ok', identity: { established: { rotations: 63 }, nextSeed: null, nextKeyPlace: place } });
    const document = identityDocument({ established: identity.established, name: 'attic', mesh: null, membership: null, peers: [] }, 0);
    expect(readIdentityDocument(crypto, JSON.parse(JSON.stringify(document)))).toMatchObject({ established: { rotations: 63 }, nextKey: null });
  });
});

describe('an identity document', () => {
  const parts = { established: ada.established, name: 'attic', mesh: null, membership: new Uint8Array([1, 2]), peers: ['10.0.0.1:7411'] };
  const good = JSON.parse(JSON.stringify(identityDocument(parts, 5, text))) as Record<string, unknown>;

  test('H-64: reads back with its key, and proves its own log', () => {
    expect(readIdentityDocument(crypto, good)).toMatchObject({
      name: 'attic',
      established: { aid: ada.established.aid },
      nextKey: { rotation: 1 },
      peers: ['10.0.0.1:7411'],
    });
  });

  test.each([
    ['another type', { type: 'robonet-token' }, 'not an identity document'],
    ['another version', { v: 2 }, 'another version'],
    ['no log', { establishment: [] }, 'missing or malformed'],
    ['a log cut short in a signature', { establishment: [{ body: 'AA', sig: 'AA' }] }, 'missing or malformed'],
    ['the log of somebody else', { aid: 'rn1x' }, 'another identity'],
    ['a damaged key', { nextKey: text.replace(/.$/, 'A').replace(/A.$/, 'CC') }, 'damaged'],
    ['the key of somebody else', { nextKey: nextKeyText(crypto, identityOf('bob').established.aid, 1, ada.nextSeed!) }, 'another identity'],
    ['a membership that is no bytes', { membership: 7 }, 'membership'],
    ['peers without end', { peers: Array.from({ length: 65 }, () => 'x') }, 'peers'],
    ['a name without end', { name: 'x'.repeat(64) }, 'name'],
  ])('H-64: with %s is refused in a sentence', (_, change, words) => {
    expect(readIdentityDocument(crypto, { ...good, ...change })).toContain(words);
  });

  test('H-64: anything but an object is refused', () => {
    for (const value of [null, 7, 'x', [], undefined]) expect(readIdentityDocument(crypto, value)).toContain('not an identity document');
  });
});
