/**
 * `CryptoPort` on `node:crypto` and `node:zlib`. Raw keys go through JWK, which is several times cheaper than SPKI DER,
 * and every prepared key is kept as a `KeyObject`: on Node 24 a raw key costs about 20 µs a call (performance.md).
 */
import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  hash,
  hkdfSync,
  type KeyObject,
  randomBytes,
  sign,
  timingSafeEqual,
  verify,
} from 'node:crypto';
import { crc32 } from 'node:zlib';
import { base64url, concat } from '#core/bytes/bytes.ts';
import type { AeadKey, CryptoPort, DhKey, SignKey } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Entropy } from '#core/random/random.ts';

const CIPHER = 'chacha20-poly1305';
const TAG_BYTES = 16;
const DIGEST_BYTES = 32;
const CIPHER_OPTIONS = { authTagLength: TAG_BYTES };
/** Up to here several parts are hashed as one copy. */
const SHORT_BYTES_MAX = 16_384;
/** Verified public keys kept as KeyObjects; a mesh has at most a few hundred peers (limits: 1 024). */
const PUBLIC_KEYS_MAX = 1_024;
// PKCS#8 prefixes (RFC 8410): the one way to make a private KeyObject from its seed without knowing the public half.
const PKCS8_ED25519 = Buffer.from('302e020100300506032b657004220420', 'hex');
const PKCS8_X25519 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** The operating system's generator. */
export const systemEntropy: Entropy = (byteCount) => new Uint8Array(randomBytes(byteCount));

/** A fresh adapter; it owns a bounded cache of imported public keys. */
export function createNodeCrypto(): CryptoPort {
  const ed25519Keys = new Map<string, KeyObject | undefined>();
  const scratch = Buffer.allocUnsafeSlow(SHORT_BYTES_MAX);

  const publicKeyObject = (curve: 'Ed25519' | 'X25519', raw: Uint8Array): KeyObject | undefined => {
    try {
      return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: curve, x: base64url(raw) } });
    } catch (error) {
      if (error instanceof Error) return undefined; // not a key: the caller treats it as a failed check
      throw error;
    }
  };

  const verifyKey = (raw: Uint8Array): KeyObject | undefined => {
    const name = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength).toString('latin1');
    if (ed25519Keys.has(name)) return ed25519Keys.get(name);
    if (ed25519Keys.size >= PUBLIC_KEYS_MAX) ed25519Keys.clear();
    const key = publicKeyObject('Ed25519', raw);
    ed25519Keys.set(name, key);
    return key;
  };

  return {
    sha256(...parts) {
      const [first] = parts;
      if (parts.length === 1 && first !== undefined) return digestOf(first);
      let length = 0;
      for (const part of parts) length += part.length;
      // Joining what is short costs less than a hash object; joining what is long costs more.
      if (length <= SHORT_BYTES_MAX) return digestOf(joinedIn(scratch, parts, length));
      const digest = createHash('sha256');
      for (const part of parts) digest.update(part);
      return digest.digest();
    },
    hmac(key, ...parts) {
      const mac = createHmac('sha256', createSecretKey(key));
      for (const part of parts) mac.update(part);
      return mac.digest();
    },
    hkdf(secret, salt, info, byteCount) {
      return new Uint8Array(hkdfSync('sha256', createSecretKey(secret), salt, info, byteCount));
    },
    aeadKey(raw) {
      assert(raw.length === 32, 'an AEAD key has 32 bytes');
      return { aead: createSecretKey(raw) };
    },
    seal(key, nonce, aad, plaintext, headroom = 0) {
      const cipher = createCipheriv(CIPHER, keyObject(key), nonce, CIPHER_OPTIONS);
      cipher.setAAD(aad, { plaintextLength: plaintext.length });
      const body = cipher.update(plaintext);
      cipher.final();
      // Small ones are cut from Node's pool: what is sealed is sent and forgotten soon.
      const sealed = Buffer.allocUnsafe(headroom + body.length + TAG_BYTES);
      sealed.fill(0, 0, headroom);
      sealed.set(body, headroom);
      sealed.set(cipher.getAuthTag(), headroom + body.length);
      return sealed;
    },
    open(key, nonce, aad, sealed) {
      if (sealed.length < TAG_BYTES) return undefined;
      const split = sealed.length - TAG_BYTES;
      const decipher = createDecipheriv(CIPHER, keyObject(key), nonce, CIPHER_OPTIONS);
      decipher.setAAD(aad, { plaintextLength: split });
      decipher.setAuthTag(sealed.subarray(split));
      const plaintext = decipher.update(sealed.subarray(0, split));
      try {
        decipher.final();
      } catch (error) {
        if (error instanceof Error) return undefined; // the tag does not fit: an expected outcome
        throw error;
      }
      // A plain array: views into it, of which there is one per message, cost a third of those into a Buffer.
      return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
    },
    signKey(seed) {
      assert(seed.length === 32, 'an Ed25519 seed has 32 bytes');
      const handle = createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([PKCS8_ED25519, seed]) });
      return { publicKey: rawPublic(handle), seed, handle };
    },
    sign(key, ...parts) {
      return sign(null, joined(parts), signHandle(key));
    },
    verify(publicKey, signature, ...parts) {
      const key = publicKey.length === 32 && signature.length === 64 ? verifyKey(publicKey) : undefined;
      return key !== undefined && verify(null, joined(parts), key, signature);
    },
    dhKey(secret) {
      assert(secret.length === 32, 'an X25519 scalar has 32 bytes');
      const handle = createPrivateKey({ format: 'der', type: 'pkcs8', key: Buffer.concat([PKCS8_X25519, secret]) });
      return { publicKey: rawPublic(handle), secret, handle };
    },
    dh(key, publicKey) {
      const other = publicKey.length === 32 ? publicKeyObject('X25519', publicKey) : undefined;
      if (other === undefined) return undefined;
      try {
        const shared = diffieHellman({ privateKey: dhHandle(key), publicKey: other });
        return shared.some((byte) => byte !== 0) ? shared : undefined;
      } catch (error) {
        if (error instanceof Error) return undefined; // OpenSSL refuses low-order points itself
        throw error;
      }
    },
    crc32(bytes, start) {
      return crc32(bytes, start);
    },
    equal(a, b) {
      return a.length === b.length && timingSafeEqual(a, b);
    },
  };
}

/** One-shot, and by way of a string: a Buffer of Node's own costs as much as the hash of a short message. */
function digestOf(bytes: Uint8Array): Uint8Array {
  const text = hash('sha256', bytes, 'binary');
  const digest = new Uint8Array(DIGEST_BYTES);
  for (let index = 0; index < DIGEST_BYTES; index += 1) digest[index] = text.charCodeAt(index);
  return digest;
}

function joinedIn(scratch: Buffer, parts: readonly Uint8Array[], length: number): Uint8Array {
  let at = 0;
  for (const part of parts) {
    scratch.set(part, at);
    at += part.length;
  }
  return scratch.subarray(0, length);
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 && parts[0] !== undefined ? parts[0] : concat(...parts);
}

function rawPublic(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  assert(x !== undefined, 'an OKP key has an x coordinate');
  return new Uint8Array(Buffer.from(x, 'base64url'));
}

// Handles are opaque to everybody else; only this adapter makes and reads them.
function keyObject(key: AeadKey): KeyObject {
  return key.aead as KeyObject;
}
function signHandle(key: SignKey): KeyObject {
  return key.handle as KeyObject;
}
function dhHandle(key: DhKey): KeyObject {
  return key.handle as KeyObject;
}
