/**
 * The hash chain over the lines of an exported history: each head covers the line, all lines before it, the state they
 * began from, and whose history it is. Whoever changes, drops, adds or moves one line is found at that line; whoever also
 * changes the heads after it is found at the signature over the whole document.
 */
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import type { TrustState } from '../fold.ts';
import { encodeState } from '../history-codec.ts';

const GENESIS = labelled('HCTH1:hist');
const LINK = new Uint8Array([1]);

/** h₀ = SHA-256("HCTH1:hist" 00 ‖ AID of the observer ‖ AID of the peer ‖ RMP of the base). */
export function historyGenesis(crypto: CryptoPort, observer: Aid, peer: Aid, base: TrustState): Uint8Array {
  return crypto.sha256(GENESIS, observer, peer, encodeRmp(encodeState(base)));
}

/** hₙ = SHA-256(01 ‖ hₙ₋₁ ‖ line). */
export function historyHead(crypto: CryptoPort, before: Uint8Array, line: string): Uint8Array {
  return crypto.sha256(LINK, before, utf8(line));
}
