/** What became of a command at one of its targets, signed by that machine: the last piece of "who did what" (SECU-12). */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { packObject, unpackObject } from '#mesh/hcth/packed-object.ts';
import { signObject, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { cutReason } from './request.ts';

const VERSION = 1;
const FIELDS = 7;
const BODY_BYTES_MAX = 512;
const RESULTS = ['done', 'failed', 'refused'] as const;

/** `refused`: the machine did not find the command properly approved, or does not know it. */
export type OutcomeResult = (typeof RESULTS)[number];

/** What is signed. */
export interface OutcomeTerms {
  /** Digest of the request. */
  readonly digest: Uint8Array;
  readonly executor: Aid;
  readonly result: OutcomeResult;
  readonly why: string;
  /** Term and index of the certificate's entry. */
  readonly term: number;
  readonly index: number;
}

/** An outcome with the bytes that prove it. */
export interface Outcome extends OutcomeTerms {
  readonly object: SignedObject;
}

/** Sign an outcome. */
export function makeOutcome(crypto: CryptoPort, key: SignKey, terms: OutcomeTerms): Outcome {
  const writer = new RmpWriter(320);
  const why = cutReason(terms.why);
  writer.arrayHead(FIELDS);
  writer.int(VERSION);
  writer.bin(terms.digest);
  writer.bin(terms.executor);
  writer.int(RESULTS.indexOf(terms.result));
  writer.str(why);
  writer.int(terms.term);
  writer.int(terms.index);
  return { ...terms, why, object: signObject(crypto, key, LABELS.outcome, writer.copy()) };
}

/** The body of an entry `approval-outcome`. */
export function packOutcome(outcome: Outcome): Uint8Array {
  return packObject(outcome.object);
}

/** The counterpart of {@link packOutcome}; the signature is not looked at. */
export function unpackOutcome(record: Uint8Array): Outcome | undefined {
  const object = unpackObject(record, BODY_BYTES_MAX);
  if (object === undefined) return undefined;
  const reader = new RmpReader(object.body);
  if (reader.arrayHead() !== FIELDS || reader.uint(VERSION) !== VERSION) return undefined;
  const digest = reader.bin(32)?.slice();
  const executor = reader.bin(32)?.slice();
  const result = RESULTS[reader.uint(RESULTS.length - 1) ?? RESULTS.length];
  const why = reader.str(LIMITS.reasonBytesMax);
  const term = reader.uint();
  const index = reader.uint();
  if (digest === undefined || executor === undefined || result === undefined || why === undefined || term === undefined || index === undefined)
    return undefined;
  return reader.atEnd ? { digest, executor, result, why, term, index, object } : undefined;
}

/** Whether the executor's key signed it. */
export function verifyOutcome(crypto: CryptoPort, key: Uint8Array | undefined, outcome: Outcome): boolean {
  return key !== undefined && verifyObject(crypto, key, LABELS.outcome, outcome.object);
}
