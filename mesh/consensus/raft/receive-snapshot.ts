/**
 * Taking in a snapshot, piece by piece. It is installed only whole, signed by its taker, and with committed entries that
 * continue it and name its digest (protocol.md §3.3 rule 10); otherwise everything stays as it was.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { ServerId } from '../config/configuration.ts';
import { openEntry, verifyEntry } from '../entry-codec.ts';
import type { SealedEntry } from '../log.ts';
import { decodeDigestBody, decodeSnapshot, snapshotDigest, type StoredSnapshot, verifySnapshot } from '../snapshot/snapshot.ts';
import { applyCommitted, forgive } from './apply.ts';
import { ENTRY_KINDS } from './config-history.ts';
import { heed } from './follow.ts';
import type { SnapshotRequest } from './messages.ts';
import type { RaftNode } from './node.ts';

export function onSnapshotRequest(node: RaftNode, from: ServerId, message: SnapshotRequest): void {
  if (!heed(node, from, message.term, message.round)) return;
  const { index, bytes, offset, piece, proof } = message;
  // What is applied here already needs no snapshot: say how far the log agrees.
  if (index <= node.commit) return answer(node, from, message, bytes);
  if (bytes > node.limits.snapshotBytesMax || offset + piece.length > bytes) return refuse(node, index, 'its size is not possible');
  if (node.incoming === null || node.incoming.from !== from || node.incoming.term !== message.term || node.incoming.index !== index)
    node.incoming = { from, term: message.term, index, bytes: new Uint8Array(bytes), offset: 0 };
  const { incoming } = node;
  if (incoming.bytes.length !== bytes) return refuse(node, index, 'its size changed');
  if (offset === incoming.offset) {
    incoming.bytes.set(piece, offset);
    incoming.offset += piece.length;
  }
  if (incoming.offset < bytes || proof === null) return answer(node, from, message, incoming.offset);
  node.incoming = null;
  const verdict = check(node, index, incoming.bytes, proof);
  if (typeof verdict === 'string') return refuse(node, index, verdict);
  install(node, verdict);
  answer(node, from, message, bytes);
}

function refuse(node: RaftNode, index: number, why: string): void {
  node.incoming = null;
  node.event({ kind: 'snapshot-refused', index, why });
}

function answer(node: RaftNode, to: ServerId, { index, round }: SnapshotRequest, offset: number): void {
  const { incarnation } = node.options.self;
  node.promise(to, { kind: 'snapshot-reply', term: node.term, round, index, offset, incarnation, damaged: node.damagedSince !== null });
}

function check(node: RaftNode, index: number, bytes: Uint8Array, proof: NonNullable<SnapshotRequest['proof']>): StoredSnapshot | string {
  const { crypto, keyOf, mesh } = node.options;
  const content = decodeSnapshot(bytes);
  if (content === undefined || content.base.index !== index) return 'it does not decode';
  const digest = snapshotDigest(crypto, bytes);
  if (!verifySnapshot(crypto, keyOf(proof.taker, null), mesh, digest, proof.signature)) return 'it is not signed by who took it';
  if (proof.entries.length > node.limits.proofEntriesMax) return 'its proof is too long';
  let previous = content.base.digest;
  const entries: SealedEntry[] = [];
  for (const packed of proof.entries) {
    const sealed = openEntry(crypto, packed.bytes, packed.signature);
    if (sealed === undefined || sealed.entry.index !== index + 1 + entries.length || !bytesEqual(sealed.entry.previous, previous))
      return 'the entries behind it do not continue it';
    if (!verifyEntry(crypto, keyOf(sealed.entry.voter, sealed.entry), sealed)) return 'the entries behind it are not signed by a voter';
    previous = sealed.digest;
    entries.push(sealed);
  }
  const last = entries.at(-1)?.entry;
  const named = last?.kind === ENTRY_KINDS.digest ? decodeDigestBody(last.body) : undefined;
  if (named === undefined || named.index !== index || !bytesEqual(named.digest, digest)) return 'its digest was not committed';
  return { base: content.base, bytes, digest, taker: proof.taker, signature: proof.signature, proof: entries };
}

function install(node: RaftNode, snapshot: StoredSnapshot): void {
  const content = decodeSnapshot(snapshot.bytes);
  const { base, proof } = snapshot;
  if (content === undefined) return;
  if (node.log.lastIndex > base.index) node.event({ kind: 'discarded', from: base.index + 1, through: node.log.lastIndex });
  node.keepSnapshot(snapshot, true);
  node.configs.restart(base.index, content.config);
  node.proposals = content.proposals;
  forgive(node, content.config, base.index);
  node.captures.clear();
  node.candidate = null;
  for (const sealed of proof) node.append(sealed);
  node.restore(base.index, content.state);
  node.applied = base.index;
  node.commit = base.index + proof.length;
  node.event({ kind: 'snapshot-installed', index: base.index });
  applyCommitted(node);
}
