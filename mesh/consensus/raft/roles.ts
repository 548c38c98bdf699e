/**
 * Changes of role. A leader ends by stepping down: what it had not settled yet is unknown to whoever proposed it, and a
 * retry under the same key finds out.
 */
import { NEVER } from '#core/time/time.ts';
import type { ServerId } from '../config/configuration.ts';
import { Lease } from '../lease/lease.ts';
import { ENTRY_KINDS } from './config-history.ts';
import type { Refusal } from './inputs.ts';
import type { RaftNode } from './node.ts';
import { appendOwn, broadcast, syncProgress } from './replicate.ts';

/** Draw a new election timeout from the chance of this step; servers without a vote have none (C-3). */
export function resetElection(node: RaftNode): void {
  const { electionMsMin, electionMsMax } = node.timing;
  node.electionAt = node.isVoter ? node.now.mono + electionMsMin + node.now.chance * (electionMsMax - electionMsMin) : NEVER;
}

/** Follow a term, and its leader if known. */
export function becomeFollower(node: RaftNode, term: number, leader: ServerId | null, why = `term ${term} began`): void {
  if (term > node.term) node.setTerm(term, null);
  if (node.leading !== null) endLeading(node, why);
  node.role = 'follower';
  node.supporters.clear();
  node.ownVoteWrite = null;
  setLeader(node, leader);
  resetElection(node);
}

/**
 * The only voter goes on leading the term that its log ends in: nobody else can have been elected in it, and everything
 * that it wrote is committed. So a mesh of one decides at once and writes nothing at a start. False where that is not so:
 * there are learners, who tell two entries of one place apart by their terms, or a later term was begun.
 */
export function resume(node: RaftNode): boolean {
  const { config, log } = node;
  const isSole = node.isAlone && config.learners.length === 0 && node.damagedSince === null;
  if (!isSole || log.lastIndex === 0 || node.term !== log.end.term || (node.vote !== null && node.vote !== node.self)) return false;
  node.vote = node.self;
  node.commit = log.lastIndex;
  lead(node, log.lastIndex);
  return true;
}

/** A quorum has voted. The first thing is an entry of the own term (C-10). */
export function becomeLeader(node: RaftNode): void {
  lead(node, node.log.lastIndex + 1);
  appendOwn(node, ENTRY_KINDS.noop, new Uint8Array(0), null);
  syncProgress(node);
  broadcast(node);
}

function lead(node: RaftNode, firstIndex: number): void {
  node.role = 'leader';
  node.supporters.clear();
  node.electionAt = NEVER;
  setLeader(node, node.self);
  node.leading = {
    progress: new Map(),
    lease: new Lease(node.timing),
    heartbeatAt: node.now.mono,
    firstIndex,
    transfer: null,
    reads: [],
    waiting: new Map(),
    changeKey: null,
    waitsFor: null,
  };
}

export function setLeader(node: RaftNode, leader: ServerId | null): void {
  if (node.leader === leader) return;
  node.leader = leader;
  node.event({ kind: 'leader-changed', term: node.term, leader });
}

function endLeading(node: RaftNode, why: string): void {
  const { leading } = node;
  if (leading === null) return;
  node.leading = null;
  node.event({ kind: 'stepped-down', term: node.term, why });
  if (leading.transfer !== null) node.event({ kind: 'transfer-ended', to: leading.transfer.to, done: true });
  for (const { key } of leading.waiting.values()) node.answer({ kind: 'unknown', key });
  if (leading.changeKey !== null) node.answer({ kind: 'unknown', key: leading.changeKey });
  const refusal: Refusal = { code: 'not-leader', why: 'this node stopped leading before the read was confirmed', leader: null };
  for (const { id } of leading.reads) node.answer({ kind: 'unreadable', id, refusal });
}
