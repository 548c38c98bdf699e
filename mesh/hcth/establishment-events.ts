/**
 * The two kinds of establishment events (protocol.md §2.2): the inception, whose digest *is* the identity, and the
 * rotation, signed by the key that the event before had only committed to. Bytes and their meaning; whether a log of them
 * holds together is decided in establishment.ts.
 */
import { concat, u32 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { BindingKind } from './hardware-binding.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { LABELS, labelled } from './labels.ts';
import { objectDigest, type SignedObject, signObject } from './signed-object.ts';

/** What the identity is for. */
export type IdentityKind = 'node' | 'operator' | 'cluster' | 'author';

/** Why a key was replaced: with both keys at hand, or with the next key alone. */
export type RotationCause = 'planned' | 'recovery';

/** The body of an inception event. */
export interface Inception {
  readonly kind: 'inception';
  readonly identityKind: IdentityKind;
  /** Ed25519 public key. */
  readonly signKey: Uint8Array;
  /** X25519 public key, the Noise static. */
  readonly staticKey: Uint8Array;
  /** SHA-256 of the next Ed25519 public key. */
  readonly nextDigest: Uint8Array;
  readonly binding: { readonly kind: BindingKind; readonly digest: Uint8Array };
  readonly random: Uint8Array;
}

/** The body of a rotation event. */
export interface Rotation {
  readonly kind: 'rotation';
  readonly aid: Aid;
  /** 1 for the first rotation. */
  readonly number: number;
  /** Digest of the establishment event before. */
  readonly previous: Uint8Array;
  readonly signKey: Uint8Array;
  readonly staticKey: Uint8Array;
  readonly nextDigest: Uint8Array;
  readonly cause: RotationCause;
  /** The old key's signature over {@link rotationStatement}; exactly with a planned rotation. */
  readonly oldSig: Uint8Array | null;
}

/** An establishment event as it travels; the signature is that of the key which its body names. */
export type EstablishmentEvent = SignedObject;

const IDENTITY_KINDS = ['node', 'operator', 'cluster', 'author'] as const;
const BINDING_KINDS = ['none', 'soft', 'otp', 'tpm'] as const;
const CAUSES = ['planned', 'recovery'] as const;

/** Create the inception event of a new identity. */
export function makeInception(
  crypto: CryptoPort,
  key: SignKey,
  inception: Omit<Inception, 'kind' | 'signKey'>,
): { readonly event: EstablishmentEvent; readonly aid: Aid } {
  const body = encodeFields({
    v: 1,
    t: 'icp',
    kt: inception.identityKind,
    k: key.publicKey,
    x: inception.staticKey,
    n: inception.nextDigest,
    hw: { t: inception.binding.kind, d: inception.binding.digest },
    r: inception.random,
  });
  return { event: signObject(crypto, key, LABELS.inception, body), aid: objectDigest(crypto, LABELS.inception, body) };
}

/** Create a rotation event: signed by the revealed next key, and by the old one too where it is at hand. */
export function makeRotation(
  crypto: CryptoPort,
  revealed: SignKey,
  old: SignKey | null,
  rotation: Omit<Rotation, 'kind' | 'signKey' | 'cause' | 'oldSig'>,
): EstablishmentEvent {
  const body = encodeFields({
    v: 1,
    t: 'rot',
    a: rotation.aid,
    s: rotation.number,
    p: rotation.previous,
    k: revealed.publicKey,
    x: rotation.staticKey,
    n: rotation.nextDigest,
    o: old === null ? undefined : crypto.sign(old, labelled(LABELS.rotation), rotationStatement({ ...rotation, signKey: revealed.publicKey })),
    cause: old === null ? 'recovery' : 'planned',
  });
  return signObject(crypto, revealed, LABELS.rotation, body);
}

/** What the old key signs in a planned rotation: all of it in fixed places, so that nothing is encoded again to verify it. */
export function rotationStatement(rotation: Pick<Rotation, 'aid' | 'number' | 'previous' | 'signKey' | 'staticKey' | 'nextDigest'>): Uint8Array {
  return concat(rotation.aid, u32(rotation.number), rotation.previous, rotation.signKey, rotation.staticKey, rotation.nextDigest);
}

/** The meaning of an inception's bytes; `undefined` where they are none. */
export function decodeInception(body: Uint8Array): Inception | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['icp']);
  const hardware = fields.nested('hw');
  const inception: Inception = {
    kind: 'inception',
    identityKind: fields.oneOf('kt', IDENTITY_KINDS),
    signKey: fields.bytes('k', 32),
    staticKey: fields.bytes('x', 32),
    nextDigest: fields.bytes('n', 32),
    binding: { kind: hardware.oneOf('t', BINDING_KINDS), digest: hardware.bytes('d', 32) },
    random: fields.bytes('r', 16),
  };
  return fields.sound && hardware.sound ? inception : undefined;
}

/** The meaning of a rotation's bytes; `undefined` where they are none. */
export function decodeRotation(body: Uint8Array): Rotation | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['rot']);
  const rotation: Rotation = {
    kind: 'rotation',
    aid: fields.bytes('a', 32),
    number: fields.integer('s', 1, 0xffff),
    previous: fields.bytes('p', 32),
    signKey: fields.bytes('k', 32),
    staticKey: fields.bytes('x', 32),
    nextDigest: fields.bytes('n', 32),
    cause: fields.oneOf('cause', CAUSES),
    oldSig: fields.optional('o', (present) => present.bytes('o', 64)) ?? null,
  };
  return fields.sound ? rotation : undefined;
}
