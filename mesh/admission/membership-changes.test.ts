import { describe, expect, test } from 'vitest';
import { crypto } from '#test/kit/identities.ts';
import { aidOf, TestMesh } from '#test/kit/meshes.ts';
import { decidePromotion, decideRemoval, findSuspended, promotion } from './membership-changes.ts';
import { memberOf } from './registry.ts';
import { roleLevelMax, ROLES } from './roles.ts';

const request = { kind: 'request' } as const;

function openMesh(...names: readonly string[]): TestMesh {
  const home = new TestMesh('open');
  for (const name of names) home.admit(name, request);
  return home;
}

describe('promotion out of quarantine', () => {
  test('A-20: from a score of 0.30 on, the best first, at most one an hour', () => {
    const home = openMesh('bob', 'cy');
    const scores = (bob: number, cy: number) => [
      { aid: aidOf('bob'), score: bob },
      { aid: aidOf('cy'), score: cy },
    ];
    expect(decidePromotion(home.registry, scores(2_999, 0), home.wall)).toEqual({ kind: 'none', retryAfterMs: null });
    const decision = decidePromotion(home.registry, scores(3_000, 3_500), home.wall);
    expect(decision).toMatchObject({ kind: 'promote', member: { name: 'cy' } });
    if (decision.kind !== 'promote') throw new Error('promoted');
    expect(home.commit(promotion(crypto, home.ada.signKey, home.registry, decision.member, aidOf('ada'), home.wall))).toMatchObject({
      kind: 'promoted',
      member: { role: 'member' },
    });
    home.wall += 3_599_999;
    expect(decidePromotion(home.registry, scores(9_000, 9_000), home.wall)).toEqual({ kind: 'none', retryAfterMs: 1 });
    const bob = memberOf(home.registry, aidOf('bob'))!;
    expect(home.commit(promotion(crypto, home.ada.signKey, home.registry, bob, aidOf('ada'), home.wall))).toMatchObject({ kind: 'void', change: 'promote' });
    home.wall += 1;
    expect(decidePromotion(home.registry, scores(9_000, 9_000), home.wall)).toMatchObject({ kind: 'promote', member: { name: 'bob' } });
  });

  test('A-20: members, strangers and the suspended are not promoted', () => {
    const home = openMesh('bob');
    home.commit({ kind: 'suspend', aid: aidOf('bob'), other: aidOf('eve'), tokenId: new Uint8Array(8) });
    const candidates = ['ada', 'bob', 'eve'].map((name) => ({ aid: aidOf(name), score: 9_000 }));
    expect(decidePromotion(home.registry, candidates, home.wall)).toEqual({ kind: 'none', retryAfterMs: null });
  });

  test('A-20: quarantine never counts as more than T0, an observer never as more than T1 (§2.13)', () => {
    expect(ROLES.map(roleLevelMax)).toEqual([0, 1, 4, 4]);
  });
});

describe('leaving and being forgotten', () => {
  test('A-27: a member leaves by itself, or a member forgets it; nobody leaves for another', () => {
    const home = new TestMesh();
    home.join('bob');
    home.join('cy');
    expect(decideRemoval(home.registry, aidOf('bob'), aidOf('bob'))).toMatchObject({ kind: 'remove', change: { how: 'leave' }, lastVoter: false });
    expect(decideRemoval(home.registry, aidOf('bob'), aidOf('cy'))).toMatchObject({ kind: 'remove', change: { how: 'forget' } });
    expect(decideRemoval(home.registry, aidOf('bob'), aidOf('eve')).kind).toBe('refuse');
    expect(decideRemoval(home.registry, aidOf('eve'), aidOf('ada')).kind).toBe('refuse');
    expect(home.commit({ kind: 'remove', aid: aidOf('bob'), how: 'leave', by: aidOf('cy') })).toMatchObject({ kind: 'void', why: 'nobody leaves for another' });
  });

  test('A-27: a voter is forgotten by nobody; when the last one leaves that is said beforehand', () => {
    const home = new TestMesh();
    home.join('bob');
    expect(decideRemoval(home.registry, aidOf('ada'), aidOf('bob'))).toMatchObject({ kind: 'refuse', why: expect.stringContaining('voter') });
    expect(home.commit({ kind: 'remove', aid: aidOf('ada'), how: 'forget', by: aidOf('bob') }).kind).toBe('void');
    const decision = decideRemoval(home.registry, aidOf('ada'), aidOf('ada'));
    expect(decision).toMatchObject({ kind: 'remove', lastVoter: true });
    if (decision.kind === 'remove') expect(home.commit(decision.change).kind).toBe('removed');
    expect(home.registry.members.size).toBe(1);
  });

  test('A-26: a suspended member is found by its complete fingerprint only, until it is confirmed', () => {
    const home = new TestMesh();
    home.join('bob');
    const { fingerprint } = memberOf(home.registry, aidOf('bob'))!;
    expect(findSuspended(home.registry, fingerprint)).toBeUndefined();
    home.commit({ kind: 'suspend', aid: aidOf('bob'), other: aidOf('eve'), tokenId: new Uint8Array(8) });
    expect(findSuspended(home.registry, fingerprint.toLowerCase())).toMatchObject({ name: 'bob' });
    expect(findSuspended(home.registry, fingerprint.slice(0, 9))).toBeUndefined();
    expect(findSuspended(home.registry, 'bob')).toBeUndefined();
  });
});
