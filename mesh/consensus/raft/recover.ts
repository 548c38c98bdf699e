/**
 * Asking what was promised before the restart, and answering those who ask (protocol.md §3.4). Answers come from the disk,
 * also while the own recovery is not finished: otherwise a cold start of everybody would wait for itself.
 */
import { NEVER } from '#core/time/time.ts';
import type { ServerId } from '../config/configuration.ts';
import type { RecoverReply, RecoverRequest } from './messages.ts';
import type { HardState } from './inputs.ts';
import type { RaftNode } from './node.ts';
import { becomeFollower } from './roles.ts';

/**
 * Ask whoever has not answered; again after a heartbeat's time. Everybody is asked for as long as nothing may be promised
 * anyway, because the one that holds a lost vote need not be among the first that answer.
 */
export function recover(node: RaftNode): void {
  finish(node);
  const missing = node.recovery.missing(node.config, node.self);
  node.recoverAt = NEVER;
  if (missing.length === 0 || (node.recovery.isDone && node.now.mono >= node.abstainUntil)) return;
  node.recoverAt = node.now.mono + node.timing.heartbeatMs;
  const request = { kind: 'recover-request', term: node.term, nonce: node.options.self.incarnation } as const;
  for (const id of missing) node.tell(id, request);
}

export function onRecoverRequest(node: RaftNode, from: ServerId, { nonce }: RecoverRequest): void {
  const vote = node.book.of(from);
  node.promise(from, { kind: 'recover-reply', term: Math.max(node.term, vote?.term ?? 0), nonce, vote: vote?.object ?? null });
}

export function onRecoverReply(node: RaftNode, from: ServerId, { term, nonce, vote }: RecoverReply): void {
  if (nonce !== node.options.self.incarnation) return;
  const own = vote === null ? undefined : node.options.votes.open(node.self, vote);
  if (own !== undefined && !node.isForgiven && isForgotten(node.options.stored.hard, own))
    node.markDamaged(`the vote of term ${own.term} was confirmed by the disk and is gone`);
  node.recovery.take(from, Math.max(term, own?.term ?? 0));
  finish(node);
}

function isForgotten(stored: HardState, own: { readonly term: number; readonly candidate: ServerId }): boolean {
  return own.term > stored.term || (own.term === stored.term && own.candidate !== stored.vote);
}

function finish(node: RaftNode): void {
  const wasDone = node.recovery.isDone;
  if (!node.recovery.check(node.config, node.self)) return;
  if (node.recovery.floor > node.term) becomeFollower(node, node.recovery.floor, null);
  if (wasDone) return;
  node.event({ kind: 'recovered', floor: node.recovery.floor });
}
