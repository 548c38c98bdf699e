/**
 * Elections (Raft §5.2, §5.4.1; Ongaro §9.6 pre-vote). Nobody raises a term before a quorum said that it would vote; nobody
 * votes while a leader was heard within the shortest election timeout: the lease stands on that.
 */
import { NEVER } from '#core/time/time.ts';
import type { ServerId } from '../config/configuration.ts';
import { isAsNew, type LogEnd, type PreVoteReply, type PreVoteRequest, type VoteReply, type VoteRequest } from './messages.ts';
import type { RaftNode } from './node.ts';
import { becomeFollower, becomeLeader, resetElection, setLeader } from './roles.ts';

/** The election timeout has passed. */
export function campaign(node: RaftNode): void {
  resetElection(node);
  if (!node.isVoter || !node.mayVote) return;
  // A disk that hangs elects nobody: the own vote could not be kept.
  if (node.storage.waitingSince !== NEVER) return;
  becomePreCandidate(node);
  const request = { kind: 'pre-vote-request', term: node.term + 1, end: node.log.end } as const;
  for (const voter of node.config.voters) if (voter !== node.self) node.tell(voter, request);
  maybeWin(node);
}

function becomePreCandidate(node: RaftNode): void {
  node.role = 'pre-candidate';
  node.ownVoteWrite = null;
  setLeader(node, null);
  node.supporters.clear();
  node.supporters.add(node.self);
}

/** Stand in the next term. The own vote counts when the disk has it, and nobody is asked before (C-1). */
export function stand(node: RaftNode, transfer: boolean): void {
  node.setTerm(node.term + 1, node.self);
  node.role = 'candidate';
  setLeader(node, null);
  node.supporters.clear();
  node.ownVoteWrite = node.nextWrite;
  resetElection(node);
  const request = { kind: 'vote-request', term: node.term, end: node.log.end, transfer } as const;
  for (const voter of node.config.voters) if (voter !== node.self) node.promise(voter, request);
}

/** The disk has confirmed; the own vote may be among it. */
export function onOwnVote(node: RaftNode): void {
  if (node.role !== 'candidate' || node.ownVoteWrite === null || node.ownVoteWrite > node.storage.confirmed) return;
  node.ownVoteWrite = null;
  node.supporters.add(node.self);
  maybeWin(node);
}

function maybeWin(node: RaftNode): void {
  const votes = node.config.voters.filter((voter) => node.supporters.has(voter)).length;
  if (votes < node.quorum) return;
  if (node.role === 'pre-candidate') stand(node, false);
  else if (node.role === 'candidate') becomeLeader(node);
}

/** The promise that a lease stands on (C-5). */
function isLoyal(node: RaftNode): boolean {
  return node.role === 'leader' || node.now.mono - node.heardAt < node.timing.electionMsMin;
}

/** Whether this server would follow that one: known, or with a newer log than ours, in which it may be (C-6, C-18). */
function mayLead(node: RaftNode, from: ServerId, end: LogEnd): boolean {
  return isAsNew(end, node.log.end) && (node.config.voters.includes(from) || !isAsNew(node.log.end, end));
}

export function onPreVoteRequest(node: RaftNode, from: ServerId, { term, end }: PreVoteRequest): void {
  if (!node.mayVote) return;
  const granted = term > node.term && term > node.recovery.floor && !isLoyal(node) && mayLead(node, from, end);
  node.promise(from, { kind: 'pre-vote-reply', term: granted ? term : node.term, granted });
}

export function onPreVoteReply(node: RaftNode, from: ServerId, { term, granted }: PreVoteReply): void {
  if (!granted) {
    if (term > node.term) becomeFollower(node, term, null);
    return;
  }
  if (node.role !== 'pre-candidate' || term !== node.term + 1) return;
  node.supporters.add(from);
  maybeWin(node);
}

export function onVoteRequest(node: RaftNode, from: ServerId, { term, end, transfer }: VoteRequest): void {
  if (!node.mayVote) return;
  if (term < node.term) return node.promise(from, { kind: 'vote-reply', term: node.term, vote: null });
  // Not even the term is taken over: whoever cannot be elected must not depose anybody.
  if (isLoyal(node) && !transfer) return;
  if (term > node.term) becomeFollower(node, term, null);
  const free = node.vote === null || node.vote === from;
  if (!free || node.leader !== null || term <= node.recovery.floor || !mayLead(node, from, end))
    return node.promise(from, { kind: 'vote-reply', term: node.term, vote: null });
  node.setTerm(term, from);
  resetElection(node);
  const vote = node.options.votes.sign({ term, candidate: from });
  for (const voter of new Set([from, ...node.config.voters])) if (voter !== node.self) node.promise(voter, { kind: 'vote-reply', term, vote });
}

export function onVoteReply(node: RaftNode, from: ServerId, { term, vote }: VoteReply): void {
  if (vote === null) {
    if (term > node.term) becomeFollower(node, term, null);
    return;
  }
  const opened = node.options.votes.open(from, vote);
  if (opened === undefined || opened.term !== term) return node.event({ kind: 'peer-misbehaved', from, why: 'a vote is not signed by who sent it' });
  const twice = node.book.take(opened);
  if (twice !== undefined) node.event({ kind: 'voted-twice', voter: from, votes: twice });
  if (node.role !== 'candidate' || term !== node.term || opened.candidate !== node.self) return;
  node.supporters.add(from);
  maybeWin(node);
}
