/**
 * Identities for tests: real keys from readable seeds, so that a failing test can be repeated byte by byte.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { makeBoot, type StartReason } from '#mesh/hcth/boot-event.ts';
import { linkGenesis, NO_ANCHOR } from '#mesh/hcth/chain.ts';
import { createIdentity } from '#mesh/hcth/create-identity.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { LinkChain } from '#mesh/hcth/link-chain.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';

const real = createNodeCrypto();

/** The real primitives; digests as plain arrays, so that the runner can compare them. */
export const crypto: CryptoPort = {
  ...real,
  sha256: (...parts) => new Uint8Array(real.sha256(...parts)),
  sign: (key, ...parts) => new Uint8Array(real.sign(key, ...parts)),
};

/** `byteCount` bytes that depend on the label only. */
export function bytesFor(label: string, byteCount: number): Uint8Array {
  return crypto.hkdf(utf8(label), utf8('robonet-test'), new Uint8Array(0), byteCount);
}

/** A board with these facts. */
export function binding(facts: Readonly<Record<string, string>>, kind: HardwareBinding['kind'] = 'soft'): HardwareBinding {
  const text = Object.entries(facts)
    .map(([name, value]) => `${name}=${value}`)
    .join('\n');
  return { kind, digest: crypto.sha256(utf8(text)), secret: utf8(text), facts: new Map(Object.entries(facts)) };
}

/** A node with keys from its name. */
export function identityOf(name: string): Identity {
  return createIdentity(crypto, bytesFor(`identity ${name}`, 112), binding({ serial: name })).identity;
}

/** Its boot event. */
export function bootOf(
  identity: Identity,
  incarnation: number,
  nonceLabel = `${incarnation}`,
  why: StartReason = 'start',
): { readonly object: SignedObject; readonly nonce: Uint8Array } {
  const nonce = bytesFor(`nonce ${nonceLabel}`, 16);
  const object = makeBoot(crypto, identity.signKey, {
    aid: identity.established.aid,
    incarnation,
    nonce,
    establishmentHead: identity.established.head,
    previousBoot: new Uint8Array(32),
    previousStatement: new Uint8Array(32),
    why,
    software: 'robonet 0.1.0',
  });
  return { object, nonce };
}

/** A chain at its genesis, from one identity to another. */
export function chainOf(from: Identity, to: Identity, incarnation: number, nonce: Uint8Array): LinkChain {
  return new LinkChain(crypto, {
    incarnation,
    nonce,
    sequence: 0,
    head: linkGenesis(crypto, from.established.aid, to.established.aid, incarnation, nonce, NO_ANCHOR),
  });
}

/** Chain the same `count` frames on every chain given. */
export function exchange(count: number, ...chains: readonly LinkChain[]): void {
  for (let index = 0; index < count; index += 1) {
    const plaintext = utf8(`frame ${(chains[0]?.sequence ?? 0) + 1}`);
    for (const chain of chains) chain.append(new Uint8Array(20), plaintext);
  }
}
