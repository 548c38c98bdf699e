/**
 * Following a leader: take its entries where the logs agree, say where they do not, never take back what is committed.
 * Entries are believed for their signature and their place in the chain. Peer input never throws: what cannot be right is
 * an event, and changes nothing.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { ServerId } from '../config/configuration.ts';
import { openEntry, verifyEntry } from '../entry-codec.ts';
import type { SealedEntry } from '../log.ts';
import { applyCommitted } from './apply.ts';
import { stand } from './election.ts';
import type { AppendReply, AppendRequest, LogEnd, PackedEntry, TimeoutNow } from './messages.ts';
import type { RaftNode } from './node.ts';
import { becomeFollower, resetElection, setLeader } from './roles.ts';

/** Whether the sender is the leader of the present term; follows it if it is. The leader of a past one is told the term. */
export function heed(node: RaftNode, from: ServerId, term: number, round: number): boolean {
  if (term < node.term) {
    reply(node, from, round, { accepted: false, match: 0, hint: node.log.end });
    return false;
  }
  if (term === node.term && (node.role === 'leader' || (node.leader !== null && node.leader !== from))) {
    node.event({ kind: 'peer-misbehaved', from, why: `it leads term ${term}, which ${node.leader ?? 'another'} leads` });
    return false;
  }
  if (term > node.term || node.role !== 'follower') becomeFollower(node, term, from);
  setLeader(node, from);
  node.heardAt = node.now.mono;
  resetElection(node);
  return true;
}

export function onAppendRequest(node: RaftNode, from: ServerId, message: AppendRequest): void {
  const { round, previous, entries, commit } = message;
  if (!heed(node, from, message.term, round)) return;
  const { log } = node;
  const known = log.termAt(previous.index);
  if (previous.index > log.lastIndex || (previous.index >= log.base.index && known !== previous.term)) {
    const hint = log.lastWithTermAtMost(Math.min(previous.index, log.lastIndex), previous.term);
    return reply(node, from, round, { accepted: false, match: previous.index, hint });
  }
  const why = take(node, previous, entries);
  if (why !== undefined) return node.event({ kind: 'peer-misbehaved', from, why });
  const match = previous.index + entries.length;
  if (Math.min(commit, match) > node.commit) node.commit = Math.min(commit, match);
  applyCommitted(node);
  resetElection(node);
  reply(node, from, round, { accepted: true, match, hint: log.end });
}

/** Append what is new; the reason where something cannot be right, and then nothing was changed. */
function take(node: RaftNode, previous: LogEnd, entries: readonly PackedEntry[]): string | undefined {
  const { log } = node;
  const fresh: SealedEntry[] = [];
  let digest = log.digestAt(previous.index);
  for (const [at, packed] of entries.entries()) {
    const index = previous.index + 1 + at;
    const sealed = fresh.length === 0 && index <= log.base.index ? 'kept' : open(node, packed, index);
    if (sealed === 'kept') {
      digest = log.digestAt(index);
      continue;
    }
    if (typeof sealed === 'string') return sealed;
    if (digest !== undefined && !bytesEqual(sealed.entry.previous, digest)) return `entry ${index} does not continue the chain`;
    digest = sealed.digest;
    const own = log.at(index);
    if (fresh.length === 0 && own !== undefined && own.entry.term === sealed.entry.term) {
      if (!bytesEqual(own.digest, sealed.digest)) return `two entries at index ${index} of term ${sealed.entry.term}`;
      continue;
    }
    if (index <= node.commit) return `entry ${index} is committed here and differs`;
    if (!verifyEntry(node.options.crypto, node.options.keyOf(sealed.entry.voter, sealed.entry), sealed)) return `entry ${index} is not signed by a voter`;
    fresh.push(sealed);
  }
  const [first] = fresh;
  if (first === undefined) return undefined;
  if (first.entry.index <= log.lastIndex) {
    node.event({ kind: 'discarded', from: first.entry.index, through: log.lastIndex });
    node.truncate(first.entry.index);
  }
  for (const sealed of fresh) node.append(sealed);
  return undefined;
}

function open(node: RaftNode, { bytes, signature }: PackedEntry, index: number): SealedEntry | string {
  const own = node.log.at(index);
  if (own !== undefined && bytesEqual(own.bytes, bytes)) return own;
  const sealed = openEntry(node.options.crypto, bytes, signature);
  if (sealed === undefined) return `entry ${index} does not decode`;
  return sealed.entry.index === index ? sealed : `entry ${sealed.entry.index} in the place of ${index}`;
}

function reply(node: RaftNode, to: ServerId, round: number, verdict: Pick<AppendReply, 'accepted' | 'match' | 'hint'>): void {
  const { incarnation } = node.options.self;
  node.promise(to, { kind: 'append-reply', term: node.term, round, ...verdict, incarnation, damaged: node.damagedSince !== null });
}

/** The leader gave way to us: stand at once, and say so, because others were told to refuse (C-11). */
export function onTimeoutNow(node: RaftNode, from: ServerId, { term }: TimeoutNow): void {
  if (term !== node.term || node.leader !== from || node.role !== 'follower') return;
  if (node.isVoter && node.mayVote) stand(node, true);
}
