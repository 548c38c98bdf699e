/**
 * What the protocol relies on in a `CryptoPort`, as one suite for every implementation: the real one and the simulator's.
 * Known answers are not here; those are the real port's own (core/node/crypto.test.ts).
 */
import { describe, expect, test } from 'vitest';
import { concat, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';

const filled = (byte: number, length = 32): Uint8Array => new Uint8Array(length).fill(byte);
const message = Uint8Array.from({ length: 100 }, (_, index) => (index * 7) & 255);

/** The message with one bit of one byte changed. */
function changed(bytes: Uint8Array, index: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[index] = (copy[index] ?? 0) ^ (1 << (index & 7));
  return copy;
}

/** Run the suite. */
export function cryptoConformance(name: string, make: () => CryptoPort): void {
  describe(`crypto port conformance: ${name}`, () => {
    const crypto = make();

    test('a hash depends on every byte and on the length, and parts count as joined', () => {
      const digests = new Set<string>([hex(crypto.sha256(message)), hex(crypto.sha256(concat(message, filled(0, 1)))), hex(crypto.sha256())]);
      for (let index = 0; index < message.length; index += 1) digests.add(hex(crypto.sha256(changed(message, index))));
      for (let length = 1; length < message.length; length += 1) digests.add(hex(crypto.sha256(message.subarray(0, length))));
      expect(digests.size).toBe(3 + message.length * 2 - 1);
      for (const cut of [0, 1, 15, 16, 17, 50]) expect(hex(crypto.sha256(message.subarray(0, cut), message.subarray(cut)))).toBe(hex(crypto.sha256(message)));
      expect(crypto.sha256(message)).toHaveLength(32);
    });

    test('a hash of something long is as good', () => {
      const long = new Uint8Array(200_000).fill(3);
      expect(hex(crypto.sha256(long))).not.toBe(hex(crypto.sha256(changed(long, 199_999))));
      expect(hex(crypto.sha256(long.subarray(0, 70_001), long.subarray(70_001)))).toBe(hex(crypto.sha256(long)));
    });

    test('a MAC depends on key and message', () => {
      const macs = [crypto.hmac(filled(1), message), crypto.hmac(filled(2), message), crypto.hmac(filled(1), changed(message, 9)), crypto.sha256(message)];
      expect(new Set(macs.map(hex)).size).toBe(macs.length);
      expect(hex(crypto.hmac(filled(1), message.subarray(0, 40), message.subarray(40)))).toBe(hex(crypto.hmac(filled(1), message)));
    });

    test('derived keys depend on secret, salt and purpose, and have the length asked for', () => {
      const keys = [
        crypto.hkdf(filled(1), filled(2), filled(3), 64),
        crypto.hkdf(filled(9), filled(2), filled(3), 64),
        crypto.hkdf(filled(1), filled(9), filled(3), 64),
        crypto.hkdf(filled(1), filled(2), filled(9), 64),
      ];
      expect(new Set(keys.map(hex)).size).toBe(keys.length);
      for (const length of [1, 32, 64, 96]) expect(crypto.hkdf(filled(1), filled(2), filled(3), length)).toHaveLength(length);
      expect(keys.map(hex)[0]).toContain(hex(crypto.hkdf(filled(1), filled(2), filled(3), 32)));
    });

    test('a sealed record opens with its key, nonce and associated data, and with nothing else', () => {
      const key = crypto.aeadKey(filled(7));
      const [nonce, aad] = [filled(1, 12), filled(2, 20)];
      const sealed = crypto.seal(key, nonce, aad, message);
      expect(sealed).toHaveLength(message.length + 16);
      expect(hex(crypto.open(key, nonce, aad, sealed) ?? filled(0))).toBe(hex(message));
      expect(hex(sealed)).not.toContain(hex(message.subarray(0, 16)));
      for (let index = 0; index < sealed.length; index += 1) expect(crypto.open(key, nonce, aad, changed(sealed, index))).toBeUndefined();
      for (let index = 0; index < aad.length; index += 1) expect(crypto.open(key, nonce, changed(aad, index), sealed)).toBeUndefined();
      expect(crypto.open(key, changed(nonce, 3), aad, sealed)).toBeUndefined();
      expect(crypto.open(crypto.aeadKey(changed(filled(7), 31)), nonce, aad, sealed)).toBeUndefined();
      expect(crypto.open(key, nonce, aad, sealed.subarray(0, 15))).toBeUndefined();
      expect(crypto.open(key, nonce, aad, sealed.subarray(1))).toBeUndefined();
    });

    test('an empty record opens, and headroom is zero and in front', () => {
      const key = crypto.aeadKey(filled(7));
      const nonce = filled(1, 12);
      expect(crypto.open(key, nonce, nonce, crypto.seal(key, nonce, nonce, filled(0, 0)))).toHaveLength(0);
      expect(hex(crypto.seal(key, nonce, nonce, message, 24))).toBe('00'.repeat(24) + hex(crypto.seal(key, nonce, nonce, message)));
    });

    test('a signature verifies under its own key and over its own message only', () => {
      const [ada, bob] = [crypto.signKey(filled(1)), crypto.signKey(filled(2))];
      const signature = crypto.sign(ada, message);
      expect(signature).toHaveLength(64);
      expect(crypto.verify(ada.publicKey, signature, message)).toBe(true);
      expect(crypto.verify(ada.publicKey, signature, message.subarray(0, 30), message.subarray(30))).toBe(true);
      expect(crypto.verify(bob.publicKey, signature, message)).toBe(false);
      expect(crypto.verify(ada.publicKey, crypto.sign(bob, message), message)).toBe(false);
      for (let index = 0; index < message.length; index += 1) expect(crypto.verify(ada.publicKey, signature, changed(message, index))).toBe(false);
      for (let index = 0; index < 64; index += 1) expect(crypto.verify(ada.publicKey, changed(signature, index), message)).toBe(false);
      expect(hex(crypto.sign(crypto.signKey(filled(1)), message))).toBe(hex(signature));
    });

    test('verification answers false to keys and signatures that are none', () => {
      expect(crypto.verify(new Uint8Array(31), new Uint8Array(64))).toBe(false);
      expect(crypto.verify(filled(255), new Uint8Array(64))).toBe(false);
      expect(crypto.verify(new Uint8Array(32), new Uint8Array(63))).toBe(false);
    });

    test('two ends of an exchange agree, a third one does not', () => {
      const [ada, bob, eve] = [crypto.dhKey(filled(1)), crypto.dhKey(filled(2)), crypto.dhKey(filled(3))];
      const shared = hex(crypto.dh(ada, bob.publicKey) ?? filled(0));
      expect(hex(crypto.dh(bob, ada.publicKey) ?? filled(0))).toBe(shared);
      expect(hex(crypto.dh(eve, ada.publicKey) ?? filled(0))).not.toBe(shared);
      expect(hex(crypto.dh(eve, bob.publicKey) ?? filled(0))).not.toBe(shared);
      expect(crypto.dh(ada, new Uint8Array(32))).toBeUndefined();
      expect(crypto.dh(ada, new Uint8Array(31))).toBeUndefined();
    });

    test('a checksum continues where another one ended', () => {
      expect(crypto.crc32(message.subarray(10), crypto.crc32(message.subarray(0, 10)))).toBe(crypto.crc32(message));
    });

    test('equality is that of contents', () => {
      expect(crypto.equal(message, message.slice())).toBe(true);
      expect(crypto.equal(message, changed(message, 50))).toBe(false);
      expect(crypto.equal(message, message.subarray(1))).toBe(false);
    });
  });
}
