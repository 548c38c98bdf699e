/**
 * The cryptographic port for the simulator: deterministic, some fifty times faster than the real one, and sound inside
 * the simulation. A registry of all keys ever made takes the place of mathematics: a signature verifies only if it was
 * made with the private half of the key, two ends of a Diffie-Hellman exchange agree and nobody else does, and a sealed
 * record opens only unchanged and with its key. The conformance suite of the port runs on it as on the real one.
 */
import { crc32 } from 'node:zlib';
import type { AeadKey, CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import { mix, mixInto } from './mixer.ts';

const TAG_BYTES = 16;
const SIGNATURE_BYTES = 64;
/** What is compared and forgotten. */
const scratch = new Uint8Array(TAG_BYTES);
const signed = new Uint8Array(SIGNATURE_BYTES);
/** Purposes keep the uses of the one hash apart. */
const PURPOSE = { sha: 1, hmac: 2, hkdf: 3, sign: 4, signPublic: 5, dhPublic: 6, dhShared: 7, dhStranger: 8, tag: 9, stream: 10 } as const;

/** All keys of one simulated world. */
export class KeyRegistry {
  /** Secrets by public half. */
  readonly #signing = new Map<string, Uint8Array>();
  readonly #agreement = new Map<string, Uint8Array>();

  /** A port on these keys. */
  port(): CryptoPort {
    return simulatedPort(this.#signing, this.#agreement);
  }
}

function simulatedPort(signing: Map<string, Uint8Array>, agreement: Map<string, Uint8Array>): CryptoPort {
  return {
    sha256: (...parts) => mix(PURPOSE.sha, parts),
    hmac: (key, ...parts) => mix(PURPOSE.hmac, [key.length, key, ...parts]),
    hkdf(secret, salt, info, byteCount) {
      const out = new Uint8Array(byteCount);
      const block = new Uint8Array(64);
      for (let at = 0; at < byteCount; at += block.length) {
        mixInto(block, PURPOSE.hkdf + (at << 8), [secret.length, secret, salt.length, salt, info]);
        out.set(block.subarray(0, Math.min(block.length, byteCount - at)), at);
      }
      return out;
    },
    aeadKey(raw) {
      assert(raw.length === 32, 'an AEAD key has 32 bytes');
      return { aead: raw.slice() };
    },
    seal(key, nonce, aad, plaintext, headroom = 0) {
      const raw = rawKey(key);
      const out = new Uint8Array(headroom + plaintext.length + TAG_BYTES);
      const body = out.subarray(headroom, headroom + plaintext.length);
      mask(raw, nonce, plaintext, body);
      mixInto(out, PURPOSE.tag, [raw, nonce, aad.length, aad, body], headroom + plaintext.length);
      return out;
    },
    open(key, nonce, aad, sealed) {
      if (sealed.length < TAG_BYTES) return undefined;
      const raw = rawKey(key);
      const body = sealed.subarray(0, sealed.length - TAG_BYTES);
      mixInto(scratch, PURPOSE.tag, [raw, nonce, aad.length, aad, body]);
      for (let index = 0; index < TAG_BYTES; index += 1) if (scratch[index] !== sealed[body.length + index]) return undefined;
      const plaintext = new Uint8Array(body.length);
      mask(raw, nonce, body, plaintext);
      return plaintext;
    },
    signKey(seed) {
      assert(seed.length === 32, 'an Ed25519 seed has 32 bytes');
      const publicKey = mix(PURPOSE.signPublic, [seed]);
      signing.set(nameOf(publicKey), seed);
      return { publicKey, seed, handle: null };
    },
    sign(key, ...parts) {
      const out = new Uint8Array(SIGNATURE_BYTES);
      mixInto(out, PURPOSE.sign, [key.seed, ...parts]);
      return out;
    },
    verify(publicKey, given, ...parts) {
      const seed = publicKey.length === 32 && given.length === SIGNATURE_BYTES ? signing.get(nameOf(publicKey)) : undefined;
      if (seed === undefined) return false;
      mixInto(signed, PURPOSE.sign, [seed, ...parts]);
      for (let index = 0; index < SIGNATURE_BYTES; index += 1) if (signed[index] !== given[index]) return false;
      return true;
    },
    dhKey(secret) {
      assert(secret.length === 32, 'an X25519 scalar has 32 bytes');
      const publicKey = mix(PURPOSE.dhPublic, [secret]);
      agreement.set(nameOf(publicKey), secret);
      return { publicKey, secret, handle: null };
    },
    dh(key, publicKey) {
      if (publicKey.length !== 32 || publicKey.every((byte) => byte === 0)) return undefined;
      const other = agreement.get(nameOf(publicKey));
      // Whoever made this key, its secret is nowhere: both sides compute something, and never the same.
      if (other === undefined) return mix(PURPOSE.dhStranger, [key.secret, publicKey]);
      return mix(PURPOSE.dhShared, isLower(key.secret, other) ? [key.secret, other] : [other, key.secret]);
    },
    crc32: (bytes, start) => crc32(bytes, start),
    equal(a, b) {
      if (a.length !== b.length) return false;
      for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return false;
      return true;
    },
  };
}

/** A key stream that depends on key and nonce; the same call takes it off again. */
function mask(key: Uint8Array, nonce: Uint8Array, from: Uint8Array, to: Uint8Array): void {
  if (from.length === 0) return;
  mixInto(scratch, PURPOSE.stream, [key, nonce]);
  let word = (scratch[0] ?? 0) | ((scratch[1] ?? 0) << 8) | ((scratch[2] ?? 0) << 16) | ((scratch[3] ?? 0) << 24) | 1;
  for (let index = 0; index < from.length; index += 1) {
    if ((index & 3) === 0) {
      word ^= word << 13;
      word ^= word >>> 17;
      word ^= word << 5;
    }
    to[index] = (from[index] ?? 0) ^ (word >>> ((index & 3) << 3));
  }
}

function nameOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function isLower(a: Uint8Array, b: Uint8Array): boolean {
  for (let index = 0; index < a.length; index += 1) if (a[index] !== b[index]) return (a[index] ?? 0) < (b[index] ?? 0);
  return true;
}

function rawKey(key: AeadKey): Uint8Array {
  assert(key.aead instanceof Uint8Array, 'a key of this port');
  return key.aead;
}
