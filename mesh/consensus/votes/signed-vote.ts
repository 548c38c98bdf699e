/**
 * A vote as a statement of the voter's statement log (protocol.md §3.4): whoever votes twice in one term of one
 * incarnation has signed the proof. Signing is the caller's, who owns the statement log; what is signed is defined here.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { decodeStatement } from '#mesh/hcth/statement-log.ts';
import { CONFIG_LIMITS } from '../config/limits.ts';
import type { ServerId } from '../config/configuration.ts';

/** What a voter promises: in this term nobody but the candidate. */
export interface Vote {
  readonly term: number;
  readonly candidate: ServerId;
}

/** A vote with who gave it, when it lived, and the bytes that prove it. */
export interface SignedVote extends Vote {
  readonly voter: ServerId;
  readonly incarnation: number;
  readonly object: SignedObject;
}

/** What the machine needs of the statement log. */
export interface VotePort {
  /** The next statement of the own log. Durable with the write of the step that asked for it. */
  sign(vote: Vote): SignedObject;
  /** The vote in a statement of this voter; `undefined` where it is none, of another mesh, or not signed by the voter. */
  open(voter: ServerId, object: SignedObject): SignedVote | undefined;
}

/** Body of the statement `vote{mesh, term, candidate}`. */
export function encodeVote(mesh: Uint8Array, vote: Vote): Uint8Array {
  const writer = new RmpWriter(128);
  writer.arrayHead(3);
  writer.bin(mesh);
  writer.int(vote.term);
  writer.str(vote.candidate);
  return writer.copy();
}

/** Verify and decode; see {@link VotePort.open}. */
export function openVote(crypto: CryptoPort, mesh: Uint8Array, key: Uint8Array, voter: ServerId, object: SignedObject): SignedVote | undefined {
  if (!verifyObject(crypto, key, LABELS.statement, object)) return undefined;
  const statement = decodeStatement(object.body);
  if (statement?.kind !== 'vote' || aidText(statement.aid) !== voter) return undefined;
  const reader = new RmpReader(statement.body);
  if (reader.arrayHead() !== 3) return undefined;
  const named = reader.bin(32);
  const term = reader.uint();
  const candidate = reader.str(CONFIG_LIMITS.idBytesMax);
  if (named === undefined || term === undefined || candidate === undefined || !reader.atEnd || !bytesEqual(named, mesh)) return undefined;
  return { voter, incarnation: statement.incarnation, term, candidate, object };
}
