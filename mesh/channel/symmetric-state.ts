/**
 * The running hash and chaining key of a handshake (Noise specification §5.2): everything said goes into `h`, every
 * shared secret into `ck`.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { CipherState } from './cipher-state.ts';

const HASH_BYTES = 32;
const NOTHING = new Uint8Array(0);
const [ONE, TWO, THREE] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];

/** Invariant: `h` commits to the protocol name, the prologue and every byte of every message so far. */
export class SymmetricState {
  readonly #crypto: CryptoPort;
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #cipher: CipherState | undefined;

  constructor(crypto: CryptoPort, protocolName: string) {
    this.#crypto = crypto;
    const name = utf8(protocolName);
    const padded = name.length <= HASH_BYTES ? concat(name, new Uint8Array(HASH_BYTES - name.length)) : crypto.sha256(name);
    this.#hash = padded;
    this.#chainingKey = padded;
  }

  /** `h`. */
  get hash(): Uint8Array {
    return this.#hash;
  }

  mixHash(data: Uint8Array): void {
    this.#hash = this.#crypto.sha256(this.#hash, data);
  }

  mixKey(material: Uint8Array): void {
    const [chainingKey, key] = this.#derive(material);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(this.#crypto, key);
  }

  mixKeyAndHash(material: Uint8Array): void {
    const [chainingKey, forHash, key] = this.#deriveThree(material);
    this.#chainingKey = chainingKey;
    this.mixHash(forHash);
    this.#cipher = new CipherState(this.#crypto, key);
  }

  /** Bytes that {@link encryptAndHash} adds now: a tag once there is a key. */
  get overhead(): number {
    return this.#cipher === undefined ? 0 : 16;
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const sealed = this.#cipher === undefined ? plaintext : this.#cipher.seal(this.#hash, plaintext);
    this.mixHash(sealed);
    return sealed;
  }

  decryptAndHash(sealed: Uint8Array): Uint8Array | undefined {
    const plaintext = this.#cipher === undefined ? sealed : this.#cipher.open(this.#hash, sealed);
    if (plaintext !== undefined) this.mixHash(sealed);
    return plaintext;
  }

  /** Transport keys: initiator to responder, responder to initiator. */
  split(): readonly [CipherState, CipherState] {
    const [first, second] = this.#derive(NOTHING);
    return [new CipherState(this.#crypto, first), new CipherState(this.#crypto, second)];
  }

  /** Noise HKDF (§4.3) with two outputs. */
  #derive(material: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const secret = this.#crypto.hmac(this.#chainingKey, material);
    return this.#expand(secret);
  }

  /** The same with three. */
  #deriveThree(material: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] {
    const secret = this.#crypto.hmac(this.#chainingKey, material);
    const [first, second] = this.#expand(secret);
    return [first, second, this.#crypto.hmac(secret, second, THREE)];
  }

  #expand(secret: Uint8Array): readonly [Uint8Array, Uint8Array] {
    const first = this.#crypto.hmac(secret, ONE);
    return [first, this.#crypto.hmac(secret, first, TWO)];
  }
}
