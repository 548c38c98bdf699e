/**
 * The leader's writing and sending: own entries, what each server gets next, heartbeats. Nothing here waits for the disk;
 * only the leader's own share of a quorum does.
 */
import { sealEntry } from '../entry-codec.ts';
import type { ProposalKey, SealedEntry } from '../log.ts';
import { serversOf, type ServerId } from '../config/configuration.ts';
import type { RaftNode } from './node.ts';
import { Progress } from './progress.ts';

/** Append an entry of the own term; `key` null for the log's own business. */
export function appendOwn(node: RaftNode, kind: string, body: Uint8Array, key: ProposalKey | null): SealedEntry {
  const { crypto, self } = node.options;
  const sealed = sealEntry(crypto, self.signKey, {
    index: node.log.lastIndex + 1,
    term: node.term,
    previous: node.log.headDigest,
    kind,
    body,
    key: key ?? { aid: self.aid, incarnation: self.incarnation, request: 0 },
    at: Math.max(0, Math.floor(node.now.wall)),
    voter: self.aid,
  });
  node.append(sealed);
  return sealed;
}

/** Whoever is in the configuration has a progress, and until a change is committed also whoever was in the one before: it has to agree, and learns that it is out. */
export function syncProgress(node: RaftNode): void {
  if (node.leading === null) return;
  const { progress } = node.leading;
  const { newest, previous } = node.configs;
  const servers = new Set([...serversOf(newest.config), ...(newest.index > node.commit ? serversOf(previous.config) : [])]);
  for (const id of progress.keys()) if (!servers.has(id)) progress.delete(id);
  for (const id of servers) if (id !== node.self && !progress.has(id)) progress.set(id, new Progress(node.log.lastIndex + 1, node.now.mono));
}

/** A heartbeat to everybody, with whatever they still need. */
export function broadcast(node: RaftNode): void {
  if (node.leading === null) return;
  const { leading } = node;
  leading.heartbeatAt = node.now.mono + node.timing.heartbeatMs;
  leading.lease.begin(node.now);
  for (const [id, progress] of leading.progress) {
    progress.forgive();
    sendTo(node, id, progress, true);
  }
}

/** New entries, or a new commit index, to everybody who can take them now. */
export function spread(node: RaftNode, always = false): void {
  if (node.leading === null) return;
  for (const [id, progress] of node.leading.progress) sendTo(node, id, progress, always && progress.pace === 'stream');
}

/** What one server gets next; with `always` at least an empty message. */
export function sendTo(node: RaftNode, id: ServerId, progress: Progress, always: boolean): void {
  const { log, limits } = node;
  if (progress.pace === 'snapshot' || progress.next <= log.base.index) return sendSnapshot(node, id, progress, always);
  let spoken = !always;
  for (;;) {
    const entries = progress.maySend(limits.inflightMessagesMax)
      ? log.from(progress.next, { entriesMax: limits.uncommittedEntriesMax, bytesMax: limits.appendBytesMax })
      : [];
    if (entries.length === 0 && spoken) return;
    const index = progress.next - 1;
    node.tell(id, {
      kind: 'append-request',
      term: node.term,
      previous: { index, term: log.termAt(index) ?? 0 },
      entries: entries.map(({ bytes, signature }) => ({ bytes, signature })),
      commit: node.commit,
      round: node.leading?.lease.round ?? 0,
    });
    spoken = true;
    if (entries.length === 0) return;
    progress.sent();
    if (progress.pace !== 'stream') return;
    progress.next += entries.length;
  }
}

function sendSnapshot(node: RaftNode, id: ServerId, progress: Progress, again: boolean): void {
  const { snapshot } = node;
  if (snapshot === null) return;
  if (progress.pace !== 'snapshot' || progress.snapshot === null) {
    progress.pace = 'snapshot';
    progress.snapshot = { index: snapshot.base.index, offset: 0 };
  } else if (progress.snapshot.index !== snapshot.base.index) progress.snapshot = { index: snapshot.base.index, offset: 0 };
  else if (!again && !progress.maySend(node.limits.inflightMessagesMax)) return;
  const { offset } = progress.snapshot;
  const piece = snapshot.bytes.subarray(offset, offset + node.limits.snapshotPieceBytes);
  const isLast = offset + piece.length === snapshot.bytes.length;
  const { taker, signature } = snapshot;
  const entries = snapshot.proof.map((sealed) => ({ bytes: sealed.bytes, signature: sealed.signature }));
  node.tell(id, {
    kind: 'snapshot-request',
    term: node.term,
    round: node.leading?.lease.round ?? 0,
    index: snapshot.base.index,
    bytes: snapshot.bytes.length,
    offset,
    piece,
    proof: isLast ? { taker, signature, entries } : null,
  });
  progress.sent();
}
