import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, meshOf, TestMesh, WALL } from '#test/kit/meshes.ts';
import { applyEntry, type CommittedEntry, foldEntries, foundRegistry } from './apply-entry.ts';
import { decodeChange, encodeChange, type LedgerChange } from './entries.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { makeMembershipRecord, type MembershipRecord } from './membership-record.ts';
import { findMember, isNameTaken, memberOf, tokenOf, votersOf } from './registry.ts';

const mesh = meshOf();
const ada = identityOf('ada');

function record(name: string, more: Partial<MembershipRecord> = {}, key = ada.signKey): Uint8Array {
  const { aid, head } = identityOf(name).established;
  return makeMembershipRecord(crypto, key, {
    meshId: mesh.id,
    aid,
    establishment: head,
    role: 'member',
    name,
    way: { kind: 'approval', by: ada.established.aid },
    voter: ada.established.aid,
    at: WALL,
    basis: 1,
    ...more,
  });
}

const aid = fc.constantFrom('ada', 'bob', 'cy', 'dee').map(aidOf);
const tokenId = fc.constantFrom('one', 'two').map((name) => bytesFor(name, 8));
const change: fc.Arbitrary<LedgerChange> = fc.oneof(
  fc.record({ kind: fc.constant('admit' as const), record: fc.constantFrom('bob', 'cy', 'dee').map((name) => record(name)) }),
  fc.record({
    kind: fc.constant('admit' as const),
    record: fc.constantFrom('bob', 'cy').map((name) => record(name, { way: { kind: 'token', tokenId: bytesFor('one', 8) } })),
  }),
  fc.record({ kind: fc.constant('promote' as const), record: fc.constantFrom('bob', 'cy').map((name) => record(name, { way: { kind: 'open' } })) }),
  fc.record({
    kind: fc.constant('token' as const),
    tokenId,
    expiresAt: fc.integer({ min: WALL, max: WALL + 100_000 }),
    uses: fc.integer({ min: 1, max: 2 }),
    role: fc.constantFrom('member' as const, 'observer' as const),
    label: fc.option(fc.string({ maxLength: 20 })),
    hardware: fc.constant(null),
    by: aid,
  }),
  fc.record({ kind: fc.constant('token-revoke' as const), tokenId, by: aid }),
  fc.record({ kind: fc.constant('suspend' as const), aid, other: aid, tokenId }),
  fc.record({ kind: fc.constant('confirm' as const), aid, by: aid }),
  // Half of the removals are proper ones, so that some take place in every run.
  fc.record({ kind: fc.constant('remove' as const), aid, how: fc.constantFrom('leave' as const, 'forget' as const), by: aid }),
  fc.constantFrom('bob', 'cy').map((name) => ({ kind: 'remove' as const, aid: aidOf(name), how: 'leave' as const, by: aidOf(name) })),
  fc.record({ kind: fc.constant('rename' as const), aid, name: fc.constantFrom('kitchen', 'ADA', 'bob', '', 'a b') }),
  fc.record({ kind: fc.constant('setting' as const), admission: fc.constantFrom('closed' as const, 'approve' as const, 'token' as const, 'open' as const) }),
);

const committed = (changes: readonly LedgerChange[]): readonly CommittedEntry[] => [
  { index: 1, kind: 'genesis', body: mesh.bytes, at: WALL },
  ...changes.map((one, index) => ({ index: index + 2, at: WALL + index * 5_000, ...encodeChange(one) })),
];

function fold(entries: readonly CommittedEntry[]) {
  const folded = foldEntries(crypto, entries, mesh.id);
  if (folded.kind === 'bad') throw new Error(folded.why);
  return folded;
}

describe('the ledger folded into the registry', () => {
  test('A-23: the same entries give the same registry, in one go, one by one, or with repetitions', () => {
    let effects = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.nat(30), (changes, again) => {
        const entries = committed(changes);
        const folded = fold(entries);
        let { registry } = fold(entries.slice(0, 1));
        for (const entry of entries.slice(1)) {
          const applied = applyEntry(crypto, registry, entry);
          if (applied.effect.kind !== 'void') effects += 1;
          registry = applied.registry;
        }
        for (const entry of entries.slice(1, again)) registry = applyEntry(crypto, registry, entry).registry;
        expect(registry).toEqual(folded.registry);
      }),
      { numRuns: 60 },
    );
    expect(effects).toBeGreaterThan(0);
  });

  test('A-23: whatever is committed, nobody is both member and removed, names are unique, and uses do not exceed what was allowed', () => {
    let removals = 0;
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const joined = ['bob', 'cy'].map((name) => ({ kind: 'admit' as const, record: record(name) }));
        const { members, removed, tokens } = fold(committed([...joined, ...changes])).registry;
        removals += removed.size;
        for (const text of members.keys()) expect(removed.has(text)).toBe(false);
        expect(new Set([...members.values()].map(({ name }) => name.toLowerCase())).size).toBe(members.size);
        for (const token of tokens.values()) expect(token.usedBy.length).toBeLessThanOrEqual(token.uses);
      }),
      { numRuns: 60 },
    );
    expect(removals).toBeGreaterThan(0);
  });

  test('A-23: an entry that breaks a rule changes nothing but the index, and says why', () => {
    const before = foundRegistry(mesh);
    const rules: readonly (readonly [LedgerChange, string])[] = [
      [{ kind: 'genesis', genesis: mesh.bytes }, 'a mesh has one genesis'],
      [{ kind: 'admit', record: record('ada') }, 'is a member already'],
      [{ kind: 'admit', record: record('bob', { meshId: bytesFor('other', 32) }) }, 'is that of another mesh'],
      [{ kind: 'admit', record: record('bob', { voter: aidOf('bob') }, identityOf('bob').signKey) }, 'not signed by a voter'],
      [{ kind: 'admit', record: record('bob', {}, identityOf('bob').signKey) }, 'does not bear the signature'],
      [{ kind: 'admit', record: record('bob', { way: { kind: 'open' }, role: 'quarantine' }) }, 'admits nobody unseen'],
      [{ kind: 'admit', record: record('bob', { way: { kind: 'genesis' } }) }, 'is not a founder'],
      [{ kind: 'admit', record: record('bob', { way: { kind: 'token', tokenId: bytesFor('no', 8) } }) }, 'there is no invitation'],
      [{ kind: 'token-revoke', tokenId: bytesFor('no', 8), by: aidOf('ada') }, 'there is no invitation'],
      [{ kind: 'suspend', aid: aidOf('ada'), other: aidOf('bob'), tokenId: bytesFor('no', 8) }, 'a voter is not suspended'],
      [{ kind: 'confirm', aid: aidOf('ada'), by: aidOf('ada') }, 'is not suspended'],
      [{ kind: 'remove', aid: aidOf('bob'), how: 'leave', by: aidOf('bob') }, 'is not a member'],
      [{ kind: 'rename', aid: aidOf('ada'), name: 'ada' }, 'is called ada already'],
    ];
    for (const [one, why] of rules) {
      const { registry, effect } = applyEntry(crypto, before, { index: 2, at: WALL, ...encodeChange(one) });
      expect(effect, why).toMatchObject({ kind: 'void', change: one.kind, why: expect.stringContaining(why) });
      expect(registry).toEqual({ ...before, index: 2 });
    }
  });

  test('A-23: an entry of an unknown kind or with a malformed body is passed over', () => {
    const before = foundRegistry(mesh);
    for (const entry of [
      { kind: 'federation', body: new Uint8Array(3) },
      { kind: 'remove', body: new Uint8Array([0xc1]) },
      { kind: 'token', body: encodeChange({ kind: 'confirm', aid: aidOf('ada'), by: aidOf('ada') }).body },
    ])
      expect(applyEntry(crypto, before, { index: 2, at: WALL, ...entry })).toEqual({ registry: { ...before, index: 2 }, effect: { kind: 'foreign' } });
  });

  test('A-23: a ledger begins with the genesis of the mesh it is expected to be', () => {
    expect(foldEntries(crypto, [])).toEqual({ kind: 'bad', why: 'the ledger is empty' });
    expect(foldEntries(crypto, [{ index: 1, kind: 'token', body: new Uint8Array(0), at: WALL }])).toMatchObject({
      kind: 'bad',
      why: expect.stringContaining('not with its genesis'),
    });
    expect(foldEntries(crypto, committed([]), meshOf(['bob']).id).kind).toBe('bad');
  });

  test('A-23: bodies read back as what was written, and no bytes upset the decoder', () => {
    fc.assert(
      fc.property(change, (one) => {
        const { kind, body } = encodeChange(one);
        expect(decodeChange(kind, body)).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(
        fc.constantFrom('token', 'token-revoke', 'admit', 'suspend', 'confirm', 'remove', 'rename', 'setting', 'x'),
        fc.uint8Array({ maxLength: 200 }),
        (kind, body) => {
          applyEntry(crypto, foundRegistry(mesh), { index: 2, at: WALL, kind, body });
        },
      ),
    );
    expect(decodeChange('admit', new Uint8Array(LIMITS.entryBytesMax + 1))).toBeUndefined();
  });

  test('A-12: the ledger admits nobody above the ceiling of the token', () => {
    const home = new TestMesh();
    const { token } = home.invite({ role: 'observer' });
    const way = { kind: 'token', tokenId: token.tokenId } as const;
    expect(home.commit({ kind: 'admit', record: record('bob', { way, at: home.wall }) })).toMatchObject({
      kind: 'void',
      why: expect.stringContaining('as observer at most'),
    });
    expect(tokenOf(home.registry, token.tokenId)!.usedBy).toEqual([]);
    expect(home.commit({ kind: 'admit', record: record('bob', { way, role: 'observer', at: home.wall }) }).kind).toBe('admitted');
    expect(tokenOf(home.registry, token.tokenId)!.usedBy).toEqual([aidOf('bob')]);
  });

  test('A-21: a removed identity is not admitted again, and keeps its place in the list of the removed', () => {
    const home = new TestMesh();
    home.join('bob');
    expect(home.commit({ kind: 'remove', aid: aidOf('bob'), how: 'forget', by: aidOf('ada') })).toMatchObject({
      kind: 'removed',
      removed: { name: 'bob', how: 'forget' },
    });
    expect(home.commit({ kind: 'admit', record: record('bob', { at: home.wall }) })).toMatchObject({
      kind: 'void',
      why: expect.stringContaining('never admitted again'),
    });
    expect(home.registry.removed.size).toBe(1);
  });

  test('A-22: names decided at once are made different by the ledger, the same everywhere', () => {
    const home = new TestMesh();
    for (const who of ['bob', 'cy', 'dee']) home.commit({ kind: 'admit', record: record(who, { name: 'raspberrypi' }) });
    const names = [...home.registry.members.values()].map(({ name }) => name);
    expect(names.slice(0, 2)).toEqual(['ada', 'raspberrypi']);
    expect(new Set(names).size).toBe(4);
    expect(home.commit({ kind: 'rename', aid: aidOf('cy'), name: 'Ada' })).toMatchObject({ kind: 'renamed', member: { name: expect.stringMatching(/^Ada-/) } });
    expect(isNameTaken(home.registry, 'ada', aidOf('ada'))).toBe(false);
  });

  test('members are found by name in any case, complete fingerprint or identity', () => {
    const home = new TestMesh();
    home.join('bob');
    const bob = memberOf(home.registry, aidOf('bob'))!;
    for (const typed of ['bob', ' BOB ', bob.fingerprint, bob.fingerprint.toLowerCase().replaceAll('-', ''), bob.text])
      expect(findMember(home.registry, typed), typed).toBe(bob);
    for (const typed of ['', 'bo', bob.fingerprint.slice(0, 9), bob.text.slice(0, 20)]) expect(findMember(home.registry, typed), typed).toBeUndefined();
    expect(votersOf(home.registry).map(({ name }) => name)).toEqual(['ada']);
  });

  test('A-28: a mesh makes room for new invitations by forgetting closed ones, never open ones', () => {
    const home = new TestMesh();
    for (let index = 0; index < LIMITS.tokensOpenMax; index += 1) home.invite({ expiresInMs: 60_000 }, `token ${index}`);
    expect(() => home.invite({}, 'one more')).toThrow('256 invitations are open');
    home.wall += 60_000;
    home.invite({}, 'one more');
    for (let round = 0; round < 4; round += 1) {
      for (let index = 0; index < LIMITS.tokensOpenMax - 1; index += 1) home.invite({ expiresInMs: 60_000 }, `token ${round} ${index}`);
      home.wall += 60_000;
    }
    expect(home.registry.tokens.size).toBeLessThanOrEqual(LIMITS.tokensKeptMax);
    expect([...home.registry.tokens.values()].some(({ madeAt }) => madeAt === WALL + 61_000)).toBe(true);
  });

  test('A-28: a mesh of 1 024 members admits no further one', () => {
    const home = new TestMesh('open');
    for (let index = 1; index < LIMITS.membersMax; index += 1) {
      const made = makeMembershipRecord(crypto, ada.signKey, {
        meshId: mesh.id,
        aid: bytesFor(`m${index}`, 32),
        establishment: bytesFor('e', 32),
        role: 'member',
        name: `n${index}`,
        way: { kind: 'approval', by: ada.established.aid },
        voter: ada.established.aid,
        at: WALL,
        basis: 1,
      });
      // The genesis of an open mesh differs; these records are of the approving one.
      home.registry = { ...home.registry, mesh };
      expect(home.commit({ kind: 'admit', record: made }).kind).toBe('admitted');
    }
    expect(home.commit({ kind: 'admit', record: record('bob') })).toMatchObject({ kind: 'void', why: 'the mesh has 1024 members; 1024 are allowed' });
    expect(home.judge('bob', { kind: 'request' }, { meshTag: null })).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
  });
});
