/**
 * One direction of encryption (Noise specification §5.1): a key and a counter that is the nonce. The counter is never
 * sent and never repeats under one key; a record that does not open ends the session, so the two ends stay in step.
 */
import { assert } from '#core/errors/assert.ts';
import type { AeadKey, CryptoPort } from '#core/crypto/crypto.ts';
import { SESSION_RECORDS_MAX } from './limits.ts';

const EMPTY = new Uint8Array(0);
const ZEROS = new Uint8Array(32);
const KEY_BYTES = 32;
/** Nonce 2^64 - 1, reserved for REKEY. */
const REKEY_NONCE = Uint8Array.of(0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);

/**
 * A key with its counter.
 * Invariants: no two seals use one (key, nonce); `records` never decreases, also not over {@link rekey}.
 */
export class CipherState {
  readonly #crypto: CryptoPort;
  #key: AeadKey;
  #records = 0;
  // Reused: 32 zero bits, then the counter as 64 bits little-endian (Noise specification §12.3).
  readonly #nonce = new Uint8Array(12);

  constructor(crypto: CryptoPort, rawKey: Uint8Array) {
    this.#crypto = crypto;
    this.#key = crypto.aeadKey(rawKey);
  }

  /** Records sealed or opened so far: the next nonce. */
  get records(): number {
    return this.#records;
  }

  /** Whether the hard limit is reached: nothing can be sealed or opened any more. */
  get isExhausted(): boolean {
    return this.#records >= SESSION_RECORDS_MAX;
  }

  /** Encrypt the next record: `headroom` zero bytes, ciphertext, tag. */
  seal(aad: Uint8Array, plaintext: Uint8Array, headroom = 0): Uint8Array {
    assert(!this.isExhausted, 'a session ends before 2^32 records');
    const sealed = this.#crypto.seal(this.#key, this.#nextNonce(), aad, plaintext, headroom);
    this.#records += 1;
    return sealed;
  }

  /** Decrypt the next record; undefined when it was not sealed by the other end as exactly this record. */
  open(aad: Uint8Array, sealed: Uint8Array): Uint8Array | undefined {
    if (this.isExhausted) return undefined;
    const plaintext = this.#crypto.open(this.#key, this.#nextNonce(), aad, sealed);
    if (plaintext !== undefined) this.#records += 1;
    return plaintext;
  }

  /** REKEY (Noise specification §4.2, §11.3): a new key that the old one cannot be found from; the counter goes on. */
  rekey(): void {
    const sealed = this.#crypto.seal(this.#key, REKEY_NONCE, EMPTY, ZEROS);
    this.#key = this.#crypto.aeadKey(sealed.subarray(0, KEY_BYTES));
  }

  #nextNonce(): Uint8Array {
    const count = this.#records;
    this.#nonce[4] = count & 0xff;
    this.#nonce[5] = (count >>> 8) & 0xff;
    this.#nonce[6] = (count >>> 16) & 0xff;
    this.#nonce[7] = (count >>> 24) & 0xff; // the limit of 2^32 keeps the upper half zero
    return this.#nonce;
  }
}
