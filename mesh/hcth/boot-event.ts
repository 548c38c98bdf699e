/**
 * The boot event: first statement of an incarnation, signed (protocol.md §2.2). It names the incarnation and its nonce,
 * which scope every sequence number and every statement that follows, and says what the node knew of itself when it
 * started. Peers learn from it why the node started, and what it runs.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { NO_ANCHOR } from './chain.ts';
import type { KeyHistory } from './establishment.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { objectDigest, type SignedObject, signObject, verifyObject } from './signed-object.ts';

/** Why a node started an incarnation. */
export type StartReason = 'first' | 'start' | 'restore' | 'unreadable' | 'clock-jump';

/** The body of a boot event. */
export interface Boot {
  readonly aid: Aid;
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  /** Digest of the last establishment event known at boot. */
  readonly establishmentHead: Uint8Array;
  /** Digest of the last own boot event known at boot; 32 zero bytes for none. */
  readonly previousBoot: Uint8Array;
  /** Digest of the last own statement known at boot; 32 zero bytes for none. */
  readonly previousStatement: Uint8Array;
  readonly why: StartReason;
  /** Software and its version, for people. */
  readonly software: string;
}

const START_REASONS = ['first', 'start', 'restore', 'unreadable', 'clock-jump'] as const;

/** Sign the boot event of an incarnation. Only after the incarnation is durable. */
export function makeBoot(crypto: CryptoPort, key: SignKey, boot: Boot): SignedObject {
  const body = encodeFields({
    v: 1,
    t: 'boot',
    a: boot.aid,
    i: boot.incarnation,
    c: boot.nonce,
    pe: boot.establishmentHead,
    pb: boot.previousBoot,
    ps: boot.previousStatement,
    why: boot.why,
    sw: boot.software,
  });
  return signObject(crypto, key, LABELS.boot, body);
}

/** The meaning of a boot event's bytes; `undefined` where they are none. */
export function decodeBoot(body: Uint8Array): Boot | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['boot']);
  const boot: Boot = {
    aid: fields.bytes('a', 32),
    incarnation: fields.integer('i', 1, LIMITS.incarnationMax),
    nonce: fields.bytes('c', 16),
    establishmentHead: fields.bytes('pe', 32),
    previousBoot: fields.bytes('pb', 32),
    previousStatement: fields.bytes('ps', 32),
    why: fields.oneOf('why', START_REASONS),
    software: fields.text('sw', 64),
  };
  return fields.sound ? boot : undefined;
}

/** The boot event, when it is this identity's and signed by its current key. */
export function verifyBoot(crypto: CryptoPort, identity: { readonly aid: Aid; readonly signKey: Uint8Array }, object: SignedObject): Boot | undefined {
  if (!verifyObject(crypto, identity.signKey, LABELS.boot, object)) return undefined;
  const boot = decodeBoot(object.body);
  return boot !== undefined && crypto.equal(boot.aid, identity.aid) ? boot : undefined;
}

/**
 * The boot event, when the key signed it that was in force at the establishment event it names: stored and shown ones may
 * be older than the newest rotation.
 */
export function openBoot(crypto: CryptoPort, identity: KeyHistory & { readonly digests: readonly Uint8Array[] }, object: SignedObject): Boot | undefined {
  for (const [event, signKey] of identity.signKeys.entries()) {
    const boot = verifyBoot(crypto, { aid: identity.aid, signKey }, object);
    if (boot !== undefined) return bytesEqual(boot.establishmentHead, identity.digests[event] ?? NO_ANCHOR) ? boot : undefined;
  }
  return undefined;
}

/** Digest of a boot event, as the next one names it. */
export function bootDigest(crypto: CryptoPort, object: SignedObject): Uint8Array {
  return objectDigest(crypto, LABELS.boot, object.body);
}
