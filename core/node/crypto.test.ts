import { describe, expect, test } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import vectors from '../../test/vectors/crypto/rfc.json' with { type: 'json' };
import { createNodeCrypto, systemEntropy } from './crypto.ts';

const crypto = createNodeCrypto();
const bytes = (text: string): Uint8Array => fromHex(text)!;

describe('X25519', () => {
  test.each(vectors.x25519.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    expect(hex(crypto.dh(crypto.dhKey(bytes(vector.scalar)), bytes(vector.u))!)).toBe(vector.out);
  });

  test(vectors.x25519Iterated.name, () => {
    let scalar = bytes(vectors.x25519Iterated.start);
    let u = scalar;
    for (let round = 1; round <= 1_000; round += 1) {
      [scalar, u] = [crypto.dh(crypto.dhKey(scalar), u)!, scalar];
      if (round === 1) expect(hex(scalar)).toBe(vectors.x25519Iterated.once);
    }
    expect(hex(scalar)).toBe(vectors.x25519Iterated.thousand);
  });

  test(vectors.x25519Agreement.name, () => {
    const { aliceSecret, alicePublic, bobSecret, bobPublic, shared } = vectors.x25519Agreement;
    const [alice, bob] = [crypto.dhKey(bytes(aliceSecret)), crypto.dhKey(bytes(bobSecret))];
    expect([hex(alice.publicKey), hex(bob.publicKey)]).toEqual([alicePublic, bobPublic]);
    expect([hex(crypto.dh(alice, bob.publicKey)!), hex(crypto.dh(bob, alice.publicKey)!)]).toEqual([shared, shared]);
  });

  test.each(vectors.x25519LowOrder.map((vector) => [vector.name, vector.u] as const))('a low-order public key gives no secret: %s', (_name, u) => {
    expect(crypto.dh(crypto.dhKey(new Uint8Array(32).fill(7)), bytes(u))).toBeUndefined();
  });

  test('a public key of another length gives no secret', () => {
    expect(crypto.dh(crypto.dhKey(new Uint8Array(32).fill(7)), new Uint8Array(31))).toBeUndefined();
  });
});

describe('Ed25519', () => {
  test.each(vectors.ed25519.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const key = crypto.signKey(bytes(vector.seed));
    const message = bytes(vector.message);
    const signature = bytes(vector.signature);
    expect(hex(key.publicKey)).toBe(vector.public);
    expect(hex(crypto.sign(key, message))).toBe(vector.signature);
    expect(crypto.verify(key.publicKey, signature, message)).toBe(true);
    expect(crypto.verify(key.publicKey, signature, message, Uint8Array.of(0))).toBe(false);
  });

  test('verification answers false to keys and signatures that are none', () => {
    expect(crypto.verify(new Uint8Array(31), new Uint8Array(64))).toBe(false);
    expect(crypto.verify(new Uint8Array(32).fill(255), new Uint8Array(64))).toBe(false);
    expect(crypto.verify(new Uint8Array(32), new Uint8Array(63))).toBe(false);
  });
});

describe('ChaCha20-Poly1305', () => {
  test.each(vectors.chacha20poly1305.map((vector) => [vector.name, vector] as const))('%s', (_name, vector) => {
    const key = crypto.aeadKey(bytes(vector.key));
    const [nonce, aad, plaintext] = [bytes(vector.nonce), bytes(vector.aad), bytes(vector.plaintext)];
    expect(hex(crypto.seal(key, nonce, aad, plaintext))).toBe(vector.sealed);
    expect(hex(crypto.open(key, nonce, aad, bytes(vector.sealed))!)).toBe(vector.plaintext);
    for (let index = 0; index < bytes(vector.sealed).length; index += 1) {
      const changed = bytes(vector.sealed);
      changed[index]! ^= 1;
      expect(crypto.open(key, nonce, aad, changed)).toBeUndefined();
    }
  });

  test('headroom is zero and in front', () => {
    const key = crypto.aeadKey(new Uint8Array(32));
    const nonce = new Uint8Array(12);
    const plain = crypto.seal(key, nonce, nonce, Uint8Array.of(1, 2, 3));
    expect(hex(crypto.seal(key, nonce, nonce, Uint8Array.of(1, 2, 3), 24))).toBe('00'.repeat(24) + hex(plain));
  });

  test('a record shorter than its tag does not open', () => {
    const key = crypto.aeadKey(new Uint8Array(32));
    expect(crypto.open(key, new Uint8Array(12), new Uint8Array(0), new Uint8Array(15))).toBeUndefined();
  });
});

test.each(vectors.hkdf.map((vector) => [vector.name, vector] as const))('HKDF %s', (_name, vector) => {
  expect(hex(crypto.hkdf(bytes(vector.secret), bytes(vector.salt), bytes(vector.info), vector.okm.length / 2))).toBe(vector.okm);
});

test.each(vectors.hmac.map((vector) => [vector.name, vector] as const))('HMAC %s', (_name, vector) => {
  expect(hex(crypto.hmac(bytes(vector.key), bytes(vector.data)))).toBe(vector.out);
});

test.each(vectors.crc32.map((vector) => [vector.name, vector] as const))('CRC-32 %s', (_name, vector) => {
  const data = bytes(vector.data);
  expect(crypto.crc32(data).toString(16)).toBe(vector.out);
  expect(crypto.crc32(data.subarray(4), crypto.crc32(data.subarray(0, 4))).toString(16)).toBe(vector.out);
});

test('parts are hashed as if joined', () => {
  expect(hex(crypto.sha256(Uint8Array.of(1), Uint8Array.of(2)))).toBe(hex(crypto.sha256(Uint8Array.of(1, 2))));
});

test('entropy differs from call to call', () => {
  expect(hex(systemEntropy(16))).not.toBe(hex(systemEntropy(16)));
});
