/**
 * What a voter says to a request: yes or no, bound to the digest of exactly that request and signed with the voter's key
 * (protocol.md §3.6). A certificate is a set of such yeses; a veto one or more noes.
 */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { packObject, unpackObject } from '#mesh/hcth/packed-object.ts';
import { signObject, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { cutReason, REQUEST_ID_BYTES } from './request.ts';

const VERSION = 1;
const FIELDS = 7;
const BODY_BYTES_MAX = 512;

/** What is signed. */
export interface DecisionTerms {
  readonly id: Uint8Array;
  /** Digest of the request. */
  readonly digest: Uint8Array;
  readonly voter: Aid;
  readonly approves: boolean;
  /** A person at that voter said so; otherwise the voter's own check did. */
  readonly person: boolean;
  readonly why: string;
}

/** A decision with the bytes that prove it. */
export interface Decision extends DecisionTerms {
  readonly object: SignedObject;
}

/** Decisions about one request, as the body of an entry `approval-commit` or `approval-veto`. */
export interface DecisionSet {
  readonly digest: Uint8Array;
  readonly decisions: readonly Decision[];
}

/** Sign a decision. */
export function makeDecision(crypto: CryptoPort, key: SignKey, terms: DecisionTerms): Decision {
  const writer = new RmpWriter(320);
  const why = cutReason(terms.why);
  writer.arrayHead(FIELDS);
  writer.int(VERSION);
  writer.bin(terms.id);
  writer.bin(terms.digest);
  writer.bin(terms.voter);
  writer.int(terms.approves ? 1 : 0);
  writer.int(terms.person ? 1 : 0);
  writer.str(why);
  return { ...terms, why, object: signObject(crypto, key, LABELS.decision, writer.copy()) };
}

/** Decode; the signature is not looked at. `undefined` where it is none. */
export function openDecision(object: SignedObject): Decision | undefined {
  const reader = new RmpReader(object.body);
  if (reader.arrayHead() !== FIELDS || reader.uint(VERSION) !== VERSION) return undefined;
  const id = reader.bin(REQUEST_ID_BYTES)?.slice();
  const digest = reader.bin(32)?.slice();
  const voter = reader.bin(32)?.slice();
  const approves = reader.uint(1);
  const person = reader.uint(1);
  const why = reader.str(LIMITS.reasonBytesMax);
  if (id === undefined || digest === undefined || voter === undefined || approves === undefined || person === undefined || why === undefined) return undefined;
  return reader.atEnd ? { id, digest, voter, approves: approves === 1, person: person === 1, why, object } : undefined;
}

/** Whether the voter's key signed it. */
export function verifyDecision(crypto: CryptoPort, key: Uint8Array, decision: Decision): boolean {
  return verifyObject(crypto, key, LABELS.decision, decision.object);
}

/** One decision as gossip. */
export function packDecision(decision: Decision): Uint8Array {
  return packObject(decision.object);
}

/** The counterpart of {@link packDecision}. */
export function unpackDecision(record: Uint8Array): Decision | undefined {
  const object = unpackObject(record, BODY_BYTES_MAX);
  return object === undefined ? undefined : openDecision(object);
}

/** The body of an entry. */
export function encodeDecisions({ digest, decisions }: DecisionSet): Uint8Array {
  const writer = new RmpWriter(2_048);
  writer.arrayHead(2);
  writer.bin(digest);
  writer.arrayHead(decisions.length);
  for (const decision of decisions) writer.bin(packDecision(decision));
  return writer.copy();
}

/** The counterpart of {@link encodeDecisions}; nothing is verified. */
export function decodeDecisions(body: Uint8Array): DecisionSet | undefined {
  const reader = new RmpReader(body);
  if (reader.arrayHead() !== 2) return undefined;
  const digest = reader.bin(32)?.slice();
  const count = reader.arrayHead();
  if (digest === undefined || count === undefined || count < 1 || count > LIMITS.votersMax) return undefined;
  const decisions: Decision[] = [];
  for (let index = 0; index < count; index += 1) {
    const packed = reader.bin();
    const decision = packed === undefined ? undefined : unpackDecision(packed);
    if (decision === undefined) return undefined;
    decisions.push(decision);
  }
  return reader.atEnd ? { digest, decisions } : undefined;
}
