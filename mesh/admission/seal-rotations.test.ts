import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { rotateIdentity, ROTATION_RANDOM_BYTES } from '#mesh/hcth/rotate-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, TestMesh } from '#test/kit/meshes.ts';
import { decodeChange, encodeChange } from './entries.ts';
import { decideClosing } from './membership-changes.ts';
import { judgePresentedRecord } from './presented-record.ts';
import { memberOf, voterKeysOf } from './registry.ts';
import { decideSeal } from './seal-rotations.ts';
import { VoterLog } from './voter-log.ts';

function rotated(identity: Identity, times = 1): Identity {
  let now = identity;
  for (let round = 0; round < times; round += 1) {
    const next = rotateIdentity(crypto, now.established, now.nextSeed!, now.signKey, bytesFor(`round ${round}`, ROTATION_RANDOM_BYTES));
    if (next.kind !== 'rotated') throw new Error(next.why);
    now = next.identity;
  }
  return now;
}

const bob = identityOf('bob');

describe('rotations in the ledger', () => {
  test('A-40: once sealed, an older key is stale and a newer one is a member; what was before is unchanged', () => {
    const mesh = new TestMesh();
    mesh.join('bob');
    const before = mesh.registry;
    const twice = rotated(bob, 2);
    const change = decideSeal(mesh.registry, twice.established);
    expect(change?.events).toHaveLength(2);
    expect(mesh.commit(change!)).toMatchObject({ kind: 'rotated', member: { name: 'bob' }, rotation: { number: 2, cause: 'planned' } });
    expect(memberOf(mesh.registry, aidOf('bob'))).toMatchObject({ establishment: twice.established.head, rotatedAt: mesh.wall, name: 'bob', role: 'member' });
    const judge = (identity: Identity) => judgePresentedRecord(crypto, mesh.registry, identity.established, null);
    expect(judge(twice)).toMatchObject({ kind: 'member' });
    expect(judge(rotated(bob, 3))).toMatchObject({ kind: 'member' });
    for (const times of [0, 1]) expect(judge(rotated(bob, times))).toMatchObject({ kind: 'refuse', code: 'IDENTITY_STALE' });
    expect(judgePresentedRecord(crypto, before, bob.established, null)).toMatchObject({ kind: 'member' });
    expect(decideSeal(mesh.registry, twice.established)).toBe(undefined);
  });

  test('A-40: a log with another rotation than the sealed one is not stale but wrong', () => {
    const mesh = new TestMesh();
    mesh.join('bob');
    mesh.commit(decideSeal(mesh.registry, rotated(bob).established)!);
    const other = rotateIdentity(crypto, bob.established, bob.nextSeed!, null, bytesFor('other', ROTATION_RANDOM_BYTES));
    if (other.kind !== 'rotated') throw new Error(other.why);
    expect(judgePresentedRecord(crypto, mesh.registry, other.identity.established, null)).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BAD' });
    expect(decideSeal(mesh.registry, other.identity.established)).toBe(undefined);
    expect(mesh.commit({ kind: 'rotate', aid: aidOf('bob'), events: [other.event] })).toMatchObject({
      kind: 'void',
      why: expect.stringContaining('does not continue'),
    });
  });

  test('A-40: rotations of strangers, of somebody else, out of order or signed by another key change nothing', () => {
    const mesh = new TestMesh();
    mesh.join('bob');
    const [one, two] = [rotated(bob), rotated(bob, 2)].map(({ established }) => established.events.at(-1)!) as [never, never];
    const { established } = bob;
    const unsigned = {
      ...makeRotation(crypto, bob.signKey, null, {
        aid: established.aid,
        number: 1,
        previous: established.head,
        staticKey: bytesFor('s', 32),
        nextDigest: bytesFor('n', 32),
      }),
      sig: new Uint8Array(64),
    };
    for (const [aid, events] of [
      [aidOf('cy'), [one]],
      [aidOf('ada'), [one]],
      [aidOf('bob'), [two]],
      [aidOf('bob'), [one, one]],
      [aidOf('bob'), [unsigned]],
    ] as const) {
      const members = mesh.registry.members;
      expect(mesh.commit({ kind: 'rotate', aid, events }).kind).toBe('void');
      expect(mesh.registry.members).toBe(members);
    }
  });

  test('A-40: the founder’s rotations are verified in full and change the key that decides', () => {
    const mesh = new TestMesh();
    const after = rotated(mesh.ada, 2);
    const keyNow = () => voterKeysOf(mesh.registry)(aidOf('ada'))?.[0];
    expect(keyNow()).toEqual(mesh.ada.signKey.publicKey);
    const stolen = crypto.signKey(bytesFor('stolen', 32));
    const { established } = mesh.ada;
    const forged = makeRotation(crypto, stolen, mesh.ada.signKey, {
      aid: established.aid,
      number: 1,
      previous: established.head,
      staticKey: bytesFor('s', 32),
      nextDigest: bytesFor('n', 32),
    });
    expect(mesh.commit({ kind: 'rotate', aid: aidOf('ada'), events: [forged] })).toMatchObject({ kind: 'void', why: expect.stringContaining('does not hold') });
    expect(keyNow()).toEqual(mesh.ada.signKey.publicKey);
    mesh.commit(decideSeal(mesh.registry, after.established)!);
    expect(keyNow()).toEqual(after.signKey.publicKey);
    // What the old key signs from now on is nothing.
    const { token } = mesh.invite();
    const decision = mesh.judge('bob', { kind: 'token', tokenId: token.tokenId });
    if (decision.kind !== 'admit') throw new Error('the token is good');
    expect(mesh.commit(mesh.sign(decision))).toMatchObject({ kind: 'void', why: expect.stringContaining('signature') });
  });

  test('A-40: the key for an entry follows the entries; the sealing entry has the key that it brings in', () => {
    const mesh = new TestMesh();
    const after = rotated(mesh.ada, 2);
    const log = new VoterLog(crypto, [mesh.ada.established]);
    const voter = aidOf('ada');
    const seal = { ...encodeChange(decideSeal(mesh.registry, after.established)!), voter };
    const other = { ...encodeChange({ kind: 'rename', aid: aidOf('bob'), name: 'bob' }), voter };
    expect(log.keyFor(other)).toEqual(mesh.ada.signKey.publicKey);
    expect(log.keyFor(seal)).toEqual(after.signKey.publicKey);
    const broken = { ...seal, body: seal.body.map((byte, at) => (at === 120 ? byte ^ 1 : byte)) };
    expect(log.keyFor(broken)).toBe(undefined);
    log.took(seal);
    log.took(seal);
    expect(log.keyFor(other)).toEqual(after.signKey.publicKey);
    expect(log.keysOf(voter)).toHaveLength(3);
    expect(log.keyFor({ ...other, voter: aidOf('bob') }), 'no voter').toBe(undefined);
  });

  test('A-40: more rotations than an entry holds take several', () => {
    const mesh = new TestMesh();
    mesh.join('bob');
    const many = rotated(bob, 20);
    const counts: number[] = [];
    for (let change = decideSeal(mesh.registry, many.established); change !== undefined; change = decideSeal(mesh.registry, many.established)) {
      counts.push(change.events.length);
      expect(encodeChange(change).body.length).toBeLessThanOrEqual(3_072);
      mesh.commit(change);
    }
    expect(counts).toEqual([8, 8, 4]);
  });
});

describe('closed identities', () => {
  test('A-41: closed with its successor, barred, and never admitted again; not a voter, not by itself', () => {
    const mesh = new TestMesh();
    mesh.join('bob');
    mesh.join('cy');
    const decision = decideClosing(mesh.registry, aidOf('bob'), aidOf('cy'), aidOf('ada'));
    if (decision.kind !== 'remove') throw new Error(decision.why);
    expect(mesh.commit(decision.change)).toMatchObject({ kind: 'removed', removed: { how: 'close', successor: aidOf('cy'), at: mesh.wall } });
    expect(judgePresentedRecord(crypto, mesh.registry, bob.established, null)).toMatchObject({
      kind: 'refuse',
      code: 'IDENTITY_BARRED',
      why: expect.stringContaining('has taken its place'),
    });
    const { token } = mesh.invite();
    expect(mesh.judge('bob', { kind: 'token', tokenId: token.tokenId })).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BARRED' });
    expect(decideClosing(mesh.registry, aidOf('ada'), null, aidOf('cy')).kind).toBe('refuse');
    expect(decideClosing(mesh.registry, aidOf('cy'), null, aidOf('cy')).kind).toBe('refuse');
    expect(decideClosing(mesh.registry, aidOf('bob'), null, aidOf('ada')).kind).toBe('refuse');
    expect(mesh.commit({ kind: 'close', aid: aidOf('ada'), successor: null, by: aidOf('cy') })).toMatchObject({ kind: 'void' });
    expect(mesh.commit({ kind: 'close', aid: aidOf('cy'), successor: aidOf('cy'), by: aidOf('ada') })).toMatchObject({ kind: 'void' });
  });

  test('A-40, A-41: both entries read back as written, and a malformed one is none', () => {
    for (const change of [
      { kind: 'close', aid: aidOf('bob'), successor: null, by: aidOf('ada') },
      { kind: 'close', aid: aidOf('bob'), successor: aidOf('cy'), by: aidOf('ada') },
      { kind: 'rotate', aid: aidOf('bob'), events: rotated(bob, 2).established.events.slice(1) },
    ] as const) {
      const { kind, body } = encodeChange(change);
      const again = encodeChange(decodeChange(kind, body)!);
      expect([again.kind, hex(again.body)]).toEqual([kind, hex(body)]);
      expect(decodeChange(kind, body.subarray(0, -1))).toBe(undefined);
    }
    expect(decodeChange('rotate', encodeChange({ kind: 'rotate', aid: aidOf('bob'), events: [] }).body)).toBe(undefined);
    const nine = Array.from({ length: 9 }, () => bob.established.events[0]!);
    expect(decodeChange('rotate', encodeChange({ kind: 'rotate', aid: aidOf('bob'), events: nine }).body)).toBe(undefined);
  });
});
