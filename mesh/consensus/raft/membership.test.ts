import { describe, expect, test } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import { Group, LONG, MESH, type Seat, TIMING } from '#test/kit/consensus-group.ts';
import { crypto } from '#test/kit/identities.ts';
import type { ConfigChange } from '../config/change.ts';
import { signSnapshot } from '../snapshot/snapshot.ts';
import type { ConsensusMessage } from './messages.ts';

const others = (group: Group, than: Seat): Seat[] => group.seats.filter((seat) => seat !== than);
const change = (group: Group, at: Seat, wish: ConfigChange) => {
  group.input(at, { kind: 'change', key: group.key(), change: wish });
  return at.answers.at(-1);
};

describe('changes of the configuration', () => {
  test('C-14: not before an entry of the own term is committed; C-15: and one at a time', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = others(group, leader);
    group.passes = (from) => from === leader;
    change(group, leader, { kind: 'remove', id: cyd!.id });
    expect(leader.view.config.voters).not.toContain(cyd!.id);
    expect(change(group, leader, { kind: 'set-quorum', quorum: 2 })).toMatchObject({ kind: 'refused', refusal: { code: 'change-pending' } });
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader.answers.at(-1)).toMatchObject({ kind: 'settled' });
    expect(bob!.view.config.voters).not.toContain(cyd!.id);
  });

  test('C-15: the second voter of two is not removed by the first alone', () => {
    const group = new Group(['ada', 'bob']);
    const leader = group.elect();
    const [bob] = others(group, leader);
    const { commit } = leader.view;
    group.passes = (from) => from === leader;
    change(group, leader, { kind: 'remove', id: bob!.id });
    expect(leader.view.commit).toBe(commit);
    group.passes = () => true;
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader.view.commit).toBeGreaterThan(commit);
    group.passes = () => false;
    group.pass(2 * LONG);
    expect(leader.view.role).toBe('leader');
  });

  test('C-15: a change that would leave nobody to decide is refused', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    const [bob, cyd] = others(group, leader);
    group.passes = (from, to) => from !== cyd && to !== cyd;
    group.pass(TIMING.electionMsMin + TIMING.heartbeatMs);
    expect(change(group, leader, { kind: 'remove', id: bob!.id })).toMatchObject({ kind: 'refused', refusal: { code: 'bad-change' } });
    expect(change(group, leader, { kind: 'remove', id: cyd!.id })).toMatchObject({ kind: 'settled' });
  });

  test('C-17: a learner counts for nothing, is promoted when it has kept up for ten seconds, and a mesh of one grows like this', () => {
    const group = new Group(['ada']);
    const leader = group.elect();
    const bob = group.add('bob');
    for (let turn = 0; turn < 100; turn += 1) group.propose(leader, `${turn}`);
    expect(change(group, leader, { kind: 'add-learner', id: bob.id, promote: true })).toMatchObject({ kind: 'settled' });
    expect(change(group, leader, { kind: 'promote', id: bob.id })).toMatchObject({ kind: 'refused', refusal: { code: 'bad-change' } });
    group.pass(9_500);
    expect(leader.view.config.voters).toEqual([leader.id]);
    expect(bob.view).toMatchObject({ role: 'follower', votes: false, commit: leader.view.commit });
    group.pass(1_500);
    expect(leader.view.config.voters).toEqual([leader.id, bob.id]);
    expect(bob.view.votes).toBe(true);
    // Two voters: neither decides alone.
    group.passes = () => false;
    const { commit } = leader.view;
    group.propose(leader);
    expect(leader.view.commit).toBe(commit);
  });

  test('C-17: a leader that is removed leads until that is committed, and then no more', () => {
    const group = new Group(['ada', 'bob', 'cyd']);
    const leader = group.elect();
    expect(change(group, leader, { kind: 'remove', id: leader.id })).toMatchObject({ kind: 'settled' });
    expect(leader.view.role).toBe('follower');
    group.pass(3 * LONG);
    expect(group.leader?.view.config.voters).toHaveLength(2);
    expect(leader.view.role).toBe('follower');
  });
});

describe('snapshots', () => {
  const limits = { captureEntries: 20, keptEntriesMax: 5, snapshotPieceBytes: 900 };

  /** The layer above: its state is the number of entries that it has applied. */
  const capture = (group: Group, seat: Seat): void => {
    const wanted = seat.committed.filter((committed) => committed.capture).at(-1);
    if (wanted === undefined) return;
    const { index } = wanted.sealed.entry;
    group.input(seat, { kind: 'captured', index, state: utf8(`${'state '.repeat(300)}${index}`) });
  };

  const filled = (): { readonly group: Group; readonly leader: Seat; readonly absent: Seat } => {
    const group = new Group(['ada', 'bob', 'cyd'], { limits });
    const leader = group.elect();
    const [absent] = others(group, leader);
    group.passes = (from, to) => from !== absent && to !== absent;
    for (let turn = 0; turn < 40; turn += 1) {
      group.propose(leader, `${turn}`);
      if (leader.view.commit % 20 === 0) for (const seat of others(group, absent!)) capture(group, seat);
    }
    group.pass(TIMING.heartbeatMs * 2);
    expect(leader.events.some(({ kind }) => kind === 'snapshot-taken')).toBe(true);
    return { group, leader, absent: absent! };
  };

  test('C-30: who is behind the beginning of the log gets the snapshot in pieces, and goes on from there', () => {
    const { group, leader, absent } = filled();
    group.passes = () => true;
    group.pass(LONG);
    expect(absent.events.some(({ kind }) => kind === 'snapshot-installed')).toBe(true);
    expect(leader.sent.filter(({ kind }) => kind === 'snapshot-request').length).toBeGreaterThan(2);
    expect(absent.view.applied).toBe(leader.view.applied);
    group.restart(absent);
    expect(absent.view.commit).toBeGreaterThan(20);
  });

  test('C-30: a snapshot whose digest was not committed, or that nobody signed, is not installed', () => {
    for (const lie of ['bytes', 'signature', 'proof'] as const) {
      const { group, leader, absent } = filled();
      const twist = (message: ConsensusMessage): ConsensusMessage => {
        if (message.kind !== 'snapshot-request') return message;
        if (lie === 'bytes') return { ...message, piece: message.piece.map((byte, at) => (at > 880 ? byte ^ 1 : byte)) };
        if (message.proof === null) return message;
        if (lie === 'signature')
          return { ...message, proof: { ...message.proof, signature: signSnapshot(crypto, absent.identity.signKey, MESH, new Uint8Array(32)) } };
        return { ...message, proof: { ...message.proof, entries: message.proof.entries.slice(0, -1) } };
      };
      group.passes = (from, to, message) => {
        if (to !== absent || message.kind !== 'snapshot-request') return true;
        group.step(absent, { kind: 'receive', from: from.id, message: twist(message) });
        return false;
      };
      group.pass(LONG);
      expect(absent.events.some(({ kind }) => kind === 'snapshot-refused')).toBe(true);
      expect(absent.events.some(({ kind }) => kind === 'snapshot-installed')).toBe(false);
      expect(leader.view.role).toBe('leader');
    }
  });

  test('C-30: whose state is not the one that was committed notices it, and stops being counted', () => {
    const group = new Group(['ada', 'bob', 'cyd'], { limits });
    const leader = group.elect();
    const [bob] = others(group, leader);
    while (leader.view.commit < 20) group.propose(leader, 'x');
    group.input(bob!, { kind: 'captured', index: 20, state: utf8('another state') });
    capture(group, leader);
    group.pass(TIMING.heartbeatMs * 2);
    expect(bob!.events.some(({ kind }) => kind === 'state-diverged')).toBe(true);
    expect(bob!.view.votes).toBe(false);
  });
});
