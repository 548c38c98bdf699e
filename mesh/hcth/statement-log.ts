/**
 * The statement log of one incarnation: the few signed events a node must be able to be held to (votes, approvals,
 * accusations, checkpoint roots, its farewell), chained from the boot event on (protocol.md §2.2). Two different
 * statements at one place `(AID, incarnation, nonce, number)` convict; the nonce keeps a restored node from colliding
 * with its former self. Own statements that promise something are made durable before they are sent: the caller's duty.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { bootDigest, verifyBoot } from './boot-event.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { objectDigest, type SignedObject, signObject, verifyObject } from './signed-object.ts';

/** What a statement is about. */
export type StatementKind = 'ckroot' | 'vote' | 'approve' | 'accuse' | 'report' | 'bye';

/** The body of a statement. */
export interface Statement {
  readonly aid: Aid;
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  /** 1 for the first after the boot event. */
  readonly number: number;
  /** Digest of the statement before, or of the boot event. */
  readonly previous: Uint8Array;
  readonly kind: StatementKind;
  readonly body: Uint8Array;
}

/** Where the next statement goes. */
export interface StatementTip {
  readonly number: number;
  readonly digest: Uint8Array;
}

const KINDS = ['ckroot', 'vote', 'approve', 'accuse', 'report', 'bye'] as const;

/** Sign a statement as the successor of `tip`. */
export function makeStatement(
  crypto: CryptoPort,
  key: SignKey,
  scope: Pick<Statement, 'aid' | 'incarnation' | 'nonce'>,
  tip: StatementTip,
  content: Pick<Statement, 'kind' | 'body'>,
): { readonly object: SignedObject; readonly tip: StatementTip } {
  const number = tip.number + 1;
  const body = encodeFields({ v: 1, t: 'stm', a: scope.aid, i: scope.incarnation, c: scope.nonce, s: number, p: tip.digest, k: content.kind, b: content.body });
  const object = signObject(crypto, key, LABELS.statement, body);
  return { object, tip: { number, digest: objectDigest(crypto, LABELS.statement, body) } };
}

/** The tip of a log that holds nothing but its boot event. */
export function statementTipAtBoot(crypto: CryptoPort, boot: SignedObject): StatementTip {
  return { number: 0, digest: bootDigest(crypto, boot) };
}

/** The meaning of a statement's bytes; `undefined` where they are none. */
export function decodeStatement(body: Uint8Array): Statement | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['stm']);
  const statement: Statement = {
    aid: fields.bytes('a', 32),
    incarnation: fields.integer('i', 1, LIMITS.incarnationMax),
    nonce: fields.bytes('c', 16),
    number: fields.integer('s', 1, Number.MAX_SAFE_INTEGER),
    previous: fields.bytes('p', 32),
    kind: fields.oneOf('k', KINDS),
    body: fields.blob('b', 1_024),
  };
  return fields.sound ? statement : undefined;
}

/** The outcome of verifying a run of statements; `at` counts from 0, the boot event excluded. */
export type StatementVerdict =
  | { readonly kind: 'valid'; readonly statements: readonly Statement[]; readonly tip: StatementTip }
  | { readonly kind: 'bad'; readonly at: number; readonly why: string };

/** Verify the statements of one incarnation, from its boot event on without a gap. */
export function verifyStatements(
  crypto: CryptoPort,
  identity: { readonly aid: Aid; readonly signKey: Uint8Array },
  boot: SignedObject,
  objects: readonly SignedObject[],
): StatementVerdict {
  const scope = verifyBoot(crypto, identity, boot);
  if (scope === undefined) return { kind: 'bad', at: 0, why: 'the boot event is not valid' };
  let tip = statementTipAtBoot(crypto, boot);
  const statements: Statement[] = [];
  for (const [at, object] of objects.entries()) {
    const bad = (why: string): StatementVerdict => ({ kind: 'bad', at, why });
    if (at >= LIMITS.statementsMax) return bad(`more than ${LIMITS.statementsMax} statements`);
    if (!verifyObject(crypto, identity.signKey, LABELS.statement, object)) return bad(`statement ${tip.number + 1} is not signed by the identity`);
    const statement = decodeStatement(object.body);
    if (statement === undefined) return bad(`statement ${tip.number + 1} does not decode`);
    const sameScope = bytesEqual(statement.aid, scope.aid) && statement.incarnation === scope.incarnation && bytesEqual(statement.nonce, scope.nonce);
    if (!sameScope) return bad(`statement ${tip.number + 1} belongs to another incarnation`);
    if (statement.number !== tip.number + 1 || !bytesEqual(statement.previous, tip.digest))
      return bad(`statement ${statement.number} does not continue statement ${tip.number}`);
    tip = { number: statement.number, digest: objectDigest(crypto, LABELS.statement, object.body) };
    statements.push(statement);
  }
  return { kind: 'valid', statements, tip };
}
