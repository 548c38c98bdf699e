/**
 * How people and files see an identity: the text form `rn1…` (all 256 bits) and the fingerprint `XXXX-XXXX-XXXX-XXXX`
 * (80 bits, what humans compare; enough because the attack is a second preimage against one displayed value, protocol.md
 * §2.2). The fingerprint parser forgives what people do to such texts; the text form is exact, for machines.
 */
import { base32, fromBase32 } from '#core/bytes/bytes.ts';

declare const aidBrand: unique symbol;
/** Autonomic identifier: SHA-256 of the inception event; 32 bytes. */
export type Aid = Uint8Array & { readonly [aidBrand]?: never };

declare const aidTextBrand: unique symbol;
/** Text form of an {@link Aid}; usable as a map key. */
export type AidText = string & { readonly [aidTextBrand]?: never };

/** Bytes of an identity. */
export const AID_BYTES = 32;
const PREFIX = 'rn1';
const TEXT_CHARACTERS = PREFIX.length + 52;
const FINGERPRINT_BYTES = 10;

/** `rn1` + base32: 55 characters. */
export function aidText(aid: Aid): AidText {
  return PREFIX + base32(aid);
}

/** The identity of a text form; `undefined` for anything but exactly one. */
export function parseAid(text: string): Aid | undefined {
  if (text.length !== TEXT_CHARACTERS || !text.startsWith(PREFIX) || text !== text.toLowerCase()) return undefined;
  const aid = fromBase32(text.slice(PREFIX.length));
  return aid?.length === AID_BYTES ? aid : undefined;
}

/** `XXXX-XXXX-XXXX-XXXX`: what a person reads on two screens. */
export function fingerprintOf(aid: Aid): string {
  const text = base32(aid.subarray(0, FINGERPRINT_BYTES)).toUpperCase();
  return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}`;
}

/**
 * The canonical fingerprint meant by what a person typed: either case, any or no separators, and the digits that do not
 * occur in base32 read as the letters they look like (0 O, 1 I, 8 B). `undefined` where it is not a complete fingerprint:
 * part of one is never enough to approve (protocol.md §2.14).
 */
export function parseFingerprint(typed: string): string | undefined {
  const text = typed
    .toUpperCase()
    .replace(/[\s\-\u2013\u2014_.:·]/g, '')
    .replaceAll('0', 'O')
    .replaceAll('1', 'I')
    .replaceAll('8', 'B');
  if (!/^[A-Z2-7]{16}$/.test(text)) return undefined;
  return `${text.slice(0, 4)}-${text.slice(4, 8)}-${text.slice(8, 12)}-${text.slice(12, 16)}`;
}
