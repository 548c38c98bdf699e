/**
 * A node's own boot events and statements as records of a journal (protocol.md §2.2, §2.10): what it must know of itself
 * at the next boot, and how the journal is kept short. What is pruned stays sealed: a digest over all of it, so that a
 * pruned statement that turns up again can be told from one that never was.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Boot, bootDigest, decodeBoot } from './boot-event.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { type LogItem, openSealBody, type Seal, type Sealer, sealGaps } from './log-seal.ts';
import { packObject, unpackObject } from './packed-object.ts';
import { objectDigest, type SignedObject } from './signed-object.ts';
import { decodeStatement } from './statement-log.ts';

const NONE = new Uint8Array(32);

/** A signed statement, boot event or seal as stored and as told. */
export const packStatement = packObject;

/** The counterpart of {@link packStatement}. */
export function unpackStatement(record: Uint8Array): SignedObject | undefined {
  return unpackObject(record, LIMITS.signedBodyBytesMax);
}

/** What a node knows of itself from its own records. */
export interface OwnStatements {
  /** The first seal: what was pruned. */
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
    if (object === undefined) continue;
    seal ??= openSealBody(object.body) ?? null;
    const started = decodeBoot(object.body);
    const aid = started?.aid ?? decodeStatement(object.body)?.aid;
    if (aid === undefined) continue;
    if (!aids.some((known) => bytesEqual(known, aid))) aids.push(aid);
    if (started === undefined) statement = objectDigest(crypto, LABELS.statement, object.body);
    else {
      // The newest by its count, not by its place: entries may have been moved.
      if (started.incarnation > incarnation) boot = bootDigest(crypto, object);
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

/**
 * How many lives in a row began with `restore`, up to and with the present one: 0 where it began otherwise.
 * @param records the journal, with or without the present boot event
 */
export function restoresInARow(records: readonly Uint8Array[], present: Boot): number {
  if (present.why !== 'restore') return 0;
  const before = records
    .flatMap((record) => {
      const boot = decodeBoot(unpackStatement(record)?.body ?? NONE);
      return boot !== undefined && boot.incarnation < present.incarnation ? [boot] : [];
    })
    .toSorted((a, b) => b.incarnation - a.incarnation);
  const other = before.findIndex(({ why }) => why !== 'restore');
  return 1 + (other < 0 ? before.length : other);
}

/** The records to keep once there are too many: a seal, then the newest half. The same list while there are not. */
export function pruneStatements(crypto: CryptoPort, sealer: Sealer, records: readonly Uint8Array[]): readonly Uint8Array[] {
  if (records.length <= LIMITS.statementsMax) return records;
  const cut = records.length - LIMITS.statementsMax / 2;
  const [pruned, kept] = [records.slice(0, cut), records.slice(cut)];
  // The newest boot event stays whatever happened since: the next start counts from it.
  const boot = kept.some(isBoot) ? undefined : pruned.findLast(isBoot);
  const gap: LogItem = { kind: 'gap', gone: pruned };
  return sealGaps(crypto, sealer, [gap, ...(boot === undefined ? [] : [entry(boot), { kind: 'gap', gone: [] } as const]), ...kept.map(entry)]);
}

function isBoot(record: Uint8Array): boolean {
  const object = unpackStatement(record);
  return object !== undefined && decodeBoot(object.body) !== undefined;
}

function entry(record: Uint8Array): LogItem {
  return { kind: 'entry', record };
}
