/**
 * The envelope of everything a node signs: the exact bytes and the signature over `label ‖ 00 ‖ bytes` (protocol.md
 * §2.1). The receiver verifies the bytes it received and only then decodes them; nothing is ever encoded again before
 * verification, so two encoders can never disagree about what was signed.
 */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { SignedBytes } from '#mesh/wire/message.ts';
import { type Label, labelled } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';

/** Bytes and the signature over them; the same two fields on the wire, on disk and in evidence. */
export type SignedObject = SignedBytes;

/** Sign a body for one purpose. */
export function signObject(crypto: CryptoPort, key: SignKey, label: Label, body: Uint8Array): SignedObject {
  return { body, sig: crypto.sign(key, labelled(label), body) };
}

/** Whether the object was signed for this purpose by the owner of the public key. Never throws on foreign input. */
export function verifyObject(crypto: CryptoPort, publicKey: Uint8Array, label: Label, object: SignedObject): boolean {
  return object.body.length <= LIMITS.signedBodyBytesMax && crypto.verify(publicKey, object.sig, labelled(label), object.body);
}

/** What identifies a signed object in chains and proofs: SHA-256(label ‖ 00 ‖ body); the signature is not part of it. */
export function objectDigest(crypto: CryptoPort, label: Label, body: Uint8Array): Uint8Array {
  return crypto.sha256(labelled(label), body);
}
