import { utf8 } from '#core/bytes/bytes.ts';
import { describe, expect, test } from 'vitest';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { Group, LONG, type Seat, TIMING } from '#test/kit/consensus-group.ts';
import { sealEntry } from '../entry-codec.ts';
import { FenceGuard } from './fence-guard.ts';
import type { ConsensusMessage } from './messages.ts';

const instant = (group: Group, ahead = 0) => ({ mono: group.now, wall: 1_700_000_000_000 + group.now + ahead });
const others = (group: Group, than: Seat): Seat[] => group.seats.filter((seat) => seat !== than);
const bodies = (seat: Seat): string[] =>
  seat.committed
    .filter(({ sealed, duplicateOf }) => sealed.entry.kind === 'test' && duplicateOf === null)
    .map(({ sealed }) => new TextDecoder().decode(sealed.entry.body));

describe('replication', () => {
  test('C-2: a leader counts itself only when its own disk has confirmed', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = others(group, leader);
    group.passes = (from, to) => from !== cyd && to !== cyd;
    leader.diskHangs = true;
    const { commit } = leader.view;
    group.propose(leader);
    expect(bob!.view.lastIndex).toBe(commit + 1);
    expect(leader.view.commit).toBe(commit);
    leader.diskHangs = false;
    group.confirm(leader);
    expect(leader.view.commit).toBe(commit + 1);
  });

  test('C-9: an entry of an older term is not committed by counting, only with one of the own term (figure 8)', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const first = group.elect();
    const { term, commit } = first.view;
    group.passes = (_, __, { kind }) => kind !== 'append-request';
    group.propose(first, 'old');
    const old = first.view.lastIndex;
    // It falls, and leads again, because nobody else has its entry; what it sends gets lost as before.
    for (let turn = 0; turn < 40 && (first.view.role !== 'leader' || first.view.term === term); turn += 1) group.pass(TIMING.electionMsMin / 4);
    expect(first.view).toMatchObject({ role: 'leader', commit, lastIndex: old + 1 });
    const [bob] = others(group, first);
    const agree = (match: number): void => {
      const message = {
        kind: 'append-reply',
        term: first.view.term,
        round: 1,
        accepted: true,
        match,
        hint: { index: match, term },
        incarnation: 1,
        damaged: false,
      } as const;
      group.input(first, { kind: 'receive', from: bob!.id, message });
    };
    agree(old);
    expect(first.view.commit).toBe(commit);
    agree(old + 1);
    expect(first.view.commit).toBe(old + 1);
    expect(bodies(first)).toEqual(['old']);
  });

  test('C-10: the first entry of a leader is empty and its own; before it is committed there is no lease, no read, no change', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    group.pass(TIMING.electionMsMin);
    group.passes = (_, __, { kind }) => kind !== 'append-reply';
    for (let turn = 0; turn < 400 && group.leader === undefined; turn += 1) group.pass(5);
    const { leader } = group;
    expect(leader).toBeDefined();
    expect(leader!.view).toMatchObject({ commit: 0, lastIndex: 1 });
    expect(leader!.machine.lease(instant(group))).toBe(null);
    group.input(leader!, { kind: 'read', id: 1 });
    expect(leader!.answers.at(-1)).toMatchObject({ kind: 'unreadable', refusal: { code: 'not-ready' } });
    group.input(leader!, { kind: 'change', key: group.key(), change: { kind: 'set-quorum', quorum: 3 } });
    expect(leader!.answers.at(-1)).toMatchObject({ kind: 'refused', refusal: { code: 'not-ready' } });
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader!.machine.lease(instant(group))).toMatchObject({ fence: { term: leader!.view.term, index: 1 } });
    expect(leader!.committed[0]!.sealed.entry).toMatchObject({ kind: 'raft-noop', term: leader!.view.term });
  });

  test('C-12: the lease runs from the sending of what a quorum answered, and ends by itself', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.pass(TIMING.heartbeatMs * 3);
    const sentAt = group.now;
    group.passes = () => false;
    expect(leader.machine.lease(instant(group))!.until).toBeLessThanOrEqual(sentAt + TIMING.leaseMs);
    group.now = sentAt + TIMING.leaseMs - TIMING.heartbeatMs - 1;
    expect(leader.machine.lease(instant(group))).not.toBe(null);
    group.now = sentAt + TIMING.leaseMs;
    expect(leader.machine.lease(instant(group))).toBe(null);
    // The promise of the voters lasts longer than that on any clock within the error.
    expect(TIMING.leaseMs).toBeLessThan((TIMING.electionMsMin * (100 - TIMING.clockErrorPercent)) / 100);
  });

  test('C-13: a clock that jumped, a sleep, a loop that stood still void the lease, until a quorum has answered again', () => {
    for (const trouble of ['jump', 'sleep', 'stall'] as const) {
      const group = new Group(['ada', 'bob', 'cyd']);
      const leader = group.elect();
      group.pass(TIMING.heartbeatMs * 2);
      expect(leader.machine.lease(instant(group))).not.toBe(null);
      if (trouble === 'jump') expect(leader.machine.lease(instant(group, 500))).toBe(null);
      group.passes = () => false;
      if (trouble === 'jump') leader.wallAhead = -5_000;
      if (trouble === 'stall') group.now = leader.machine.wakeAt + TIMING.leaseMs / 4 + 1;
      group.input(leader, trouble === 'sleep' ? { kind: 'suspended' } : { kind: 'tick' });
      expect(leader.events.some(({ kind }) => kind === 'lease-voided')).toBe(true);
      expect(leader.machine.lease(instant(group, leader.wallAhead))).toBe(null);
      group.passes = () => true;
      group.pass(TIMING.heartbeatMs * 2);
      expect(leader.machine.lease(instant(group, leader.wallAhead))).not.toBe(null);
    }
  });

  test('C-23: what is not committed is taken back where the leader has something else, and said so; what is committed never', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.passes = (from) => from !== leader;
    group.propose(leader, 'lost 1');
    group.propose(leader, 'lost 2');
    group.passes = (from, to) => from !== leader && to !== leader;
    group.pass(3 * LONG);
    const next = group.elect();
    group.propose(next, 'kept');
    group.passes = () => true;
    group.pass(3 * TIMING.heartbeatMs);
    expect(leader.events.some((event) => event.kind === 'discarded' && event.through - event.from === 1)).toBe(true);
    expect(bodies(leader)).toEqual(['kept']);
    expect(leader.answers.filter(({ kind }) => kind === 'unknown')).toHaveLength(2);
  });

  test('C-23: an entry is believed for its signature and its place in the chain; a liar changes nothing and stops nothing', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob] = others(group, leader);
    const { term, lastIndex } = bob!.view;
    const forged = (voter: string, previous: Uint8Array) =>
      sealEntry(crypto, identityOf('eve').signKey, {
        ...{ index: lastIndex + 1, term, previous, kind: 'test', body: utf8('forged'), at: 1 },
        ...{ key: group.key(), voter: identityOf(voter).established.aid },
      });
    const head = bob!.committed.at(-1)!.sealed.digest;
    const append = (entries: ReturnType<typeof forged>[]): ConsensusMessage => ({
      ...{ kind: 'append-request', term, previous: { index: lastIndex, term }, commit: lastIndex + 1, round: 999 },
      entries,
    });
    for (const entry of [forged(leader.name, head), forged('eve', head), forged(leader.name, new Uint8Array(32))]) {
      group.input(bob!, { kind: 'receive', from: leader.id, message: append([entry]) });
      expect(bob!.events.at(-1)).toMatchObject({ kind: 'peer-misbehaved', from: leader.id });
      expect(bob!.view).toMatchObject({ lastIndex, commit: lastIndex });
    }
    group.propose(leader, 'true');
    expect(bodies(bob!)).toEqual(['true']);
  });

  test('C-24: a proposal that is made again under its key is answered with its first place and applied once', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const key = group.propose(leader, 'once');
    const index = leader.view.commit;
    group.propose(leader, 'once', key);
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'settled', index });
    expect(leader.view.lastIndex).toBe(index);
    // The outcome was unknown: the first leader fell before it could say, and the second is asked.
    group.passes = (from) => from !== leader;
    const unknown = group.key();
    group.propose(leader, 'twice', unknown);
    const [bob] = others(group, leader);
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    group.input(leader, { kind: 'transfer', to: bob!.id });
    const next = group.elect();
    expect(next).not.toBe(leader);
    group.propose(next, 'twice', unknown);
    for (const seat of group.seats) expect(bodies(seat).filter((body) => body === 'twice')).toHaveLength(1);
    expect(bodies(next).filter((body) => body === 'once')).toHaveLength(1);
  });

  test('C-25: executors refuse a pair of term and index that is lower than the highest they have seen', () => {
    const guard = new FenceGuard();
    expect([guard.admit({ term: 2, index: 7 }), guard.admit({ term: 2, index: 7 }), guard.admit({ term: 2, index: 6 })]).toEqual([true, true, false]);
    expect([guard.admit({ term: 3, index: 1 }), guard.admit({ term: 2, index: 99 })]).toEqual([true, false]);
    expect(new FenceGuard(guard.highest).admit({ term: 2, index: 99 })).toBe(false);
  });

  test('C-28: a read is answered after a quorum has confirmed that nobody else leads, at once under a lease', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.pass(TIMING.heartbeatMs * 2);
    const held: boolean[] = [];
    group.passes = () => false;
    group.input(leader, { kind: 'read', id: 1 });
    held.push(leader.answers.at(-1)?.kind === 'readable');
    group.input(leader, { kind: 'suspended' });
    group.input(leader, { kind: 'read', id: 2 });
    held.push(leader.answers.some((answer) => answer.kind === 'readable' && answer.id === 2));
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    held.push(leader.answers.some((answer) => answer.kind === 'readable' && answer.id === 2));
    expect(held).toEqual([true, false, true]);
    const [bob] = others(group, leader);
    group.input(bob!, { kind: 'read', id: 3 });
    expect(bob!.answers.at(-1)).toMatchObject({ kind: 'unreadable', refusal: { code: 'not-leader', leader: leader.id } });
  });

  test('C-29: a follower far off is found in as many steps as there are terms between, not entries', () => {
    const group = new Group(['ada', 'bob', 'cyd'], { limits: { keptEntriesMax: 10_000, captureEntries: 100_000 } });
    const leader = group.elect();
    const [bob] = others(group, leader);
    group.passes = (from, to) => from !== bob && to !== bob;
    for (let turn = 0; turn < 150; turn += 1) group.propose(leader, `${turn}`);
    group.passes = () => true;
    const refused = (): number => bob!.sent.filter((message) => message.kind === 'append-reply' && !message.accepted).length;
    const before = refused();
    group.pass(TIMING.heartbeatMs * 3);
    expect(bob!.view.commit).toBe(leader.view.commit);
    expect(refused() - before).toBeLessThan(4);
  });
});

describe('bounds', () => {
  test('C-26: a nearly full disk takes no snapshots and nothing bulky; a full one gives leadership away and votes no more', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    group.input(leader, { kind: 'storage', fullness: 'high' });
    const proposal = { key: group.key(), kind: 'test', body: utf8('bulk') };
    group.input(leader, { kind: 'propose', class: 'bulk', proposal });
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'refused', refusal: { code: 'disk-full' } });
    group.propose(leader, 'ordinary');
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'settled' });
    group.input(leader, { kind: 'storage', fullness: 'full' });
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader.view).toMatchObject({ role: 'follower', votes: false });
    expect(group.leader).toBeDefined();
    expect(leader.events.some(({ kind }) => kind === 'release-reserve')).toBe(true);
  });

  test('C-31: a leader whose disk does not confirm steps down though its heartbeats flow; an idle one writes to find out', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    leader.diskHangs = true;
    group.pass(TIMING.probeMs + TIMING.heartbeatMs * 2);
    expect(leader.waiting).toHaveLength(1);
    expect(leader.view.role).toBe('leader');
    group.pass(TIMING.electionMsMin + TIMING.heartbeatMs);
    expect(leader.events.some((event) => event.kind === 'stepped-down' && event.why === 'its disk does not confirm')).toBe(true);
    group.pass(3 * LONG);
    expect(group.leader).toBeDefined();
    expect(group.leader).not.toBe(leader);
  });

  test('C-32: what is proposed and not committed is bounded, and so is what is on the way to one server', () => {
    const group = new Group(['ada', 'bob', 'cyd'], { limits: { uncommittedEntriesMax: 20, appendBytesMax: 600, inflightMessagesMax: 3 } });
    const leader = group.elect();
    group.passes = (from) => from === leader;
    const before = leader.sent.length;
    for (let turn = 0; turn < 30; turn += 1) group.propose(leader, 'x'.repeat(100));
    expect(leader.answers.filter((answer) => answer.kind === 'refused' && answer.refusal.code === 'busy')).toHaveLength(10);
    const sent = leader.sent.slice(before).filter((message) => message.kind === 'append-request' && message.entries.length > 0);
    expect(sent.length).toBeLessThanOrEqual(6);
    group.propose(leader, 'x'.repeat(4_000));
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 3);
    group.propose(leader, 'x'.repeat(4_000));
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'refused', refusal: { code: 'too-large' } });
  });
});
