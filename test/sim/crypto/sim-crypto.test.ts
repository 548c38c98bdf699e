import { expect, test } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { cryptoConformance } from '#test/conformance/crypto.ts';
import { KeyRegistry } from './sim-crypto.ts';
import { witnessed } from './witness.ts';

cryptoConformance('node', createNodeCrypto);
cryptoConformance('simulated', () => new KeyRegistry().port());

test('a key that was made in no world signs nothing there', () => {
  const elsewhere = new KeyRegistry().port();
  const key = elsewhere.signKey(new Uint8Array(32).fill(5));
  const signature = elsewhere.sign(key, Uint8Array.of(1));
  expect(elsewhere.verify(key.publicKey, signature, Uint8Array.of(1))).toBe(true);
  expect(new KeyRegistry().port().verify(key.publicKey, signature, Uint8Array.of(1))).toBe(false);
});

test('ports of one registry understand each other, and a witness sees what each does', () => {
  const registry = new KeyRegistry();
  const seen: string[] = [];
  const ada = witnessed(registry.port(), { signed: () => seen.push('ada signed'), verified: () => seen.push('ada verified') });
  const bob = witnessed(registry.port(), { signed: () => seen.push('bob signed'), verified: () => seen.push('bob verified') });
  const key = ada.signKey(new Uint8Array(32).fill(5));
  const signature = ada.sign(key, Uint8Array.of(1));
  expect(bob.verify(key.publicKey, signature, Uint8Array.of(1))).toBe(true);
  expect(bob.verify(key.publicKey, signature, Uint8Array.of(2))).toBe(false);
  expect(seen).toEqual(['ada signed', 'bob verified']);
});
