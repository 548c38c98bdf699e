import { describe, expect, test } from 'vitest';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { extendEstablishment } from '#mesh/hcth/establishment.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, TestMesh, WALL } from '#test/kit/meshes.ts';
import { genesisVoterKeys, makeMembershipRecord, type MembershipRecord, verifyMembershipRecord } from './membership-record.ts';
import { judgePresentedRecord } from './presented-record.ts';
import { verifyMembership } from './welcome.ts';

const mesh = meshOf();
const rogue = meshOf(['eve']);
const bob = identityOf('bob');

function recordOf(name: string, more: Partial<MembershipRecord> = {}, signer = 'ada', signKey = identityOf(signer).signKey): Uint8Array {
  const { aid, head } = identityOf(name).established;
  const key = identityOf(signer);
  return makeMembershipRecord(crypto, signKey, {
    meshId: mesh.id,
    aid,
    establishment: head,
    role: 'member',
    name,
    way: { kind: 'open' },
    voter: key.established.aid,
    at: WALL,
    basis: 7,
    ...more,
  });
}

/** The same identity after a rotation of its keys. */
function rotated(name: string) {
  const identity = identityOf(name);
  const next = crypto.signKey(identity.nextSeed!);
  const event = makeRotation(crypto, next, identity.signKey, {
    aid: identity.established.aid,
    number: 1,
    previous: identity.established.head,
    staticKey: bytesFor('static', 32),
    nextDigest: bytesFor('next', 32),
  });
  const verdict = extendEstablishment(crypto, identity.established, event);
  if (verdict.kind === 'bad') throw new Error(verdict.why);
  return verdict.established;
}

describe('the welcome', () => {
  const told = { self: bob.established, meshId: mesh.id, meshTag: mesh.tag, pins: [aidOf('ada')], host: null };

  test('A-3: a machine believes the mesh it was told to join, and a record about itself by a voter of it', () => {
    expect(verifyMembership(crypto, mesh.bytes, recordOf('bob'), told)).toMatchObject({
      kind: 'welcome',
      mesh: { id: mesh.id },
      record: { name: 'bob', role: 'member', basis: 7 },
    });
    expect(verifyMembership(crypto, mesh.bytes, recordOf('bob'), { ...told, meshId: null, meshTag: null, pins: [] }).kind).toBe('welcome');
  });

  test('A-3: another mesh is refused by its id, by its tag and by its founders', () => {
    const foreign = recordOf('bob', { meshId: rogue.id }, 'eve');
    for (const expected of [told, { ...told, meshId: null }, { ...told, meshId: null, meshTag: new Uint8Array(8) }])
      expect(verifyMembership(crypto, rogue.bytes, foreign, expected)).toMatchObject({ kind: 'refuse', code: 'MESH_MISMATCH' });
    expect(verifyMembership(crypto, rogue.bytes, foreign, { ...told, meshId: null, meshTag: null, pins: [] }).kind).toBe('welcome');
  });

  test('A-3: a record about somebody else, by somebody else, or about keys never had is refused', () => {
    for (const record of [
      recordOf('cy'),
      recordOf('bob', {}, 'eve'),
      recordOf('bob', { meshId: rogue.id }),
      recordOf('bob', { establishment: bytesFor('other', 32) }),
      new Uint8Array(9),
    ])
      expect(verifyMembership(crypto, mesh.bytes, record, told)).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BAD' });
  });

  test('A-3: a founder that has rotated since signs with its present key, which it has just proved', () => {
    const host = rotated('ada');
    const signed = recordOf('bob', {}, 'ada', crypto.signKey(identityOf('ada').nextSeed!));
    expect(verifyMembership(crypto, mesh.bytes, signed, told)).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BAD' });
    expect(verifyMembership(crypto, mesh.bytes, signed, { ...told, host }).kind).toBe('welcome');
    expect(verifyMembership(crypto, mesh.bytes, signed, { ...told, host: rotated('eve') })).toMatchObject({ kind: 'refuse' });
  });

  test('A-3: a machine that rotated its keys meanwhile is still welcome', () => {
    expect(verifyMembership(crypto, mesh.bytes, recordOf('bob'), { ...told, self: rotated('bob') }).kind).toBe('welcome');
  });
});

describe('the membership record', () => {
  test('A-4: verifies in its mesh, by the key of a voter it names, and with no bit changed', () => {
    const bytes = recordOf('bob', { way: { kind: 'token', tokenId: bytesFor('t', 8) } });
    expect(verifyMembershipRecord(crypto, bytes, mesh.id, genesisVoterKeys(mesh))).toMatchObject({
      kind: 'valid',
      record: { way: { kind: 'token', tokenId: bytesFor('t', 8) } },
    });
    expect(verifyMembershipRecord(crypto, bytes, rogue.id, genesisVoterKeys(mesh)).kind).toBe('bad');
    for (let at = 0; at < bytes.length; at += 1) {
      const damaged = bytes.slice();
      damaged[at]! ^= 0x10;
      expect(verifyMembershipRecord(crypto, damaged, mesh.id, genesisVoterKeys(mesh)).kind, `byte ${at}`).toBe('bad');
    }
  });

  test('A-4: a name that is none is no record', () => {
    for (const name of ['', '\u001b[31m', 'a b', 'x'.repeat(64), 'ABCD-EFGH-IJKL-MNOP'])
      expect(verifyMembershipRecord(crypto, recordOf('bob', { name }), mesh.id, genesisVoterKeys(mesh)).kind, name).toBe('bad');
  });
});

describe('a peer that comes as a member (mode 0)', () => {
  test('A-24: is one by the ledger, or by the record it carries where the ledger is behind', () => {
    const home = new TestMesh();
    expect(judgePresentedRecord(crypto, home.registry, bob.established, recordOf('bob'))).toMatchObject({ kind: 'member', by: 'record', role: 'member' });
    home.join('bob');
    expect(judgePresentedRecord(crypto, home.registry, bob.established, null)).toMatchObject({ kind: 'member', by: 'ledger' });
    expect(judgePresentedRecord(crypto, home.registry, rotated('bob'), null)).toMatchObject({ kind: 'member', by: 'ledger' });
    expect(judgePresentedRecord(crypto, home.registry, home.ada.established, null)).toMatchObject({ kind: 'member', role: 'voter' });
  });

  test('A-24: a known removal outweighs its record', () => {
    const home = new TestMesh();
    home.join('bob');
    home.commit({ kind: 'remove', aid: aidOf('bob'), how: 'forget', by: aidOf('ada') });
    expect(judgePresentedRecord(crypto, home.registry, bob.established, recordOf('bob'))).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BARRED' });
  });

  test('A-24: nothing, another one’s record or a foreign signature makes no member', () => {
    const { registry } = new TestMesh();
    for (const record of [null, recordOf('cy'), recordOf('bob', {}, 'eve'), recordOf('bob', { meshId: rogue.id }), new Uint8Array(40)])
      expect(judgePresentedRecord(crypto, registry, bob.established, record)).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(judgePresentedRecord(crypto, registry, bob.established, recordOf('bob', { establishment: bytesFor('old', 32) }))).toMatchObject({
      kind: 'refuse',
      code: 'IDENTITY_BAD',
    });
  });

  test('A-26: while it is suspended it counts as quarantined, for everybody', () => {
    const home = new TestMesh();
    home.join('bob');
    home.commit({ kind: 'suspend', aid: aidOf('bob'), other: aidOf('eve'), tokenId: new Uint8Array(8) });
    expect(judgePresentedRecord(crypto, home.registry, bob.established, recordOf('bob'))).toMatchObject({ kind: 'member', role: 'quarantine' });
  });
});
