/**
 * Making an identity from raw randomness: the device does it itself, on first boot; an image never carries a private key
 * (protocol.md §2.14). Pure: the caller draws the bytes.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import { makeInception, type IdentityKind } from './establishment-events.ts';
import { verifyEstablishment } from './establishment.ts';
import type { HardwareBinding } from './hardware-binding.ts';
import type { Identity, IdentitySecrets } from './identity-file.ts';

/** Random bytes needed: signing seed, static secret, next seed, and the inception's own 16. */
export const IDENTITY_RANDOM_BYTES = 112;

/** A new identity and what must be stored of it. */
export function createIdentity(
  crypto: CryptoPort,
  random: Uint8Array,
  binding: HardwareBinding,
  identityKind: IdentityKind = 'node',
): { readonly identity: Identity; readonly secrets: IdentitySecrets } {
  assert(random.length === IDENTITY_RANDOM_BYTES, `an identity takes ${IDENTITY_RANDOM_BYTES} random bytes`);
  const signSeed = random.slice(0, 32);
  const staticSecret = random.slice(32, 64);
  const nextSeed = random.slice(64, 96);
  const signKey = crypto.signKey(signSeed);
  const staticKey = crypto.dhKey(staticSecret);
  const { event } = makeInception(crypto, signKey, {
    identityKind,
    staticKey: staticKey.publicKey,
    nextDigest: crypto.sha256(crypto.signKey(nextSeed).publicKey),
    binding: { kind: binding.kind, digest: binding.digest },
    random: random.slice(96, 112),
  });
  const verdict = verifyEstablishment(crypto, [event]);
  assert(verdict.kind === 'valid', 'a new inception verifies');
  return {
    identity: { established: verdict.established, signKey, staticKey, nextSeed, nextKeyPlace: null },
    secrets: { establishment: [event], signSeed, staticSecret, nextSeed, nextKeyPlace: null },
  };
}
