import { describe, expect, test } from 'vitest';
import { Group, LONG, type Seat, TIMING } from '#test/kit/consensus-group.ts';
import type { ConsensusMessage } from './messages.ts';

const of = <Kind extends ConsensusMessage['kind']>(seat: Seat, kind: Kind): Extract<ConsensusMessage, { kind: Kind }>[] =>
  seat.sent.filter((message): message is Extract<ConsensusMessage, { kind: Kind }> => message.kind === kind);

describe('elections', () => {
  test('C-1: a vote, and the request for one, leave only when the disk has them', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const [ada, bob, cyd] = group.seats;
    ada!.chance = 0;
    for (const later of [bob!, cyd!]) later.chance = 0.99;
    for (const seat of group.seats) group.restart(seat);
    ada!.diskHangs = true;
    group.pass(TIMING.electionMsMin + 200);
    expect(ada!.view).toMatchObject({ role: 'candidate', term: 1 });
    expect(of(ada!, 'vote-request')).toHaveLength(0);
    for (const slow of [bob!, cyd!]) slow.diskHangs = true;
    ada!.diskHangs = false;
    group.confirm(ada!);
    group.input(ada!, { kind: 'tick' });
    expect(of(ada!, 'vote-request')).toHaveLength(2);
    expect(bob!.view.term).toBe(1);
    expect(of(bob!, 'vote-reply')).toHaveLength(0);
    expect(ada!.view.role).toBe('candidate');
    bob!.diskHangs = false;
    group.confirm(bob!);
    group.input(bob!, { kind: 'tick' });
    expect(of(bob!, 'vote-reply')).not.toHaveLength(0);
    expect(ada!.view.role).toBe('leader');
  });

  test('C-3: the election timeout is drawn from the chance of the step, anew for every campaign', () => {
    const { electionMsMin, electionMsMax } = TIMING;
    const group = new Group(['ada', 'bob', 'cyd']);
    const [ada] = group.seats;
    group.pass(TIMING.heartbeatMs);
    group.passes = () => false;
    for (const chance of [0, 0.25, 0.999, 0.25]) {
      group.now = ada!.machine.wakeAt;
      ada!.chance = chance;
      group.input(ada!, { kind: 'tick' });
      expect(ada!.view.role).toBe('pre-candidate');
      expect(ada!.machine.wakeAt - group.now).toBeCloseTo(electionMsMin + chance * (electionMsMax - electionMsMin));
    }
  });

  test('C-4: a voter that returns from isolation has not raised its term, and deposes nobody', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [alone] = group.seats.filter((seat) => seat !== leader);
    const { term } = leader.view;
    group.passes = (from, to) => from !== alone && to !== alone;
    group.pass(10 * LONG);
    expect(of(alone!, 'pre-vote-request').length).toBeGreaterThan(5);
    expect(alone!.view.term).toBe(term);
    group.passes = () => true;
    group.pass(2 * LONG);
    expect(leader.view).toMatchObject({ role: 'leader', term });
  });

  test('C-5: neither a vote nor a pre-vote is given while a leader was heard, and not even the term is taken over', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = group.seats.filter((seat) => seat !== leader);
    const { term } = leader.view;
    const end = { index: 99, term: term + 4 };
    const ask = (transfer: boolean): void =>
      void group.input(bob!, { kind: 'receive', from: cyd!.id, message: { kind: 'vote-request', term: term + 5, end, transfer } });
    const before = bob!.sent.length;
    ask(false);
    expect(bob!.view.term).toBe(term);
    expect(bob!.sent).toHaveLength(before);
    group.input(bob!, { kind: 'receive', from: cyd!.id, message: { kind: 'pre-vote-request', term: term + 5, end } });
    expect(of(bob!, 'pre-vote-reply').at(-1)).toMatchObject({ granted: false, term });
    ask(true);
    expect(of(bob!, 'vote-reply').at(-1)).toMatchObject({ term: term + 5, vote: { body: expect.any(Uint8Array) } });
  });

  test('C-6: a vote goes to nobody whose log is older', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [behind, level] = group.seats.filter((seat) => seat !== leader);
    group.passes = (from, to) => from !== behind && to !== behind;
    group.propose(leader);
    expect(level!.view.commit).toBe(leader.view.commit);
    group.passes = (from, to) => from !== leader && to !== leader;
    for (let turn = 0; turn < 6; turn += 1) group.pass(LONG);
    expect(level!.view.role).toBe('leader');
    expect(behind!.view).toMatchObject({ role: 'follower', commit: level!.view.commit });
  });

  test('C-7: a leader that hears no quorum steps down by itself, also where the others still hear it', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.passes = (_, to) => to !== leader;
    group.pass(TIMING.electionMsMin + 2 * TIMING.heartbeatMs);
    expect(leader.view.role).not.toBe('leader');
    expect(leader.events.some((event) => event.kind === 'stepped-down' && /no quorum was heard/.test(event.why))).toBe(true);
  });

  test('C-8: one vote a term; the same candidate may have it again, nobody else', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    group.pass(TIMING.electionMsMin);
    const [ada, bob, cyd] = group.seats;
    group.passes = () => false;
    const end = { index: 0, term: 0 };
    for (const from of [bob!, cyd!, bob!])
      group.input(ada!, { kind: 'receive', from: from.id, message: { kind: 'vote-request', term: 7, end, transfer: false } });
    // A grant is told to both others, so that either can remind the voter; a refusal to the one that asked.
    expect(of(ada!, 'vote-reply').map(({ vote }) => vote !== null)).toEqual([true, true, false, true, true]);
    group.restart(ada!);
    group.now += TIMING.electionMsMin;
    group.input(ada!, { kind: 'receive', from: bob!.id, message: { kind: 'recover-reply', term: 0, nonce: ada!.incarnation, vote: null } });
    const before = of(ada!, 'vote-reply').length;
    group.input(ada!, { kind: 'receive', from: cyd!.id, message: { kind: 'vote-request', term: 7, end, transfer: false } });
    expect(of(ada!, 'vote-reply').slice(before)).toEqual([{ kind: 'vote-reply', term: 7, vote: null }]);
  });

  test('C-11: a leader gives way: the successor stands at once and wins, and the one that gave way had no lease any more', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.pass(TIMING.heartbeatMs * 2);
    const at = { mono: group.now, wall: 1_700_000_000_000 + group.now };
    expect(leader.machine.lease(at)).not.toBe(null);
    const [heir] = group.seats.filter((seat) => seat !== leader);
    group.passes = (_, __, message) => message.kind !== 'timeout-now';
    group.input(leader, { kind: 'transfer', to: heir!.id });
    expect(leader.machine.lease(at)).toBe(null);
    group.propose(leader);
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'refused', refusal: { code: 'transferring' } });
    group.pass(TIMING.electionMsMax + TIMING.heartbeatMs * 2);
    // It came to nothing: it leads on, and takes proposals, but never again holds the lease in this term.
    expect(leader.view.role).toBe('leader');
    expect(leader.machine.lease({ mono: group.now, wall: 1_700_000_000_000 + group.now })).toBe(null);
    group.passes = () => true;
    group.input(leader, { kind: 'transfer', to: heir!.id });
    expect(heir!.view.role).toBe('leader');
    expect(leader.view).toMatchObject({ role: 'follower', leader: heir!.id });
  });

  test('C-18: who is not in the configuration is not voted for, and one that is there and does not know it yet votes', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    group.pass(TIMING.electionMsMin);
    const stranger = group.add('eve');
    const [ada] = group.seats;
    const end = { index: 0, term: 0 };
    group.input(ada!, { kind: 'receive', from: stranger.id, message: { kind: 'vote-request', term: 9, end, transfer: false } });
    expect(of(ada!, 'vote-reply').at(-1)?.vote).toBe(null);
    // To itself eve is no voter; a candidate that knows better is answered.
    group.now += TIMING.electionMsMin;
    group.pass(TIMING.heartbeatMs * 2);
    group.passes = () => false;
    group.input(stranger, { kind: 'receive', from: ada!.id, message: { kind: 'vote-request', term: 50, end: { index: 5, term: 40 }, transfer: true } });
    expect(of(stranger, 'vote-reply').some(({ vote }) => vote !== null)).toBe(true);
  });
});

describe('votes after a restart', () => {
  test('C-19: a voter that restarted gives no vote and stands in no election for the shortest election timeout', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = group.seats.filter((seat) => seat !== leader);
    group.restart(bob!);
    group.passes = () => false;
    const ask = (): void =>
      void group.input(bob!, {
        kind: 'receive',
        from: cyd!.id,
        message: { kind: 'vote-request', term: leader.view.term + 9, end: { index: 99, term: leader.view.term }, transfer: true },
      });
    const grants = (): number => of(bob!, 'vote-reply').filter(({ vote, term }) => vote !== null && term > leader.view.term).length;
    expect(bob!.view.recovered).toBe(true);
    group.now += TIMING.electionMsMin - 1;
    ask();
    expect(grants()).toBe(0);
    group.now += 1;
    ask();
    expect(grants()).toBeGreaterThan(0);
  });

  test('C-20: a voter asks a quorum what it knows before it votes; a cold start of all does not wait for itself', () => {
    const group = new Group(['ada', 'bob', 'cyd', 'dee', 'eli']);
    group.elect();
    const [ada, bob] = group.seats;
    group.passes = (from, to) => (from === ada || to === ada) && (from === bob || to === bob);
    group.restart(ada!);
    group.pass(3 * LONG);
    expect(ada!.view).toMatchObject({ recovered: false, votes: false });
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    expect(ada!.view.recovered).toBe(true);
    for (const seat of group.seats) group.restart(seat);
    expect(group.elect().view.term).toBeGreaterThan(1);
  });

  test('C-20: a vote that the disk confirmed and lost is learnt from those who hold it, and no second one is given in that term', () => {
    const group = new Group(['ada', 'bob', 'cyd', 'dee']);
    group.pass(TIMING.electionMsMin);
    const [ada, bob, cyd] = group.seats;
    const before = ada!.stored;
    const end = { index: 0, term: 0 };
    group.passes = (_, __, { kind }) => kind === 'vote-reply';
    group.input(ada!, { kind: 'receive', from: bob!.id, message: { kind: 'vote-request', term: 3, end, transfer: false } });
    expect(ada!.stored.hard).toMatchObject({ term: 3, vote: bob!.id });
    group.passes = (_, __, { kind }) => kind === 'recover-request' || kind === 'recover-reply';
    group.restart(ada!, before);
    expect(ada!.view).toMatchObject({ recovered: true, term: 3 });
    expect(ada!.events.some((event) => event.kind === 'damaged' && event.why.includes('term 3'))).toBe(true);
    group.now += TIMING.electionMsMin;
    const count = of(ada!, 'vote-reply').length;
    group.input(ada!, { kind: 'receive', from: cyd!.id, message: { kind: 'vote-request', term: 3, end, transfer: false } });
    expect(
      of(ada!, 'vote-reply')
        .slice(count)
        .filter(({ vote }) => vote !== null),
    ).toEqual([]);
  });

  test('C-21: two votes of one voter in one term and one life are found, and are the proof', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    group.pass(TIMING.electionMsMin);
    const [ada, bob, cyd] = group.seats;
    const end = { index: 0, term: 0 };
    const before = ada!.stored;
    group.passes = (from, to, { kind }) => kind === 'vote-reply' && from === ada && to === bob;
    group.input(ada!, { kind: 'receive', from: bob!.id, message: { kind: 'vote-request', term: 3, end, transfer: false } });
    // A copy of the same life votes for somebody else.
    ada!.incarnation -= 1;
    group.restart(ada!, before);
    for (const from of [bob!, cyd!])
      group.input(ada!, { kind: 'receive', from: from.id, message: { kind: 'recover-reply', term: 0, nonce: ada!.incarnation, vote: null } });
    group.now += TIMING.electionMsMin;
    group.input(ada!, { kind: 'receive', from: cyd!.id, message: { kind: 'vote-request', term: 3, end, transfer: false } });
    const found = bob!.events.find((event) => event.kind === 'voted-twice');
    expect(found).toMatchObject({
      voter: ada!.id,
      votes: [
        { candidate: bob!.id, term: 3 },
        { candidate: cyd!.id, term: 3 },
      ],
    });
  });

  test('C-22: who lost state that it had kept does not vote and is not counted until the others have taken it out and in again', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = group.seats.filter((seat) => seat !== leader);
    group.propose(leader);
    group.restart(bob!, { ...bob!.stored, entries: [], intact: false, hard: { term: 0, vote: null, commit: 0, damagedSince: null } });
    expect(bob!.view).toMatchObject({ damaged: true, votes: false });
    // With the third away nothing is committed: the damaged one gets the entries, and does not count.
    group.passes = (from, to) => from !== cyd && to !== cyd;
    const { commit } = leader.view;
    group.propose(leader);
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader.view.commit).toBe(commit);
    group.passes = () => true;
    group.pass(4 * TIMING.heartbeatMs);
    expect(leader.view.config.voters).not.toContain(bob!.id);
    expect(bob!.view.damaged).toBe(false);
    group.pass(12_000);
    expect(leader.view.config.voters).toContain(bob!.id);
    expect(bob!.view.votes).toBe(true);
    // And it stays known through restarts, until then.
    group.restart(cyd!, { ...cyd!.stored, intact: false });
    group.passes = () => false;
    group.restart(cyd!);
    expect(cyd!.view.damaged).toBe(true);
  });
});
