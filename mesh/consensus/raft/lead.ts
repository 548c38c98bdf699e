/**
 * Leading: count what a quorum has, answer what a quorum confirmed, notice when there is none any more. Entries are
 * committed by counting only if they are of the own term (Raft §5.4.2); the ones before ride along.
 */
import { NEVER } from '#core/time/time.ts';
import { changeConfiguration, type ConfigChange } from '../config/change.ts';
import { type Configuration, encodeConfiguration, isVoter, quorumOf, type ServerId } from '../config/configuration.ts';
import { CONFIG_LIMITS } from '../config/limits.ts';
import { applyCommitted, proposeDigest } from './apply.ts';
import { ENTRY_KINDS } from './config-history.ts';
import type { HeldLease, Present } from './inputs.ts';
import type { AppendReply, SnapshotReply } from './messages.ts';
import type { Leading, RaftNode } from './node.ts';
import type { Progress } from './progress.ts';
import { appendOwn, broadcast, sendTo, spread, syncProgress } from './replicate.ts';
import { becomeFollower } from './roles.ts';
import { reachedBy } from './tally.ts';

/** One value per voter of a configuration: what the server has reached, `own` for ourselves, 0 for who does not count. */
function valuesOf(node: RaftNode, leading: Leading, config: Configuration, own: number, of: (progress: Progress) => number): readonly number[] {
  return config.voters.map((voter) => {
    if (voter === node.self) return own;
    const progress = leading.progress.get(voter);
    return progress === undefined || progress.damaged ? 0 : of(progress);
  });
}

/** Commit what a quorum has on its disks, this server's own included only when it is on its own (C-1, C-9). */
export function maybeCommit(node: RaftNode): void {
  const { leading } = node;
  if (leading === null) return;
  const reached = (config: Configuration): number =>
    reachedBy(
      quorumOf(config),
      valuesOf(node, leading, config, node.persisted, ({ match }) => match),
    );
  const { newest, previous } = node.configs;
  // The second voter of two is not removed by the first alone: until that is committed, both have to have it (§3.3 rule 8).
  const needsBoth = newest.index > node.commit && previous.config.voters.length === 2 && newest.config.voters.length === 1;
  const index = needsBoth ? Math.min(reached(newest.config), reached(previous.config)) : reached(newest.config);
  if (index <= node.commit || node.log.termAt(index) !== node.term) return;
  const wasReady = isReady(node);
  node.commit = index;
  applyCommitted(node);
  if (!wasReady) proposeDigest(node);
  spread(node, true);
  syncProgress(node);
  if (!node.isVoter && newest.index <= node.commit) stepDown(node, 'it votes no more');
}

/** An entry of the own term is committed: only then is anything read, changed or leased (C-10). */
export function isReady(node: RaftNode): boolean {
  return node.leading !== null && node.commit >= node.leading.firstIndex;
}

/** The newest heartbeat that a quorum has answered. */
function quorumRound(node: RaftNode, leading: Leading): number {
  return reachedBy(
    node.quorum,
    valuesOf(node, leading, node.config, leading.lease.round, ({ round }) => round),
  );
}

/** Whether the own disk has shown lately that it still confirms. */
function isStorageFresh(node: RaftNode, now: Present['mono']): boolean {
  return now - node.storage.freshAt <= node.timing.probeMs + node.timing.electionMsMin;
}

/** The lease as it stands at an instant; null for none. */
export function leaseAt(node: RaftNode, now: Pick<Present, 'mono' | 'wall'>): HeldLease | null {
  const { leading } = node;
  if (leading === null || !isReady(node) || !isStorageFresh(node, now.mono)) return null;
  const round = quorumRound(node, leading);
  const left = leading.lease.leftMs(round, now);
  return left > 0 ? { until: now.mono + left, fence: { term: node.term, index: node.commit } } : null;
}

/** Answer the reads that may be answered now. */
export function releaseReads(node: RaftNode): void {
  const { leading } = node;
  if (leading === null || leading.reads.length === 0 || !isReady(node)) return;
  const round = quorumRound(node, leading);
  const isReadable = (read: Leading['reads'][number]): boolean => read.round <= round && read.index <= node.applied;
  for (const read of leading.reads) if (isReadable(read)) node.answer({ kind: 'readable', id: read.id, index: read.index });
  leading.reads = leading.reads.filter((read) => !isReadable(read));
}

/** What every reply of a follower tells; the progress if it is one of ours. */
function heard(node: RaftNode, from: ServerId, message: AppendReply | SnapshotReply): Progress | undefined {
  if (message.term > node.term) becomeFollower(node, message.term, null, `${from} is in term ${message.term}`);
  const progress = message.term === node.term ? node.leading?.progress.get(from) : undefined;
  if (progress === undefined || message.incarnation < progress.incarnation) return undefined;
  if (message.incarnation > progress.incarnation) progress.begin(message.incarnation, node.log.lastIndex + 1);
  progress.heardAt = node.now.mono;
  progress.damaged = message.damaged;
  progress.round = Math.max(progress.round, message.round);
  progress.answered();
  return progress;
}

export function onAppendReply(node: RaftNode, from: ServerId, message: AppendReply): void {
  const progress = heard(node, from, message);
  if (progress === undefined) return;
  if (!message.accepted) {
    const hint = node.log.lastWithTermAtMost(message.hint.index, message.hint.term);
    if (progress.refuse(message.match, hint.index)) sendTo(node, from, progress, true);
  } else if (message.match <= node.log.lastIndex) {
    if (progress.pace === 'snapshot' && message.match >= node.log.base.index) progress.pace = 'probe';
    progress.accept(message.match);
    maybeCommit(node);
    if (node.leading !== null) sendTo(node, from, progress, false);
  }
  releaseReads(node);
  maybeHandOver(node);
}

export function onSnapshotReply(node: RaftNode, from: ServerId, message: SnapshotReply): void {
  const progress = heard(node, from, message);
  const sent = node.snapshot;
  if (progress?.snapshot == null || sent === null || message.index !== progress.snapshot.index) return;
  // The same answer again moves nothing: what is missing goes out with the next heartbeat, so nobody is asked in circles.
  const isNews = message.offset !== progress.snapshot.offset;
  progress.snapshot.offset = message.offset;
  if (progress.snapshot.index === sent.base.index && progress.snapshot.offset >= sent.bytes.length) {
    progress.pace = 'probe';
    progress.snapshot = null;
    progress.next = sent.base.index + sent.proof.length + 1;
  }
  if (isNews) sendTo(node, from, progress, true);
  releaseReads(node);
}

// ---- what a leader looks after ------------------------------------------------------------------------------------------

/** The leader's share of a tick. */
export function tickLeader(node: RaftNode): void {
  const { leading, timing } = node;
  if (leading === null) return;
  const { mono } = node.now;
  if (mono - node.storage.waitingSince >= timing.electionMsMin) return stepDown(node, 'its disk does not confirm');
  const heardOf = valuesOf(node, leading, node.config, mono, ({ heardAt }) => heardAt);
  const since = mono - (reachedBy(node.quorum, heardOf) || Number.NEGATIVE_INFINITY);
  if (since >= timing.electionMsMin) return stepDown(node, `no quorum was heard for ${Math.round(since)} ms`);
  if (leading.transfer !== null && mono >= leading.transfer.until) endTransfer(node, leading);
  if (node.storage.fullness === 'full' && leading.transfer === null && !maybeTransferAway(node, leading)) return stepDown(node, 'its disk is full');
  if (mono >= leading.heartbeatAt) {
    // One write now and then, whether or not there is anything to write (§3.2).
    if (node.storage.waitingSince === NEVER && mono - node.storage.freshAt >= timing.probeMs) node.probe();
    maybeChangeByItself(node, leading);
    broadcast(node);
  }
}

export function stepDown(node: RaftNode, why: string): void {
  becomeFollower(node, node.term, null, why);
}

/** Append a changed configuration; the reason where that is not possible now. Rule by rule: C-14, C-15, C-16. */
export function changeNow(
  node: RaftNode,
  change: ConfigChange,
): { readonly code: 'not-ready' | 'change-pending' | 'bad-change'; readonly why: string } | undefined {
  const { leading } = node;
  if (leading === null || !isReady(node)) return { code: 'not-ready', why: 'this leader has not committed anything of its own term yet' };
  if (node.configs.newest.index > node.commit) return { code: 'change-pending', why: `the change at entry ${node.configs.newest.index} is not committed yet` };
  const id = change.kind === 'set-quorum' ? null : change.id;
  const progress = id === null ? undefined : leading.progress.get(id);
  if (change.kind === 'promote' && !hasCaughtUp(node, progress)) return { code: 'bad-change', why: `${change.id} has not caught up with the log yet` };
  const verdict = changeConfiguration(node.config, change, progress?.incarnation ?? 0);
  if (verdict.kind === 'bad') return { code: 'bad-change', why: verdict.why };
  const present = valuesOf(node, leading, verdict.config, 1, ({ heardAt }) => (node.now.mono - heardAt < node.timing.electionMsMin ? 1 : 0));
  if (reachedBy(quorumOf(verdict.config), present) === 0) return { code: 'bad-change', why: 'those that would be left have no quorum that can be reached now' };
  appendOwn(node, ENTRY_KINDS.config, encodeConfiguration(verdict.config), null);
  syncProgress(node);
  spread(node);
  return undefined;
}

function hasCaughtUp(node: RaftNode, progress: Progress | undefined): boolean {
  return progress !== undefined && !progress.damaged && progress.caughtUpSince !== null && node.now.mono - progress.caughtUpSince >= CONFIG_LIMITS.promoteMs;
}

/** Who lost state is taken out of the count; who has caught up, and is meant to vote, votes. One at a time. */
function maybeChangeByItself(node: RaftNode, leading: Leading): void {
  for (const progress of leading.progress.values()) {
    const isNear = node.log.lastIndex - progress.match <= CONFIG_LIMITS.promoteEntriesMax && node.now.mono - progress.heardAt < node.timing.electionMsMin;
    if (!isNear) progress.caughtUpSince = null;
    else progress.caughtUpSince ??= node.now.mono;
  }
  if (!isReady(node) || node.configs.newest.index > node.commit || leading.transfer !== null) return;
  for (const [id, progress] of leading.progress) {
    const learner = node.config.learners.find((known) => known.id === id);
    const isForgiven = learner !== undefined && learner.incarnation >= progress.incarnation;
    const wish: ConfigChange | null =
      progress.damaged && !isForgiven
        ? { kind: 'demote', id, promote: learner?.promote ?? isVoter(node.config, id) }
        : learner?.promote === true && hasCaughtUp(node, progress)
          ? { kind: 'promote', id }
          : null;
    if (wish === null) continue;
    const fault = changeNow(node, wish);
    if (fault === undefined) return;
    if (leading.waitsFor !== fault.why) node.event({ kind: 'change-waits', id, why: fault.why });
    leading.waitsFor = fault.why;
  }
}

// ---- giving way ---------------------------------------------------------------------------------------------------------

/** Begin to give way: no new proposals, and no lease for the rest of the term, because votes will be given past it (C-11). */
export function beginTransfer(node: RaftNode, leading: Leading, to: ServerId): void {
  leading.lease.forfeit();
  leading.transfer = { to, until: node.now.mono + node.timing.electionMsMax, sent: false };
  const progress = leading.progress.get(to);
  if (progress !== undefined) sendTo(node, to, progress, true);
  maybeHandOver(node);
}

/** Tell the successor to stand as soon as it has everything. */
function maybeHandOver(node: RaftNode): void {
  const transfer = node.leading?.transfer;
  if (transfer == null || transfer.sent || (node.leading?.progress.get(transfer.to)?.match ?? 0) < node.log.lastIndex) return;
  transfer.sent = true;
  node.tell(transfer.to, { kind: 'timeout-now', term: node.term });
}

function endTransfer(node: RaftNode, leading: Leading): void {
  if (leading.transfer === null) return;
  node.event({ kind: 'transfer-ended', to: leading.transfer.to, done: false });
  leading.transfer = null;
  if (node.storage.fullness === 'full') stepDown(node, 'its disk is full');
}

/** Give way to whoever is nearest; false where there is nobody. */
function maybeTransferAway(node: RaftNode, leading: Leading): boolean {
  const heirs = [...leading.progress].filter(
    ([id, { heardAt, damaged }]) => isVoter(node.config, id) && !damaged && node.now.mono - heardAt < node.timing.electionMsMin,
  );
  const [best] = heirs.sort(([, a], [, b]) => b.match - a.match);
  if (best === undefined) return false;
  beginTransfer(node, leading, best[0]);
  return true;
}
