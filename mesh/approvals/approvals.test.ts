import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { MINUTE, SECOND } from '#core/time/time.ts';
import { ApprovalLog, decisionOf, electorateOf, requestOf, restartOf } from '#test/kit/electorates.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf, WALL } from '#test/kit/meshes.ts';
import { OPERATIONS, operationOf } from './catalogue.ts';
import { verifyCertificate } from './certificate.ts';
import { DecisionCollector } from './collector.ts';
import { encodeDecisions, makeDecision } from './decision.ts';
import { judgeRequest, type VoterKnowledge } from './judge.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { makeOutcome, packOutcome } from './outcome.ts';
import { writeQuorumArgs } from './quorum-args.ts';
import { approvalsFor, approvalsNeeded, quorumSettingFault } from './quorum.ts';
import { cutReason, decodeRequestEntry, encodeRequestEntry, makeRequest } from './request.ts';
import { approvalsDigest, encodeApprovals } from './state.ts';
import { type ExecutorKnowledge, turnOf } from './turn.ts';

const FIVE = ['ada', 'bob', 'cy', 'dee', 'eve'];
const THREE = FIVE.slice(0, 3);
const quorumSet = (operation: 'agent-restart' | 'reboot', quorum: number | null) => ({
  operation: 'quorum-set' as const,
  args: writeQuorumArgs({ operation, quorum }),
  targets: [],
});

/** Three voters, one request that stands in the log. */
function asked(order = restartOf('bob', 'cy'), voters = THREE): { log: ApprovalLog; entry: ReturnType<typeof requestOf> } {
  const log = new ApprovalLog(electorateOf(voters, ['guest']));
  const entry = requestOf('ada', order);
  expect(log.ask(entry)).toEqual(['requested']);
  return { log, entry };
}

describe('the quorum', () => {
  test('Q-3: M of N with c liars is that of the table', () => {
    const row = (liars: number): readonly (number | null)[] => [2, 3, 4, 5, 6, 7].map((voters) => approvalsNeeded(voters, liars));
    expect(row(0)).toEqual([2, 2, 3, 3, 4, 4]);
    expect(row(1)).toEqual([2, 3, 3, 4, 4, 5]);
    expect(row(2)).toEqual([null, 3, 4, 4, 5, 5]);
    expect([2, 3, 4, 5, 6, 7].map((voters) => approvalsFor(undefined, voters))).toEqual([2, 2, 3, 4, 4, 5]);
  });

  test('Q-4: one voter approves nothing', () => {
    const log = new ApprovalLog(electorateOf(['ada'], ['bob']));
    expect(log.ask(requestOf('ada', restartOf('bob')))).toEqual(['void: 1 voter can approve nothing: it takes two']);
    expect(approvalsFor(1, 1)).toBeNull();
  });

  test('Q-8: a quorum out of range is refused with the range', () => {
    expect(quorumSettingFault(2, 5)).toBe('2 approvals are out of range: with 5 voters it can be 3 to 5');
    expect(quorumSettingFault(6, 5)).toContain('3 to 5');
    expect(quorumSettingFault(1, 2)).toContain('only 2');
    expect(quorumSettingFault(2.5, 5)).toContain('3 to 5');
    const log = new ApprovalLog(electorateOf(FIVE));
    expect(log.ask(requestOf('ada', quorumSet('reboot', 2)))).toEqual(['void: 2 approvals are out of range: with 5 voters it can be 3 to 5']);
  });

  test('Q-8: what lowers a quorum takes as many as the command took before', () => {
    const log = new ApprovalLog(electorateOf(FIVE));
    const up = requestOf('ada', quorumSet('agent-restart', 5), {}, 'up');
    log.ask(up);
    expect(
      log.commit(
        up,
        FIVE.slice(0, 4).map((name) => decisionOf(name, up)),
      ),
    ).toEqual(['void: 4 of 5 approvals']);
    expect(
      log.commit(
        up,
        FIVE.map((name) => decisionOf(name, up)),
      ),
    ).toEqual(['certified', 'done']);
    const restart = requestOf('bob', restartOf('cy'));
    log.ask(restart);
    expect(
      log.commit(
        restart,
        FIVE.slice(0, 4).map((name) => decisionOf(name, restart)),
      ),
    ).toEqual(['void: 4 of 5 approvals']);
    const down = requestOf('ada', quorumSet('agent-restart', 3), {}, 'down');
    log.ask(down);
    expect(
      log.commit(
        down,
        FIVE.slice(0, 4).map((name) => decisionOf(name, down)),
      ),
    ).toEqual(['void: 4 of 5 approvals']);
    expect(
      log.commit(
        down,
        FIVE.map((name) => decisionOf(name, down)),
      ),
    ).toEqual(['certified', 'done']);
    expect(
      log.commit(
        restart,
        FIVE.slice(0, 3).map((name) => decisionOf(name, restart)),
      ),
    ).toEqual(['certified']);
  });

  test('Q-8: a setting made among other voters means what it can', () => {
    expect([approvalsFor(5, 3), approvalsFor(2, 7), approvalsFor(4, 5)]).toEqual([3, 4, 4]);
  });
});

describe('what is signed', () => {
  test('Q-1: only a member asks, in this mesh, under its own key', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    expect(log.ask(requestOf('stranger', restartOf('bob')))[0]).toContain('is no member that has signed it');
    expect(log.ask(requestOf('ada', restartOf('bob'), { meshId: new Uint8Array(32) }))).toEqual(['void: it is a request of another mesh']);
    const forged = requestOf('ada', restartOf('bob'), { initiator: aidOf('bob') });
    expect(log.ask(forged)[0]).toContain('is no member that has signed it');
  });

  test('Q-2: an order with other arguments or targets does not belong to the request', () => {
    const entry = requestOf('ada', restartOf('bob', 'cy'));
    for (const order of [restartOf('cy', 'bob'), restartOf('bob'), { ...entry.order, args: Uint8Array.of(1) }])
      expect(decodeRequestEntry(crypto, encodeRequestEntry({ ...entry, order }))).toBeUndefined();
    expect(decodeRequestEntry(crypto, encodeRequestEntry(entry))?.order).toEqual(entry.order);
  });

  test('Q-2: an executor that reads another order refuses it', () => {
    const { log, entry } = asked();
    const verdict = verifyCertificate({
      crypto,
      request: entry.request,
      order: restartOf('cy'),
      certificate: { digest: entry.request.digest, decisions: [decisionOf('ada', entry), decisionOf('bob', entry)] },
      electorate: log.electorate,
      needed: 2,
      requestedAt: WALL,
      index: 2,
      at: WALL,
    });
    expect(verdict).toMatchObject({ kind: 'refused', code: 'order-changed' });
  });

  test('Q-1: a reason is cut behind a whole character', () => {
    expect(cutReason('ä'.repeat(100))).toBe('ä'.repeat(80));
    expect(cutReason(`${'x'.repeat(158)}€`)).toBe('x'.repeat(158));
  });
});

describe('a certificate', () => {
  test('Q-3: two of three distinct voters approve', () => {
    const { log, entry } = asked();
    expect(log.commit(entry, [decisionOf('ada', entry)])).toEqual(['void: 1 of 2 approvals']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('ada', entry, true, true)])).toEqual(['void: a voter is named twice']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('guest', entry)])[0]).toContain('is no voter');
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry, false)])[0]).toContain('is a no');
    const other = requestOf('ada', restartOf('bob', 'cy'), {}, 'another');
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', other)])).toEqual(['void: an approval is for another request']);
    const forged = makeDecision(crypto, identityOf('ada').signKey, { ...decisionOf('bob', entry), voter: aidOf('bob') });
    expect(log.commit(entry, [decisionOf('ada', entry), forged])[0]).toContain('does not bear its signature');
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])).toEqual(['certified']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])[0]).toContain('is certified already');
  });

  test('Q-3: whoever asks and the node where it is asked are one party', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    const entry = requestOf('ada', restartOf('cy'), { host: aidOf('bob') });
    log.ask(entry);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])).toEqual(['void: 1 of 2 approvals']);
    expect(log.commit(entry, [decisionOf('bob', entry), decisionOf('cy', entry)])).toEqual(['certified']);
  });

  test('Q-3: voters of now count, not those of when it was asked', () => {
    const { log, entry } = asked();
    log.electorate = electorateOf(['ada', 'cy', 'dee'], ['bob']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])[0]).toContain('is no voter');
    log.electorate = electorateOf(FIVE);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])).toEqual(['void: 2 of 4 approvals']);
  });

  test('Q-5: whom a command is against has no say', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    const entry = requestOf('ada', { operation: 'member-remove', args: Uint8Array.of(0xc0), targets: [aidOf('bob')] });
    log.ask(entry);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])[0]).toContain('the command is against it');
    expect(log.veto(entry, [decisionOf('bob', entry, false, true)])[0]).toContain('has no say in it');
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry)])).toEqual(['certified', 'done']);
  });

  test('Q-6: some commands take a person', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    const entry = requestOf('ada', { ...restartOf('bob'), operation: 'wipe' });
    log.ask(entry);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry)])).toEqual(['void: no person is among those that approved']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry, true, true)])).toEqual(['certified']);
  });

  test('Q-7: it comes within ten minutes and in its place of the log', () => {
    const late = asked();
    const both = (entry: ReturnType<typeof requestOf>) => [decisionOf('ada', entry), decisionOf('bob', entry)];
    late.log.at += 10 * MINUTE + SECOND;
    expect(late.log.commit(late.entry, both(late.entry))).toEqual(['expired', expect.stringContaining('is expired already')]);
    const log = new ApprovalLog(electorateOf(THREE));
    const entry = requestOf('ada', restartOf('bob'), { notAfterIndex: 2 });
    log.ask(entry);
    log.append('noop', new Uint8Array(0));
    expect(log.commit(entry, both(entry))).toEqual(['expired', expect.stringContaining('is expired already')]);
    expect(log.ask(requestOf('ada', restartOf('bob'), { notAfterIndex: 4 + LIMITS.validityEntries + 1 }, 'long'))[0]).toContain('it is good up to entry');
  });

  test('Q-9: a voter whose score in the log is too low does not count', () => {
    const { log, entry } = asked();
    const voters = log.electorate.voters.map((voter) => ({ ...voter, score: 5_000 }));
    log.electorate = { ...log.electorate, voters, scoreMin: 6_000 };
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('bob', entry)])[0]).toContain('0.5, 0.6 are needed');
  });

  test('Q-10: a person’s veto ends it, and so do noes that leave too few', () => {
    const { log, entry } = asked();
    expect(log.veto(entry, [decisionOf('bob', entry, false)])).toEqual(['void: 2 can still approve it, 2 have to']);
    expect(log.veto(entry, [decisionOf('bob', entry, true, true)])[0]).toContain('is no veto');
    expect(log.veto(entry, [decisionOf('bob', entry, false, true)])).toEqual(['vetoed']);
    expect(log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry)])[0]).toContain('is vetoed already');
    const two = asked();
    expect(two.log.veto(two.entry, [decisionOf('bob', two.entry, false), decisionOf('cy', two.entry, false)])).toEqual(['vetoed']);
  });

  test('Q-11: a request that was seen is never taken again, settled or not', () => {
    const { log, entry } = asked();
    expect(log.ask(entry)[0]).toContain('was seen before');
    log.veto(entry, [decisionOf('bob', entry, false, true)]);
    expect(log.ask(entry)[0]).toContain('was seen before');
  });

  test('Q-11: what is forgotten can no longer be replayed', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    const first = requestOf('ada', restartOf('bob'), { notAfterIndex: 3 }, 'first');
    log.ask(first);
    for (let number = 0; number < LIMITS.settledMax + LIMITS.pendingMax; number += 1) {
      const entry = requestOf('ada', restartOf('bob'), { notAfterIndex: log.approvals.index + 900 }, `${number}`);
      expect(log.ask(entry)).toContain('requested');
      log.veto(entry, [decisionOf('bob', entry, false, true)]);
    }
    expect(log.approvals.requests.has(hex(first.request.id))).toBe(false);
    expect(log.approvals.requests.size).toBeLessThanOrEqual(LIMITS.settledMax + LIMITS.pendingMax);
    expect(log.ask(first)[0]).toContain('it is good up to entry 3');
  });

  test('Q-14: requests that wait are few, of one member and in all', () => {
    const names = ['ada', 'bob', 'cy', 'dee', 'eve', 'fay'];
    const log = new ApprovalLog(electorateOf(names));
    const asks = names.flatMap((name) => [1, 2, 3].map((number) => requestOf(name, restartOf('bob'), {}, `${name} ${number}`)));
    const effects = asks.map((entry) => log.ask(entry)[0]);
    expect(effects.filter((effect) => effect === 'requested')).toHaveLength(LIMITS.pendingMax);
    expect(effects.at(-1)).toContain('16 requests wait already');
    const few = new ApprovalLog(electorateOf(THREE));
    expect([1, 2, 3, 4].map((number) => few.ask(requestOf('ada', restartOf('bob'), {}, `${number}`))[0])[3]).toContain('3 requests of');
  });
});

describe('an executor', () => {
  const knows = (log: ApprovalLog, self: string, more: Partial<ExecutorKnowledge> = {}): ExecutorKnowledge => ({
    crypto,
    electorate: log.electorate,
    self: aidOf(self),
    wall: null,
    sinceCertifiedMs: 0,
    isDoubted: () => false,
    fence: { term: 0, index: 0 },
    ...more,
  });
  function certified(): { log: ApprovalLog; entry: ReturnType<typeof requestOf> } {
    const { log, entry } = asked();
    log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry)]);
    return { log, entry };
  }

  test('Q-12: targets act one after the other, and a failure ends the round', () => {
    const { log, entry } = certified();
    expect(turnOf(log.approvals, knows(log, 'bob')).kind).toBe('execute');
    expect(turnOf(log.approvals, knows(log, 'cy')).kind).toBe('none');
    expect(log.tell(entry, 'guest')[0]).toContain('is no target of it');
    expect(log.tell(entry, 'bob')).toEqual(['outcome']);
    expect(log.tell(entry, 'bob')[0]).toContain('has told its outcome already');
    expect(turnOf(log.approvals, knows(log, 'cy')).kind).toBe('execute');
    expect(log.tell(entry, 'cy', 'failed')).toEqual(['outcome', 'stopped']);
    expect(turnOf(log.approvals, knows(log, 'cy')).kind).toBe('none');
    const good = certified();
    good.log.tell(good.entry, 'bob');
    expect(good.log.tell(good.entry, 'cy')).toEqual(['outcome', 'done']);
  });

  test('Q-13: it acts once, on nothing older than it has acted on, and on nothing old', () => {
    const { log } = certified();
    const turn = (more: Partial<ExecutorKnowledge>) => turnOf(log.approvals, knows(log, 'bob', more));
    expect(turn({ fence: { term: 1, index: 2 } }).kind).toBe('acted');
    expect(turn({ fence: { term: 1, index: 9 } })).toMatchObject({ kind: 'refuse', why: expect.stringContaining('is not behind (1, 9)') as string });
    expect(turn({ fence: { term: 2, index: 1 } }).kind).toBe('refuse');
    expect(turn({ sinceCertifiedMs: 61 * MINUTE })).toMatchObject({ kind: 'refuse', why: expect.stringContaining('61 min ago') as string });
    expect(turn({ sinceCertifiedMs: null })).toMatchObject({ kind: 'refuse', why: expect.stringContaining('no clock') as string });
    expect(turn({ sinceCertifiedMs: null, wall: WALL + MINUTE }).kind).toBe('execute');
    expect(turn({ sinceCertifiedMs: null, wall: WALL + 90 * MINUTE }).kind).toBe('refuse');
  });

  test('Q-13: it believes nobody that it holds for contested, and no voter that is none any more', () => {
    const { log } = certified();
    const doubts = (name: string) => turnOf(log.approvals, knows(log, 'bob', { isDoubted: (aid) => aid.every((byte, at) => byte === aidOf(name)[at]) })).kind;
    expect([doubts('cy'), doubts('ada'), doubts('guest')]).toEqual(['refuse', 'refuse', 'execute']);
    log.electorate = electorateOf(['ada', 'bob', 'dee'], ['cy']);
    expect(turnOf(log.approvals, knows(log, 'bob'))).toMatchObject({ kind: 'refuse', why: expect.stringContaining('is no voter') as string });
  });

  test('Q-12: a round that is not done within an hour ends', () => {
    const { log, entry } = certified();
    log.at += 61 * MINUTE;
    expect(log.append('noop', new Uint8Array(0))).toEqual(['stopped']);
    expect(log.tell(entry, 'bob')[0]).toContain('is stopped already');
  });
});

describe('a voter’s own check', () => {
  const knowledge: VoterKnowledge = { self: aidOf('bob'), initiatorLevel: 3, initiatorHeld: false, verdictOpen: false, wall: WALL };
  const judge = (entry: ReturnType<typeof requestOf>, voters: readonly string[], others: readonly string[] = [], more: Partial<VoterKnowledge> = {}) => {
    const log = new ApprovalLog(electorateOf(voters, others));
    log.ask(entry);
    return judgeRequest(log.approvals, log.electorate, log.state(entry), { ...knowledge, ...more });
  };
  const one = requestOf('ada', restartOf('cy'));

  test('Q-15: it approves what is small, of whom it trusts', () => {
    expect(judge(one, THREE)).toEqual({ says: 'approve', why: [] });
    expect(judge(one, THREE, [], { initiatorLevel: 1 }).says).toBe('refuse');
    expect(judge(one, THREE, [], { initiatorHeld: true }).says).toBe('refuse');
    expect(judge(one, THREE, [], { verdictOpen: true }).says).toBe('refuse');
  });

  test('Q-15: more than one machine and 30 % take a person', () => {
    const three = requestOf('ada', restartOf('cy', 'm1', 'm2'));
    const members = Array.from({ length: 8 }, (_, index) => `m${index}`);
    expect(judge(three, THREE, members).says).toBe('approve');
    expect(judge(three, THREE, members.slice(0, 6))).toEqual({ says: 'ask', why: ['it touches 3 of 9 members; more than 2 take a person'] });
  });

  test('Q-15: it lets no more voters go at once than can be spared', () => {
    const off = (...targets: string[]) => requestOf('ada', { ...restartOf(...targets), operation: 'shutdown' });
    expect(judge(off('cy', 'dee', 'eve'), FIVE).why[0]).toBe('3 voters would be away at once; 2 can be');
    expect(judge(off('cy', 'dee', 'eve'), FIVE).says).toBe('refuse');
    expect(judge(off('cy'), FIVE).says).toBe('ask');
    expect(judge(requestOf('ada', restartOf('ada')), ['ada', 'bob']).says).toBe('ask');
    expect(judge(requestOf('ada', { ...restartOf('bob'), operation: 'member-remove' }), THREE).says).toBe('refuse');
  });

  test('Q-15: it asks where many wait, or were approved lately', () => {
    const busy = new ApprovalLog(electorateOf([...THREE, 'dee']));
    for (const name of ['ada', 'bob', 'cy']) busy.ask(requestOf(name, restartOf('cy')));
    const fourth = requestOf('dee', restartOf('cy'));
    busy.ask(fourth);
    expect(judgeRequest(busy.approvals, busy.electorate, busy.state(fourth), knowledge)).toEqual({ says: 'ask', why: ['3 other requests wait'] });
    const log = new ApprovalLog(electorateOf(THREE));
    for (let number = 0; number < LIMITS.approvedPerHourMax; number += 1) {
      const done = requestOf('ada', quorumSet('reboot', 2), {}, `${number}`);
      log.ask(done);
      log.commit(done, [decisionOf('ada', done), decisionOf('bob', done)]);
    }
    log.ask(one);
    expect(judgeRequest(log.approvals, log.electorate, log.state(one), knowledge).why).toEqual(['10 were approved in the last hour']);
    expect(judgeRequest(log.approvals, log.electorate, log.state(one), { ...knowledge, wall: WALL + 61 * MINUTE }).says).toBe('approve');
  });
});

describe('collecting', () => {
  test('Q-16: decisions come in any order, before their request too, and a voter has one word', () => {
    const log = new ApprovalLog(electorateOf(THREE));
    const entry = requestOf('ada', restartOf('cy'));
    const collector = new DecisionCollector(crypto);
    expect(collector.add(decisionOf('bob', entry))).toBe(true);
    expect(collector.add(decisionOf('bob', entry, false, true))).toBe(false);
    log.ask(entry);
    expect(collector.ripe(log.approvals, log.electorate)).toEqual([]);
    collector.add(decisionOf('stranger', entry));
    expect(collector.ripe(log.approvals, log.electorate)).toEqual([]);
    collector.add(decisionOf('cy', entry));
    const [ripe] = collector.ripe(log.approvals, log.electorate);
    expect(ripe?.kind).toBe('commit');
    expect(log.commit(entry, ripe?.set.decisions ?? [])).toEqual(['certified']);
    expect(collector.ripe(log.approvals, log.electorate)).toEqual([]);
  });

  test('Q-16: a veto is ripe at once, and decisions on nothing are few', () => {
    const { log, entry } = asked();
    const collector = new DecisionCollector(crypto);
    collector.add(decisionOf('ada', entry));
    collector.add(decisionOf('bob', entry, false, true));
    expect(collector.ripe(log.approvals, log.electorate).map(({ kind }) => kind)).toEqual(['veto']);
    for (let number = 0; number < LIMITS.earlyDecisionsMax; number += 1) collector.add(decisionOf('cy', requestOf('ada', restartOf('cy'), {}, `${number}`)));
    expect(collector.of(log.state(entry), log.electorate)).toEqual([]);
  });
});

describe('the state', () => {
  test('Q-17: the same entries give the same digest, and every change another', () => {
    const trail = (): readonly string[] => {
      const { log, entry } = asked();
      const digests = [approvalsDigest(crypto, log.approvals)];
      log.commit(entry, [decisionOf('ada', entry), decisionOf('cy', entry)]);
      digests.push(approvalsDigest(crypto, log.approvals));
      log.tell(entry, 'bob');
      digests.push(approvalsDigest(crypto, log.approvals));
      return digests.map((digest) => digest.join());
    };
    expect(trail()).toEqual(trail());
    expect(new Set(trail()).size).toBe(3);
  });

  test('Q-17: an entry that was applied changes nothing when it comes again, and one that does not decode is void', () => {
    const { log } = asked();
    const before = encodeApprovals(log.approvals);
    for (const kind of ['approval-request', 'approval-commit', 'approval-veto', 'approval-outcome'])
      expect(log.append(kind, Uint8Array.of(1))[0]).toContain('does not decode');
    expect(encodeApprovals({ ...log.approvals, index: 1 })).toEqual(before);
  });

  test('Q-18: the record verifies afterwards from the log alone, and no piece of it that was edited', () => {
    const { log, entry } = asked();
    const outcomeOf = (name: string) => {
      const terms = { digest: entry.request.digest, executor: aidOf(name), result: 'done', why: '', term: 1, index: 2 } as const;
      return packOutcome(makeOutcome(crypto, identityOf(name).signKey, terms));
    };
    const pieces: readonly (readonly [string, Uint8Array])[] = [
      ['approval-request', encodeRequestEntry(entry)],
      ['approval-commit', encodeDecisions({ digest: entry.request.digest, decisions: [decisionOf('ada', entry), decisionOf('cy', entry)] })],
      ['approval-outcome', outcomeOf('bob')],
      ['approval-outcome', outcomeOf('cy')],
    ];
    const read = (edited: number, at: number): readonly (readonly string[])[] => {
      const auditor = new ApprovalLog(log.electorate);
      return pieces.map(([kind, body], piece) => auditor.append(kind, piece === edited ? body.map((byte, place) => (place === at ? byte ^ 1 : byte)) : body));
    };
    expect(read(-1, 0).flat()).toEqual(['requested', 'certified', 'outcome', 'outcome', 'done']);
    for (const [piece, [, body]] of pieces.entries())
      for (let at = 0; at < body.length; at += 7) expect([piece, at, read(piece, at)[piece]?.[0]]).toEqual([piece, at, expect.stringMatching(/^void: /)]);
  });
});

test('Q-19: every command of the catalogue says what it can do and what it takes', () => {
  expect(OPERATIONS.length).toBe(18);
  for (const { name, runs, targets } of OPERATIONS) {
    expect(operationOf(name)?.name).toBe(name);
    if (runs === 'in-turn') expect(targets).toBe('some');
  }
  expect(operationOf('make-tea')).toBeUndefined();
  expect(() =>
    makeRequest(crypto, identityOf('ada').signKey, requestOf('ada', restartOf('bob')).request, { ...restartOf('bob'), operation: 'make-tea' as 'wipe' }),
  ).toThrow('does not read back');
});
