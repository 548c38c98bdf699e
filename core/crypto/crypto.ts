/**
 * The cryptographic port: everything the protocol needs from `node:crypto` (protocol.md §2.1), and nothing else.
 * Synchronous, so that the handshake and link machines stay pure functions of their inputs. Keys are handles: importing
 * a raw key costs several times the operation itself (protocol.md §2.1, notes), so it is done once and kept.
 */

/** A prepared ChaCha20-Poly1305 key. */
export interface AeadKey {
  readonly aead: unknown;
}

/** An Ed25519 key pair; `seed` is the 32-byte RFC 8032 secret, for storing only. */
export interface SignKey {
  readonly publicKey: Uint8Array;
  readonly seed: Uint8Array;
  readonly handle: unknown;
}

/** An X25519 key pair; `secret` is the 32-byte RFC 7748 scalar, for storing only. */
export interface DhKey {
  readonly publicKey: Uint8Array;
  readonly secret: Uint8Array;
  readonly handle: unknown;
}

export interface CryptoPort {
  /** SHA-256 over the concatenation of the parts; 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** HMAC-SHA-256 over the concatenation of the parts; 32 bytes. */
  hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array;
  /** HKDF-SHA-256 (RFC 5869). */
  hkdf(secret: Uint8Array, salt: Uint8Array, info: Uint8Array, byteCount: number): Uint8Array;

  /** Prepare a 32-byte key for {@link seal} and {@link open}. */
  aeadKey(raw: Uint8Array): AeadKey;
  /**
   * Encrypt; returns `headroom` bytes for the caller to fill in, then ciphertext, then the 16-byte tag, in one fresh
   * buffer. `nonce` is 12 bytes (RFC 8439).
   */
  seal(key: AeadKey, nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array, headroom?: number): Uint8Array;
  /** Decrypt ciphertext followed by its tag; `undefined` when the tag does not fit. */
  open(key: AeadKey, nonce: Uint8Array, aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined;

  /** An Ed25519 key pair from a 32-byte seed. */
  signKey(seed: Uint8Array): SignKey;
  /** 64-byte Ed25519 signature over the concatenation of the parts. */
  sign(key: SignKey, ...parts: readonly Uint8Array[]): Uint8Array;
  /** Whether the signature over the concatenation of the parts is the public key's. Never throws on bad input. */
  verify(publicKey: Uint8Array, signature: Uint8Array, ...parts: readonly Uint8Array[]): boolean;

  /** An X25519 key pair from a 32-byte scalar. */
  dhKey(secret: Uint8Array): DhKey;
  /** X25519; `undefined` when the result is all zero or the public key is not 32 bytes. */
  dh(key: DhKey, publicKey: Uint8Array): Uint8Array | undefined;

  /** CRC-32 (ISO-HDLC), continuing from `start`. */
  crc32(bytes: Uint8Array, start?: number): number;
  /** Constant-time equality; false for different lengths. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
}
