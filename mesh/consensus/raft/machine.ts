/**
 * The consensus machine (protocol.md §3; Ongaro's dissertation): a function of its state and one input. No clock, no
 * timer, no randomness, no disk inside: the present and one random number come with every input, writes go out and come
 * back as `persisted`. docs/protocols/consensus.md has the rules (C-…) and the divergences.
 */
import type { Instant, Millis } from '#core/time/time.ts';
import { type Configuration, type ServerId } from '../config/configuration.ts';
import { applyCommitted, onCaptured } from './apply.ts';
import { campaign, onOwnVote, onPreVoteReply, onPreVoteRequest, onVoteReply, onVoteRequest } from './election.ts';
import { onAppendRequest, onTimeoutNow } from './follow.ts';
import type { ConsensusInput, ConsensusOutput, HeldLease, Present } from './inputs.ts';
import { isReady, leaseAt, maybeCommit, onAppendReply, onSnapshotReply, releaseReads, tickLeader } from './lead.ts';
import type { ConsensusMessage } from './messages.ts';
import { type ConsensusOptions, RaftNode, type Role } from './node.ts';
import { onChange, onPropose, onRead, onTransfer } from './propose.ts';
import { onSnapshotRequest } from './receive-snapshot.ts';
import { onRecoverReply, onRecoverRequest, recover } from './recover.ts';
import { resetElection, resume } from './roles.ts';

/** What a server shows of itself. */
export interface ConsensusView {
  readonly role: Role;
  readonly term: number;
  readonly leader: ServerId | null;
  readonly commit: number;
  readonly applied: number;
  readonly lastIndex: number;
  readonly config: Configuration;
  readonly votes: boolean;
  readonly damaged: boolean;
  readonly recovered: boolean;
  /** It leads, and an entry of its term is committed (C-10). */
  readonly ready: boolean;
}

/** See the header. */
export class ConsensusMachine {
  readonly #node: RaftNode;

  constructor(options: ConsensusOptions, now: Present) {
    this.#node = new RaftNode(options, now);
  }

  /** Earliest instant (monotonic) at which the machine wants a `tick`. */
  get wakeAt(): Millis {
    const { electionAt, recoverAt, leading } = this.#node;
    return Math.min(electionAt, recoverAt, leading?.heartbeatAt ?? Number.POSITIVE_INFINITY);
  }

  get view(): ConsensusView {
    const node = this.#node;
    return {
      role: node.role,
      term: node.term,
      leader: node.leader,
      commit: node.commit,
      applied: node.applied,
      lastIndex: node.log.lastIndex,
      config: node.config,
      votes: node.mayVote && node.isVoter,
      damaged: node.damagedSince !== null,
      recovered: node.recovery.isDone,
      ready: isReady(node),
    };
  }

  /** The right to act alone, as it stands at this instant; ask again before every use. */
  lease(now: Instant): HeldLease | null {
    return leaseAt(this.#node, now);
  }

  /** Advance by one input. */
  step(input: ConsensusInput, now: Present): ConsensusOutput {
    const node = this.#node;
    const dueAt = this.wakeAt;
    node.now = now;
    const strange = node.presence.look(now, dueAt);
    if (strange !== null) this.#distrust(strange);
    this.#take(input);
    return node.flush();
  }

  #take(input: ConsensusInput): void {
    const node = this.#node;
    switch (input.kind) {
      case 'start':
        resetElection(node);
        recover(node);
        resume(node);
        return applyCommitted(node);
      case 'tick':
        if (node.now.mono >= node.recoverAt) recover(node);
        if (node.role === 'leader') return tickLeader(node);
        return node.now.mono >= node.electionAt ? campaign(node) : undefined;
      case 'receive':
        return receive(node, input.from, input.message);
      case 'persisted':
        node.confirmed(input.upTo);
        onOwnVote(node);
        maybeCommit(node);
        applyCommitted(node);
        return releaseReads(node);
      case 'propose':
        return onPropose(node, input.proposal, input.class);
      case 'change':
        return onChange(node, input.key, input.change);
      case 'read':
        return onRead(node, input.id);
      case 'transfer':
        return onTransfer(node, input.to);
      case 'storage':
        if (input.fullness === 'full' && node.storage.fullness !== 'full') node.event({ kind: 'release-reserve' });
        node.storage.fullness = input.fullness;
        return;
      case 'suspended':
        return this.#distrust('the node was suspended');
      case 'captured':
        return onCaptured(node, input.index, input.state);
    }
  }

  #distrust(why: string): void {
    const { leading } = this.#node;
    if (leading === null) return;
    leading.lease.voidNow();
    this.#node.event({ kind: 'lease-voided', why });
  }
}

function receive(node: RaftNode, from: ServerId, message: ConsensusMessage): void {
  switch (message.kind) {
    case 'pre-vote-request':
      return onPreVoteRequest(node, from, message);
    case 'pre-vote-reply':
      return onPreVoteReply(node, from, message);
    case 'vote-request':
      return onVoteRequest(node, from, message);
    case 'vote-reply':
      return onVoteReply(node, from, message);
    case 'append-request':
      return onAppendRequest(node, from, message);
    case 'append-reply':
      return onAppendReply(node, from, message);
    case 'snapshot-request':
      return onSnapshotRequest(node, from, message);
    case 'snapshot-reply':
      return onSnapshotReply(node, from, message);
    case 'timeout-now':
      return onTimeoutNow(node, from, message);
    case 'recover-request':
      return onRecoverRequest(node, from, message);
    case 'recover-reply':
      return onRecoverReply(node, from, message);
  }
}
