/**
 * What is committed and on the own disk is handed up, in order, once: what everybody hears of is already kept here. The
 * log's own entries have their meaning here: configurations, digests of the state.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { type Configuration, quorumOf } from '../config/configuration.ts';
import type { SealedEntry } from '../log.ts';
import { decodeDigestBody, encodeDigestBody, encodeProposals, encodeSnapshot, signSnapshot, snapshotDigest } from '../snapshot/snapshot.ts';
import { ENTRY_KINDS } from './config-history.ts';
import type { RaftNode } from './node.ts';
import { proposalText } from './proposal-table.ts';
import { appendOwn, spread } from './replicate.ts';

/** Hand up whatever can be. */
export function applyCommitted(node: RaftNode): void {
  const through = Math.min(node.commit, node.persisted);
  while (node.applied < through) {
    const sealed = node.log.at(node.applied + 1);
    if (sealed === undefined) return;
    node.applied += 1;
    applyOne(node, sealed);
  }
}

function applyOne(node: RaftNode, sealed: SealedEntry): void {
  const { index, kind, key } = sealed.entry;
  let duplicateOf: number | null = null;
  if (kind === ENTRY_KINDS.config) onConfiguration(node, sealed);
  else if (kind === ENTRY_KINDS.digest) onDigest(node, sealed);
  else if (kind !== ENTRY_KINDS.noop) {
    duplicateOf = node.proposals.indexOf(key) ?? null;
    if (duplicateOf === null) node.proposals.add(key, index);
    settle(node, sealed, duplicateOf);
  }
  const capture = index % node.limits.captureEntries === 0 && node.storage.fullness === 'ample';
  if (capture) {
    // The one before was not handed back, or its digest not committed, in all this time.
    node.captures.clear();
    node.captures.set(index, { proposals: encodeProposals(node.proposals), config: node.configs.at(index) });
  }
  node.commitOut({ sealed, duplicateOf, capture });
}

function settle(node: RaftNode, { entry }: SealedEntry, duplicateOf: number | null): void {
  const text = proposalText(entry.key);
  if (node.leading?.waiting.delete(text) !== true) return;
  const index = duplicateOf ?? entry.index;
  node.answer({ kind: 'settled', key: entry.key, term: entry.term, index });
}

function onConfiguration(node: RaftNode, { entry }: SealedEntry): void {
  const config = node.configs.at(entry.index);
  node.event({ kind: 'configuration', index: entry.index, voters: config.voters, quorum: quorumOf(config) });
  node.book.keep(config.voters);
  forgive(node, config, entry.index);
  const key = node.leading?.changeKey;
  if (key == null || node.leading === null) return;
  node.leading.changeKey = null;
  node.answer({ kind: 'settled', key, term: entry.term, index: entry.index });
}

/** A committed configuration that made this life, or a later one, a learner: what was lost before is dealt with (C-22). */
export function forgive(node: RaftNode, config: Configuration, index: number): void {
  const own = config.learners.find(({ id }) => id === node.self);
  if (own === undefined || node.damagedSince === null || own.incarnation < node.damagedSince) return;
  node.clearDamage();
  node.event({ kind: 'restored', index });
}

// ---- snapshots -----------------------------------------------------------------------------------------------------------

/** The state that was asked for has been captured. The leader has its digest committed. */
export function onCaptured(node: RaftNode, index: number, state: Uint8Array): void {
  const capture = node.captures.get(index);
  const sealed = node.log.at(index);
  if (capture === undefined || sealed === undefined) return;
  node.captures.delete(index);
  const { crypto, self, mesh } = node.options;
  const base = { index, term: sealed.entry.term, digest: sealed.digest };
  const bytes = encodeSnapshot({ base, config: capture.config, proposals: capture.proposals, state });
  if (bytes.length > node.limits.snapshotBytesMax) return;
  const digest = snapshotDigest(crypto, bytes);
  node.candidate = { base, bytes, digest, taker: self.id, signature: signSnapshot(crypto, self.signKey, mesh, digest), proof: [] };
  proposeDigest(node);
}

/** The leader names the digest of its newest captured state, once per term. */
export function proposeDigest(node: RaftNode): void {
  const { candidate, leading } = node;
  if (candidate === null || leading === null || node.commit < leading.firstIndex) return;
  for (let index = candidate.base.index + 1; index <= node.log.lastIndex; index += 1) {
    const entry = node.log.at(index)?.entry;
    if (entry?.kind === ENTRY_KINDS.digest && decodeDigestBody(entry.body)?.index === candidate.base.index) return;
  }
  appendOwn(node, ENTRY_KINDS.digest, encodeDigestBody(candidate.base.index, candidate.digest), null);
  spread(node);
}

function onDigest(node: RaftNode, { entry }: SealedEntry): void {
  const { candidate } = node;
  const named = decodeDigestBody(entry.body);
  if (candidate === null || named === undefined || named.index !== candidate.base.index) return;
  node.candidate = null;
  if (!bytesEqual(named.digest, candidate.digest)) {
    // Somebody's state is not what the log says. Which one's, nobody can tell from here; this one stops being believed.
    node.event({ kind: 'state-diverged', index: named.index });
    return node.markDamaged(`the state at entry ${named.index} is not the one whose digest the mesh committed`);
  }
  const proof: SealedEntry[] = [];
  for (let index = named.index + 1; index <= entry.index; index += 1) {
    const sealed = node.log.at(index);
    if (sealed === undefined || proof.length >= node.limits.proofEntriesMax) return;
    proof.push(sealed);
  }
  node.keepSnapshot({ ...candidate, proof }, false);
  const through = Math.min(named.index, node.log.lastIndex) - node.limits.keptEntriesMax;
  node.log.compact(through);
  node.configs.compact(through);
  node.event({ kind: 'snapshot-taken', index: named.index });
}
