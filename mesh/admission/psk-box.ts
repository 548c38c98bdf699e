/**
 * A token's pre-shared key sealed to one voter (protocol.md §2.14): the log is replicated to every member, but only voters
 * may answer an invitation. An ephemeral X25519 key, HKDF, ChaCha20-Poly1305; the nonce is zero because every box has a
 * key of its own.
 */
import { concat } from '#core/bytes/bytes.ts';
import type { CryptoPort, DhKey } from '#core/crypto/crypto.ts';
import { labelled } from '#mesh/hcth/labels.ts';

const BOX = labelled('HCTH1:psk-box');
const KEY_BYTES = 32;
const NONCE = new Uint8Array(12);
/** Ephemeral public key, sealed key, tag. */
export const PSK_BOX_BYTES = KEY_BYTES + KEY_BYTES + 16;

/** Seal a key to a voter's static key; `undefined` where that key is not one. `ephemeral` must be fresh. */
export function sealPsk(crypto: CryptoPort, ephemeral: DhKey, voterStatic: Uint8Array, tokenId: Uint8Array, psk: Uint8Array): Uint8Array | undefined {
  const shared = crypto.dh(ephemeral, voterStatic);
  if (shared === undefined) return undefined;
  const key = boxKey(crypto, shared, ephemeral.publicKey, voterStatic);
  return concat(ephemeral.publicKey, crypto.seal(key, NONCE, tokenId, psk));
}

/** Open a box with the voter's static key; `undefined` where it was not sealed to it for this token. */
export function openPsk(crypto: CryptoPort, voter: DhKey, tokenId: Uint8Array, box: Uint8Array): Uint8Array | undefined {
  if (box.length !== PSK_BOX_BYTES) return undefined;
  const ephemeral = box.slice(0, KEY_BYTES);
  const shared = crypto.dh(voter, ephemeral);
  if (shared === undefined) return undefined;
  return crypto.open(boxKey(crypto, shared, ephemeral, voter.publicKey), NONCE, tokenId, box.subarray(KEY_BYTES));
}

function boxKey(crypto: CryptoPort, shared: Uint8Array, ephemeral: Uint8Array, voterStatic: Uint8Array): ReturnType<CryptoPort['aeadKey']> {
  return crypto.aeadKey(crypto.hkdf(shared, concat(ephemeral, voterStatic), BOX, KEY_BYTES));
}
