/**
 * The hashes of the link chain (protocol.md §2.8, known answers in §7). Two per frame: the separate leaf lets one frame be
 * disclosed as evidence while its neighbours stay digests. Nothing but hashing happens here.
 */
import { u32, u64 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Aid } from './identity-text.ts';
import { labelled } from './labels.ts';

/** 32 zero bytes: the anchor of a first contact. */
export const NO_ANCHOR = new Uint8Array(32);
const LINK = labelled('HCTH1:link');
const LEAF = Uint8Array.of(0);
const STEP = Uint8Array.of(1);
const VOID = Uint8Array.of(2);

/** Where one direction of a link begins in an incarnation; `anchor` is the newest checkpoint both sides can prove. */
export function linkGenesis(crypto: CryptoPort, from: Aid, to: Aid, incarnation: number, nonce: Uint8Array, anchor: Uint8Array): Uint8Array {
  return crypto.sha256(LINK, from, to, u32(incarnation), nonce, anchor);
}

/** Digest of one frame: its 20 covered header bytes and its plaintext. */
export function chainLeaf(crypto: CryptoPort, header20: Uint8Array, plaintext: Uint8Array): Uint8Array {
  return crypto.sha256(LEAF, header20, plaintext);
}

/** The head after a frame. */
export function chainHead(crypto: CryptoPort, before: Uint8Array, leaf: Uint8Array): Uint8Array {
  return crypto.sha256(STEP, before, leaf);
}

/** The head after declaring everything from `from` to `to` lost; commits to the lost head, so nothing signed inside is hidden. */
export function chainVoid(crypto: CryptoPort, head: Uint8Array, from: number, to: number, lostHead: Uint8Array): Uint8Array {
  return crypto.sha256(VOID, head, u64(from), u64(to), lostHead);
}
