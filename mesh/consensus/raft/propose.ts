/**
 * What the layers above ask of the leader: decide this, change that, read, give way. Every refusal says why, and leaves
 * everything as it was.
 */
import type { ConfigChange } from '../config/change.ts';
import { isVoter, type ServerId } from '../config/configuration.ts';
import { LOG_LIMITS } from '../limits.ts';
import type { Proposal, ProposalKey } from '../log.ts';
import type { ProposalClass, Refusal } from './inputs.ts';
import { beginTransfer, changeNow, isReady, leaseAt, maybeCommit, releaseReads } from './lead.ts';
import type { Leading, RaftNode } from './node.ts';
import { proposalText } from './proposal-table.ts';
import { appendOwn, broadcast, spread } from './replicate.ts';

const no = (node: RaftNode, code: Refusal['code'], why: string): Refusal => ({ code, why, leader: node.leader });

/** Why this server takes nothing new at the moment; null where it does. */
function refusalNow(node: RaftNode, leading: Leading | null): Refusal | null {
  if (leading === null) return no(node, 'not-leader', node.leader === null ? 'there is no leader at the moment' : `${node.leader} leads`);
  if (leading.transfer !== null) return no(node, 'transferring', `leadership goes to ${leading.transfer.to}`);
  if (node.storage.fullness === 'full') return no(node, 'disk-full', 'the disk of the leader is full');
  if (node.log.lastIndex - node.commit >= node.limits.uncommittedEntriesMax)
    return no(node, 'busy', `${node.log.lastIndex - node.commit} entries wait for a quorum`);
  return null;
}

export function onPropose(node: RaftNode, proposal: Proposal, importance: ProposalClass): void {
  const { leading } = node;
  const { key, kind, body } = proposal;
  const refused = refusalNow(node, leading) ?? refusalOf(node, proposal, importance);
  if (leading === null || refused !== null) return refused === null ? undefined : node.answer({ kind: 'refused', key, refusal: refused });
  const text = proposalText(key);
  if (leading.waiting.has(text)) return;
  const applied = node.proposals.indexOf(key);
  if (applied !== undefined) return node.answer({ kind: 'settled', key, term: node.log.termAt(applied) ?? 0, index: applied });
  leading.waiting.set(text, { key, index: appendOwn(node, kind, body, key).entry.index });
  spread(node);
  maybeCommit(node);
}

function refusalOf(node: RaftNode, { kind, body }: Proposal, importance: ProposalClass): Refusal | null {
  if (body.length > LOG_LIMITS.bodyBytesMax) return no(node, 'too-large', `${body.length} bytes are more than ${LOG_LIMITS.bodyBytesMax}`);
  if (kind.startsWith('raft-')) return no(node, 'bad-change', `entries of the kind ${kind} are made by the log itself`);
  if (importance === 'bulk' && node.storage.fullness !== 'ample') return no(node, 'disk-full', 'the disk of the leader is nearly full: nothing bulky is taken');
  return null;
}

export function onChange(node: RaftNode, key: ProposalKey, change: ConfigChange): void {
  const { leading } = node;
  const refused = refusalNow(node, leading) ?? changeNow(node, change);
  if (refused !== undefined && refused !== null) return node.answer({ kind: 'refused', key, refusal: { leader: node.leader, ...refused } });
  if (leading === null) return;
  leading.changeKey = key;
  maybeCommit(node);
}

/** Under a lease at once; else after a quorum has answered a heartbeat that is sent now (Ongaro §6.4). */
export function onRead(node: RaftNode, id: number): void {
  const { leading } = node;
  const refuse = (code: Refusal['code'], why: string): void => node.answer({ kind: 'unreadable', id, refusal: no(node, code, why) });
  if (leading === null) return refuse('not-leader', node.leader === null ? 'there is no leader at the moment' : `${node.leader} leads`);
  if (!isReady(node)) return refuse('not-ready', 'this leader has not committed anything of its own term yet');
  if (leading.reads.length >= node.limits.readsMax) return refuse('busy', `${leading.reads.length} reads wait already`);
  if (leaseAt(node, node.now) !== null) leading.reads.push({ id, round: 0, index: node.commit });
  else {
    broadcast(node);
    leading.reads.push({ id, round: leading.lease.round, index: node.commit });
  }
  releaseReads(node);
}

export function onTransfer(node: RaftNode, to: ServerId): void {
  const { leading } = node;
  if (leading === null || leading.transfer !== null || to === node.self || !isVoter(node.config, to) || !leading.progress.has(to)) return;
  beginTransfer(node, leading, to);
}
