/**
 * The state at one index in the place of all entries up to it. What is hashed covers the configuration and the table of
 * proposals too; the digest is committed as an entry of its own, and nobody installs a snapshot whose digest was not
 * (protocol.md §3.3 rule 10). The taker signs it.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { type Configuration, decodeConfiguration, encodeConfiguration, type ServerId } from '../config/configuration.ts';
import type { SealedEntry } from '../log.ts';
import { ProposalTable } from '../raft/proposal-table.ts';
import type { LogBase } from '../raft/raft-log.ts';

/** What a snapshot says. */
export interface SnapshotContent {
  readonly base: LogBase;
  readonly config: Configuration;
  readonly proposals: ProposalTable;
  /** Opaque: the state above. */
  readonly state: Uint8Array;
}

/** A snapshot as it is kept: bytes, their digest, the taker's signature, and what proves that the digest was committed. */
export interface StoredSnapshot {
  readonly base: LogBase;
  readonly bytes: Uint8Array;
  readonly digest: Uint8Array;
  readonly taker: ServerId;
  readonly signature: Uint8Array;
  /** From the one behind the snapshot to the one that names the digest. */
  readonly proof: readonly SealedEntry[];
}

const LABEL = concat(utf8('HCTH1:snap'), new Uint8Array(1));
const VERSION = 1;

/** Everything in one array; the same bytes on every server that has applied the same entries. */
export function encodeSnapshot(content: Omit<SnapshotContent, 'proposals'> & { readonly proposals: Uint8Array }): Uint8Array {
  const writer = new RmpWriter(content.state.length + content.proposals.length + 512);
  writer.arrayHead(7);
  writer.int(VERSION);
  writer.int(content.base.index);
  writer.int(content.base.term);
  writer.bin(content.base.digest);
  writer.bin(encodeConfiguration(content.config));
  writer.bin(content.proposals);
  writer.bin(content.state);
  return writer.copy();
}

/** The counterpart of {@link encodeSnapshot}; `undefined` where it is none. */
export function decodeSnapshot(bytes: Uint8Array): SnapshotContent | undefined {
  const reader = new RmpReader(bytes);
  if (reader.arrayHead() !== 7 || reader.uint(VERSION) !== VERSION) return undefined;
  const index = reader.uint();
  const term = reader.uint();
  const digest = reader.bin(32);
  const config = decodeConfiguration(reader.bin() ?? new Uint8Array(0));
  const table = reader.bin();
  const state = reader.bin();
  if (index === undefined || term === undefined || digest === undefined || config === undefined || table === undefined || state === undefined) return undefined;
  const proposals = ProposalTable.decodeFrom(new RmpReader(table));
  return proposals === undefined || !reader.atEnd ? undefined : { base: { index, term, digest: digest.slice() }, config, proposals, state: state.slice() };
}

/** The table of proposals as it is now; taken when the entry was applied, because it goes on changing. */
export function encodeProposals(proposals: ProposalTable): Uint8Array {
  const writer = new RmpWriter(1_024);
  proposals.encodeInto(writer);
  return writer.copy();
}

export function snapshotDigest(crypto: CryptoPort, bytes: Uint8Array): Uint8Array {
  return crypto.sha256(LABEL, bytes);
}

export function signSnapshot(crypto: CryptoPort, key: SignKey, mesh: Uint8Array, digest: Uint8Array): Uint8Array {
  return crypto.sign(key, LABEL, mesh, digest);
}

export function verifySnapshot(crypto: CryptoPort, key: Uint8Array | undefined, mesh: Uint8Array, digest: Uint8Array, signature: Uint8Array): boolean {
  return key !== undefined && crypto.verify(key, signature, LABEL, mesh, digest);
}

/** Body of the entry that commits a digest. */
export function encodeDigestBody(index: number, digest: Uint8Array): Uint8Array {
  const writer = new RmpWriter(64);
  writer.arrayHead(2);
  writer.int(index);
  writer.bin(digest);
  return writer.copy();
}

/** The counterpart of {@link encodeDigestBody}; `undefined` where it is none. */
export function decodeDigestBody(body: Uint8Array): { readonly index: number; readonly digest: Uint8Array } | undefined {
  const reader = new RmpReader(body);
  const fields = reader.arrayHead();
  const index = reader.uint();
  const digest = reader.bin(32);
  return fields !== 2 || index === undefined || digest === undefined || !reader.atEnd ? undefined : { index, digest: digest.slice() };
}
