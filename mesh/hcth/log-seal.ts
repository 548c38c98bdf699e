/**
 * Seals: what stands in a node's own statement log for entries that are gone for a known reason, pruned (protocol.md
 * §2.2) or found damaged and reported. A seal is signed and names its neighbours, so that nobody without the identity's
 * key can hide a missing entry behind one, or move one.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { packObject, unpackObject } from './packed-object.ts';
import type { SignedObject } from './signed-object.ts';

const NONE = new Uint8Array(32);

/** The body of a seal. */
export interface Seal {
  readonly aid: Aid;
  /** Records gone in its place, those of seals it replaces included. */
  readonly count: number;
  /** SHA-256 over the digests of all of them. */
  readonly digest: Uint8Array;
  /** SHA-256 of the record before and of the record behind it; zeros for none. */
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** Who seals: the identity, and its signature under `HCTH1:seal`. */
export interface Sealer {
  readonly aid: Aid;
  readonly sign: (body: Uint8Array) => SignedObject;
}

/** A log on its way to being sealed: entries that stay, and places where others were. */
export type LogItem = { readonly kind: 'entry'; readonly record: Uint8Array } | { readonly kind: 'gap'; readonly gone: readonly Uint8Array[] };

/** The meaning of a seal's bytes; undefined where they are none. */
export function openSealBody(body: Uint8Array): Seal | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['seal']);
  const seal: Seal = {
    aid: fields.bytes('a', 32),
    count: fields.integer('n', 0, Number.MAX_SAFE_INTEGER),
    digest: fields.bytes('d', 32),
    before: fields.bytes('p', 32),
    after: fields.bytes('x', 32),
  };
  return fields.sound ? seal : undefined;
}

/** The records with a seal for every gap. Seals that were there are gaps, too: their neighbours may have changed. */
export function sealGaps(crypto: CryptoPort, sealer: Sealer, items: readonly LogItem[]): readonly Uint8Array[] {
  const merged: { gap: boolean; records: Uint8Array[] }[] = [];
  for (const item of items) {
    const gap = item.kind === 'gap' || isSealOf(item.record, sealer.aid);
    const records = item.kind === 'gap' ? item.gone : [item.record];
    const last = merged.at(-1);
    if (gap && last?.gap === true) last.records.push(...records);
    else merged.push({ gap, records: [...records] });
  }
  let before: Uint8Array = NONE;
  return merged.flatMap(({ gap, records }, index) => {
    const next = merged[index + 1]?.records[0];
    const [only] = records;
    const record = gap || only === undefined ? sealOver(crypto, sealer, records, { before, after: next === undefined ? NONE : crypto.sha256(next) }) : only;
    before = crypto.sha256(record);
    return [record];
  });
}

function sealOver(
  crypto: CryptoPort,
  sealer: Sealer,
  gone: readonly Uint8Array[],
  neighbours: { readonly before: Uint8Array; readonly after: Uint8Array },
): Uint8Array {
  let count = 0;
  let digest: Uint8Array = NONE;
  for (const record of gone) {
    count += sealIn(record)?.count ?? 1;
    digest = crypto.sha256(digest, crypto.sha256(record));
  }
  const { before, after } = neighbours;
  return packObject(sealer.sign(encodeFields({ v: 1, t: 'seal', a: sealer.aid, n: count, d: digest, p: before, x: after })));
}

function sealIn(record: Uint8Array): Seal | undefined {
  const object = unpackObject(record, LIMITS.signedBodyBytesMax);
  return object === undefined ? undefined : openSealBody(object.body);
}

function isSealOf(record: Uint8Array, aid: Aid): boolean {
  const seal = sealIn(record);
  return seal !== undefined && bytesEqual(seal.aid, aid);
}
