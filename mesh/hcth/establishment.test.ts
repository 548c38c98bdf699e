import { describe, expect, test } from 'vitest';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { makeInception, makeRotation } from './establishment-events.ts';
import { type Established, extendEstablishment, relateEstablishment, verifyEstablishment } from './establishment.ts';
import { encodeFields } from './fields.ts';
import { LABELS } from './labels.ts';
import { signObject, verifyObject } from './signed-object.ts';

const node = identityOf('ada');
const nextKey = crypto.signKey(node.nextSeed!);
const afterNext = crypto.signKey(bytesFor('after next', 32));

function rotation(before: Established, planned: boolean, revealed = nextKey, number = before.rotations + 1) {
  return makeRotation(crypto, revealed, planned ? node.signKey : null, {
    aid: before.aid,
    number,
    previous: before.head,
    staticKey: bytesFor('static 2', 32),
    nextDigest: crypto.sha256(afterNext.publicKey),
  });
}

describe('the establishment log', () => {
  test('H-1: bytes signed for one purpose never verify for another', () => {
    const object = signObject(crypto, node.signKey, LABELS.boot, new Uint8Array([1]));
    for (const label of Object.values(LABELS)) expect(verifyObject(crypto, node.signKey.publicKey, label, object)).toBe(label === LABELS.boot);
  });

  test('H-2: one flipped bit anywhere makes a log invalid', () => {
    const event = node.established.events[0]!;
    for (let index = 0; index < event.body.length; index += 7) {
      const body = event.body.slice();
      body[index]! ^= 1;
      expect(verifyEstablishment(crypto, [{ ...event, body }]).kind).toBe('bad');
    }
  });

  test('H-2: a signed body with an extra, a missing or a malformed field is refused', () => {
    const { event } = makeInception(crypto, node.signKey, {
      identityKind: 'node',
      staticKey: bytesFor('x', 32),
      nextDigest: bytesFor('n', 32),
      binding: { kind: 'none', digest: new Uint8Array(32) },
      random: bytesFor('r', 16),
    });
    expect(verifyEstablishment(crypto, [event]).kind).toBe('valid');
    const good = {
      v: 1,
      t: 'icp',
      kt: 'node',
      k: node.signKey.publicKey,
      x: bytesFor('x', 32),
      n: bytesFor('n', 32),
      hw: { t: 'none', d: new Uint8Array(32) },
      r: bytesFor('r', 16),
    };
    for (const bad of [
      { ...good, z: 1 },
      { ...good, r: undefined },
      { ...good, v: 2 },
      { ...good, kt: 'king' },
      { ...good, x: bytesFor('x', 31) },
      { ...good, hw: { t: 'none' } },
    ]) {
      expect(verifyEstablishment(crypto, [signObject(crypto, node.signKey, LABELS.inception, encodeFields(bad))]).kind).toBe('bad');
    }
  });

  test('H-5: a rotation is valid exactly when the committed key signed it as the next event', () => {
    const before = node.established;
    const good = extendEstablishment(crypto, before, rotation(before, true));
    expect(good).toMatchObject({ kind: 'valid', established: { rotations: 1, aid: before.aid } });
    expect(extendEstablishment(crypto, before, rotation(before, true, afterNext))).toMatchObject({
      kind: 'bad',
      why: expect.stringContaining('not committed to'),
    });
    expect(extendEstablishment(crypto, before, rotation(before, true, nextKey, 2))).toMatchObject({
      kind: 'bad',
      why: expect.stringContaining('does not continue'),
    });
    const stolen = signObject(crypto, node.signKey, LABELS.rotation, rotation(before, false).body);
    expect(extendEstablishment(crypto, before, stolen)).toMatchObject({ kind: 'bad', why: expect.stringContaining('not signed by the revealed key') });
  });

  test('H-6: a rotation keeps the identity; a planned one carries the old signature, a recovery does not', () => {
    for (const planned of [true, false]) {
      const verdict = verifyEstablishment(crypto, [...node.established.events, rotation(node.established, planned)]);
      if (verdict.kind !== 'valid') throw new Error(verdict.why);
      expect(verdict.established.aid).toEqual(node.established.aid);
      expect(verdict.established.signKey).toEqual(nextKey.publicKey);
      expect(verdict.established.signKeys).toHaveLength(2);
    }
    const stranger = makeRotation(crypto, nextKey, afterNext, {
      aid: node.established.aid,
      number: 1,
      previous: node.established.head,
      staticKey: bytesFor('s', 32),
      nextDigest: bytesFor('n', 32),
    });
    expect(extendEstablishment(crypto, node.established, stranger)).toMatchObject({ kind: 'bad', why: expect.stringContaining("not the old key's") });
  });

  test('H-7: two different events at one place are a conflict, a longer log is news', () => {
    const a = extendEstablishment(crypto, node.established, rotation(node.established, true));
    const b = extendEstablishment(crypto, node.established, rotation(node.established, false));
    if (a.kind !== 'valid' || b.kind !== 'valid') throw new Error('both are valid by themselves');
    expect(relateEstablishment(a.established, b.established)).toMatchObject({ kind: 'conflict', at: 1 });
    expect(relateEstablishment(node.established, a.established).kind).toBe('theirs-longer');
    expect(relateEstablishment(a.established, node.established).kind).toBe('ours-longer');
    expect(relateEstablishment(a.established, a.established).kind).toBe('same');
  });

  test('H-5: an empty or endless log is refused without being walked', () => {
    expect(verifyEstablishment(crypto, []).kind).toBe('bad');
    expect(
      verifyEstablishment(
        crypto,
        Array.from({ length: 65 }, () => node.established.events[0]!),
      ),
    ).toMatchObject({ kind: 'bad', at: 64 });
  });
});
