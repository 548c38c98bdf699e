/**
 * Rotating an identity (protocol.md §2.2, §2.14): the next key, committed to long before, becomes the current one, with a
 * fresh static key and a commitment to a fresh next key. Planned: the old key signs too. Recovery: the next key alone,
 * because the old one may be in somebody's hands or lost. The AID stays, and with it everything it has earned. Pure: the
 * caller draws the bytes, and writes the result to the disk before anybody is told.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import { type EstablishmentEvent, makeRotation } from './establishment-events.ts';
import { type Established, extendEstablishment } from './establishment.ts';
import type { Identity, IdentitySecrets } from './identity-file.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { type NextKey, nextKeyFingerprint } from './next-key.ts';
import { fingerprintOf } from './identity-text.ts';

/** Random bytes needed: static secret and next seed. */
export const ROTATION_RANDOM_BYTES = 64;

/** The identity after a rotation, what must be stored of it, and the event that peers are told. */
export interface Rotated {
  readonly kind: 'rotated';
  readonly identity: Identity;
  readonly secrets: IdentitySecrets;
  readonly event: EstablishmentEvent;
}

/** Why there is no rotation. */
export type RotationRefusal = {
  readonly kind: 'refused';
  /** `worn-out`: 64 events are all an identity ever has. `wrong-key`: not the key that was committed to. */
  readonly because: 'worn-out' | 'wrong-key';
  readonly why: string;
};

/** Whether a next key is the one an identity has committed to; the reason where it is not. */
export function nextKeyFault(crypto: CryptoPort, before: Established, key: NextKey): string | undefined {
  if (!bytesEqual(before.aid.subarray(0, key.aidPrefix.length), key.aidPrefix))
    return `it is the next key of ${nextKeyFingerprint(key)}, not of ${fingerprintOf(before.aid)}`;
  if (bytesEqual(crypto.sha256(crypto.signKey(key.seed).publicKey), before.nextDigest)) return undefined;
  const used = key.rotation <= before.rotations;
  return used
    ? `it was for rotation ${key.rotation}, and this identity has had ${before.rotations}`
    : `it is for rotation ${key.rotation}; the identity's log known here ends at rotation ${before.rotations} and commits to another key`;
}

/** Rotate. `old`: the current key for a planned rotation, null for a recovery. */
export function rotateIdentity(
  crypto: CryptoPort,
  before: Established,
  nextSeed: Uint8Array,
  old: SignKey | null,
  random: Uint8Array,
): Rotated | RotationRefusal {
  assert(random.length === ROTATION_RANDOM_BYTES, `a rotation takes ${ROTATION_RANDOM_BYTES} random bytes`);
  if (before.events.length >= LIMITS.establishmentLogEventsMax)
    return { kind: 'refused', because: 'worn-out', why: `the identity has been rotated ${before.rotations} times, which is all it ever can be` };
  const signKey = crypto.signKey(nextSeed);
  if (!bytesEqual(crypto.sha256(signKey.publicKey), before.nextDigest))
    return { kind: 'refused', because: 'wrong-key', why: 'the key is not the one that the identity has committed to' };
  const staticSecret = random.slice(0, 32);
  const seedAfter = random.slice(32, 64);
  const staticKey = crypto.dhKey(staticSecret);
  const event = makeRotation(crypto, signKey, old, {
    aid: before.aid,
    number: before.rotations + 1,
    previous: before.head,
    staticKey: staticKey.publicKey,
    nextDigest: crypto.sha256(crypto.signKey(seedAfter).publicKey),
  });
  const verdict = extendEstablishment(crypto, before, event);
  assert(verdict.kind === 'valid', 'a new rotation continues the log it was made for');
  const { established } = verdict;
  return {
    kind: 'rotated',
    identity: { established, signKey, staticKey, nextSeed: seedAfter, nextKeyPlace: null },
    secrets: { establishment: established.events, signSeed: nextSeed.slice(), staticSecret, nextSeed: seedAfter, nextKeyPlace: null },
    event,
  };
}
