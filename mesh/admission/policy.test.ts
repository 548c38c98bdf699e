import { describe, expect, test } from 'vitest';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { bytesFor, crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, TestMesh } from '#test/kit/meshes.ts';
import { createIdentity } from '#mesh/hcth/create-identity.ts';
import { judgeTokenNumber } from './policy.ts';
import { effectiveRole, memberOf } from './registry.ts';

const asMember = { kind: 'member' } as const;
const request = { kind: 'request' } as const;

describe('admission by token', () => {
  test('A-7: a token admits until it expires by the voter’s clock, whatever the token or its bearer says', () => {
    const home = new TestMesh();
    const { token } = home.invite({ expiresInMs: 60_000 });
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    home.wall = token.expiresAt - 1;
    expect(home.judge('bob', approach)).toMatchObject({ kind: 'admit', draft: { role: 'member', name: 'bob', way: { kind: 'token' } } });
    home.wall = token.expiresAt;
    expect(home.judge('bob', approach)).toMatchObject({ kind: 'refuse', code: 'TOKEN_EXPIRED' });
    home.wall = token.expiresAt + 2_500;
    expect(judgeTokenNumber(home.registry, token.tokenId, home.wall)).toMatchObject({
      kind: 'refuse',
      code: 'TOKEN_EXPIRED',
      why: expect.stringContaining('3 s ago'),
    });
  });

  test('A-8: of two uses of a single-use token that were decided at once, the ledger keeps one', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    const [first, second] = [home.judge('bob', approach), home.judge('eve', approach)];
    if (first.kind !== 'admit' || second.kind !== 'admit') throw new Error('both are admitted before either is committed');
    expect(home.commit(home.sign(first)).kind).toBe('admitted');
    expect(home.commit(home.sign(second))).toMatchObject({ kind: 'void', change: 'admit', why: expect.stringMatching(/ is used$/) });
    expect([...home.registry.members.values()].map(({ name }) => name)).toEqual(['ada', 'bob']);
  });

  test('A-8: a token of three uses admits three', () => {
    const home = new TestMesh();
    const { token } = home.invite({ uses: 3 });
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    for (const name of ['bob', 'cy', 'dee']) expect(home.admit(name, approach).kind).toBe('admitted');
    expect(home.judge('eve', approach)).toMatchObject({ kind: 'refuse', code: 'TOKEN_USED', alarm: null });
  });

  test('A-9: the machine that used a token comes again with it, before or after expiry, and is simply a member', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    home.admit('bob', approach);
    expect(judgeTokenNumber(home.registry, token.tokenId, home.wall).kind).toBe('go');
    expect(home.judge('bob', approach)).toMatchObject({ kind: 'member', member: { name: 'bob' } });
    home.wall = token.expiresAt;
    expect(home.judge('bob', approach).kind).toBe('member');
  });

  test('A-10: a used token shown by another machine is refused, and the alarm names both', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    home.admit('bob', approach);
    const decision = home.judge('eve', approach);
    expect(decision).toMatchObject({ kind: 'refuse', code: 'TOKEN_USED', alarm: { code: 'TOKEN_REUSED', first: aidOf('bob'), second: aidOf('eve') } });
    if (decision.kind !== 'refuse') throw new Error('refused');
    expect(decision.alarm!.text).toContain(fingerprintOf(aidOf('bob')));
    expect(decision.alarm!.text).toContain(fingerprintOf(aidOf('eve')));
  });

  test('A-10: a first user below T2 is suspended until a person confirms it; later it is only reported', () => {
    for (const level of [0, 1, 2, 3, 4] as const) {
      const home = new TestMesh();
      const { token } = home.invite();
      const approach = { kind: 'token', tokenId: token.tokenId } as const;
      home.admit('bob', approach);
      home.level = level;
      const decision = home.judge('eve', approach);
      if (decision.kind !== 'refuse' || decision.alarm === null) throw new Error('an alarm');
      expect(decision.alarm.suspend === null, `at T${level}`).toBe(level >= 2);
      if (decision.alarm.suspend === null) continue;
      expect(home.commit(decision.alarm.suspend).kind).toBe('suspended');
      expect(effectiveRole(memberOf(home.registry, aidOf('bob'))!)).toBe('quarantine');
      const again = home.judge('eve', approach);
      expect(again).toMatchObject({ alarm: { suspend: null } });
      expect(home.commit({ kind: 'confirm', aid: aidOf('bob'), by: aidOf('ada') }).kind).toBe('confirmed');
      expect(effectiveRole(memberOf(home.registry, aidOf('bob'))!)).toBe('member');
    }
  });

  test('A-11: an unknown token is bad; a revoked one is over', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    expect(home.judge('bob', { kind: 'token', tokenId: bytesFor('unknown', 8) })).toMatchObject({ kind: 'refuse', code: 'TOKEN_BAD' });
    expect(home.commit({ kind: 'token-revoke', tokenId: token.tokenId, by: aidOf('ada') }).kind).toBe('token-revoked');
    expect(home.judge('bob', { kind: 'token', tokenId: token.tokenId })).toMatchObject({
      kind: 'refuse',
      code: 'TOKEN_EXPIRED',
      why: expect.stringContaining('revoked'),
    });
  });

  test('A-12: a machine gets the lower of what it asks for and what the token allows', () => {
    for (const [ceiling, wanted, granted] of [
      ['member', 'voter', 'member'],
      ['voter', 'member', 'member'],
      ['voter', 'voter', 'voter'],
      ['observer', 'member', 'observer'],
    ] as const) {
      const home = new TestMesh();
      const { token } = home.invite({ role: ceiling });
      expect(home.judge('bob', { kind: 'token', tokenId: token.tokenId }, { role: wanted })).toMatchObject({ kind: 'admit', draft: { role: granted } });
    }
  });

  test('A-13: a token for one board admits no other', () => {
    const home = new TestMesh();
    const { token } = home.invite({ hardware: '10000000abcdef01' });
    const approach = { kind: 'token', tokenId: token.tokenId } as const;
    expect(home.judge('bob', approach, { hardware: '10000000abcdef02' })).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('bob', approach)).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('bob', approach, { hardware: '10000000abcdef01' }).kind).toBe('admit');
  });
});

describe('the four modes (§2.14)', () => {
  test('A-14: a closed mesh admits nobody, not even by a token from before', () => {
    const home = new TestMesh();
    const { token } = home.invite();
    home.commit({ kind: 'setting', admission: 'closed' });
    expect(home.judge('bob', request)).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('bob', { kind: 'token', tokenId: token.tokenId })).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('ada', asMember).kind).toBe('member');
  });

  test('A-15: in an approving mesh a request leads to the lobby, and past it once a person has approved', () => {
    const home = new TestMesh('approve');
    expect(home.judge('bob', request)).toEqual({ kind: 'lobby' });
    home.lobby.enter({ aid: aidOf('bob'), name: 'bob', role: 'member', address: '', machine: '', capabilities: new Uint8Array(0) }, home.now);
    expect(home.judge('bob', request)).toEqual({ kind: 'lobby' });
    home.lobby.approve(fingerprintOf(aidOf('bob')), aidOf('ada'), home.now);
    expect(home.admit('bob', request, { role: 'voter' })).toMatchObject({
      kind: 'admitted',
      member: { role: 'member', way: { kind: 'approval', by: aidOf('ada') } },
    });
  });

  test('A-15: a full lobby refuses with LOBBY_FULL and says when to come again', () => {
    const home = new TestMesh('approve');
    for (let index = 0; index < 16; index += 1)
      home.lobby.enter(
        { aid: bytesFor(`stranger ${index}`, 32), name: 'x', role: 'member', address: '', machine: '', capabilities: new Uint8Array(0) },
        home.now,
      );
    expect(home.judge('bob', request)).toMatchObject({ kind: 'refuse', code: 'LOBBY_FULL', retryAfterMs: 600_000 });
  });

  test('A-18: a denied machine is refused with APPROVAL_DENIED', () => {
    const home = new TestMesh('approve');
    home.lobby.enter({ aid: aidOf('bob'), name: 'bob', role: 'member', address: '', machine: '', capabilities: new Uint8Array(0) }, home.now);
    home.lobby.deny(fingerprintOf(aidOf('bob')), 'not mine', home.now);
    expect(home.judge('bob', request)).toMatchObject({
      kind: 'refuse',
      code: 'APPROVAL_DENIED',
      why: expect.stringContaining('not mine'),
      retryAfterMs: 600_000,
    });
  });

  test('A-19: a mesh that admits by token refuses requests', () => {
    expect(new TestMesh('token').judge('bob', request)).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED', why: expect.stringContaining('invite') });
  });

  test('A-20: an open mesh admits whoever asks, into quarantine', () => {
    const home = new TestMesh('open');
    expect(home.admit('bob', request, { role: 'voter' })).toMatchObject({ kind: 'admitted', member: { role: 'quarantine', way: { kind: 'open' } } });
  });
});

describe('who is never admitted', () => {
  test('A-21: a removed identity is barred for good, by whichever way it comes', () => {
    for (const how of ['leave', 'forget'] as const) {
      const home = new TestMesh('open');
      home.join('bob');
      home.commit({ kind: 'remove', aid: aidOf('bob'), how, by: how === 'leave' ? aidOf('bob') : aidOf('ada') });
      const { token } = home.invite({}, 'another');
      for (const approach of [asMember, request, { kind: 'token', tokenId: token.tokenId } as const])
        expect(home.judge('bob', approach)).toMatchObject({ kind: 'refuse', code: 'IDENTITY_BARRED' });
    }
  });

  test('A-25: whoever looks for another mesh is told so; zeros mean whichever mesh', () => {
    const home = new TestMesh('open');
    expect(home.judge('bob', request, { meshTag: bytesFor('other', 8) })).toMatchObject({ kind: 'refuse', code: 'MESH_MISMATCH' });
    for (const meshTag of [null, new Uint8Array(8), home.mesh.tag]) expect(home.judge('bob', request, { meshTag }).kind).toBe('admit');
  });

  test('A-25: only nodes are admitted, and only members come as members', () => {
    const home = new TestMesh('open');
    const { identity } = createIdentity(
      crypto,
      bytesFor('operator', 112),
      { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(0), facts: new Map() },
      'operator',
    );
    expect(home.judge('x', request, { established: identity.established })).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('bob', asMember)).toMatchObject({ kind: 'refuse', code: 'NOT_PERMITTED' });
    expect(home.judge('ada', asMember, { established: identityOf('ada').established })).toMatchObject({ kind: 'member', member: { voter: true } });
  });
});
