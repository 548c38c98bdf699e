/**
 * A node's own boot events and statements as records of a journal (protocol.md §2.2, §2.10): what it must know of itself
 * at the next boot, and how the journal is kept short. What is pruned stays sealed: a digest over all of it, so that a
 * pruned statement that turns up again can be told from one that never was.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { bootDigest, decodeBoot } from './boot-event.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { objectDigest, type SignedObject } from './signed-object.ts';
import { decodeStatement } from './statement-log.ts';

const NONE = new Uint8Array(32);

/** A signed statement or boot event as stored and as told. */
export function packStatement(object: SignedObject): Uint8Array {
  const writer = new RmpWriter(object.body.length + 80);
  writer.arrayHead(2);
  writer.bin(object.body);
  writer.bin(object.sig);
  return writer.copy();
}

/** The counterpart of {@link packStatement}. */
export function unpackStatement(record: Uint8Array): SignedObject | undefined {
  const reader = new RmpReader(record);
  const pair = reader.arrayHead();
  const body = reader.bin();
  const sig = reader.bin(64);
  return pair === 2 && body !== undefined && sig?.length === 64 && body.length <= LIMITS.signedBodyBytesMax
    ? { body: body.slice(), sig: sig.slice() }
    : undefined;
}

/** What stands for everything pruned so far. */
export interface Seal {
  /** Records pruned, ever. */
  readonly count: number;
  /** SHA-256 over the seal before and the records pruned after it. */
  readonly digest: Uint8Array;
}

/** What a node knows of itself from its own records. */
export interface OwnStatements {
  readonly seal: Seal | null;
  /** Digest of the newest boot event, zeros for none (`pb`). */
  readonly boot: Uint8Array;
  /** Digest of the newest statement, zeros for none (`ps`). */
  readonly statement: Uint8Array;
  /** Highest incarnation of a boot event; 0 for none. */
  readonly incarnation: number;
  /** Identities that occur. Another one than our own: the identity was replaced or lost. */
  readonly aids: readonly Aid[];
}

/** Read the journal's records, oldest first. What does not decode is passed over: the checksum has vouched for the bytes. */
export function readOwnStatements(crypto: CryptoPort, records: readonly Uint8Array[]): OwnStatements {
  let seal: Seal | null = null;
  let boot: Uint8Array = NONE;
  let statement: Uint8Array = NONE;
  let incarnation = 0;
  const aids: Aid[] = [];
  for (const record of records) {
    const object = unpackStatement(record);
    if (object === undefined) {
      seal = decodeSeal(record) ?? seal;
      continue;
    }
    const started = decodeBoot(object.body);
    const aid = started?.aid ?? decodeStatement(object.body)?.aid;
    if (aid === undefined) continue;
    if (!aids.some((known) => bytesEqual(known, aid))) aids.push(aid);
    if (started === undefined) statement = objectDigest(crypto, LABELS.statement, object.body);
    else {
      boot = bootDigest(crypto, object);
      incarnation = Math.max(incarnation, started.incarnation);
    }
  }
  return { seal, boot, statement, incarnation, aids };
}

/** Digests of the boot events that this identity has signed here, as far as its statements reach back. */
export function ownBoots(statements: readonly Uint8Array[], crypto: CryptoPort): readonly Uint8Array[] {
  return statements.flatMap((record) => {
    const object = unpackStatement(record);
    return object !== undefined && decodeBoot(object.body) !== undefined ? [bootDigest(crypto, object)] : [];
  });
}

/** The records to keep once there are too many: a seal, then the newest half. The same list while there are not. */
export function pruneStatements(crypto: CryptoPort, records: readonly Uint8Array[]): readonly Uint8Array[] {
  if (records.length <= LIMITS.statementsMax) return records;
  const cut = records.length - LIMITS.statementsMax / 2;
  const old = records.slice(0, cut);
  const before = old[0] === undefined ? undefined : decodeSeal(old[0]);
  const pruned = before === undefined ? old : old.slice(1);
  const count = (before?.count ?? 0) + pruned.length;
  const digest = crypto.sha256(before?.digest ?? NONE, ...pruned.map((record) => crypto.sha256(record)));
  // The newest boot event stays whatever happened since: the next start counts from it.
  const boot = pruned.findLast((record) => isBoot(record));
  const kept = records.slice(cut);
  const bootIsKept = kept.some((record) => isBoot(record));
  return [encodeSeal({ count, digest }), ...(boot === undefined || bootIsKept ? [] : [boot]), ...kept];
}

function isBoot(record: Uint8Array): boolean {
  const object = unpackStatement(record);
  return object !== undefined && decodeBoot(object.body) !== undefined;
}

function encodeSeal(seal: Seal): Uint8Array {
  const writer = new RmpWriter(64);
  writer.arrayHead(3);
  writer.str('seal');
  writer.int(seal.count);
  writer.bin(seal.digest);
  return writer.copy();
}

/** A seal among the records; undefined where it is none. */
export function decodeSeal(record: Uint8Array): Seal | undefined {
  const reader = new RmpReader(record);
  if (reader.arrayHead() !== 3 || reader.str(8) !== 'seal') return undefined;
  const count = reader.uint();
  const digest = reader.bin(32);
  return count === undefined || digest?.length !== 32 ? undefined : { count, digest: digest.slice() };
}
