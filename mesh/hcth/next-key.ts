/**
 * The next key as it leaves the device (protocol.md §2.2, §2.14): a short text that survives paper, a telephone and a
 * scanner. It names the identity and the rotation it is for, so that the wrong paper is recognised before anything is
 * signed, and ends in a checksum, so that a slip of the pen is too. Whoever holds it can take the identity over.
 */
import { base32, bytesEqual, concat, fromBase32 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Aid, fingerprintOf } from './identity-text.ts';
import { labelled } from './labels.ts';

/** A next key and what it is for. */
export interface NextKey {
  /** First 10 bytes of the AID: what its fingerprint shows. */
  readonly aidPrefix: Uint8Array;
  /** Number of the rotation that it signs. */
  readonly rotation: number;
  /** Ed25519 seed. */
  readonly seed: Uint8Array;
}

/** What a text turned out to be. */
export type NextKeyReading = { readonly kind: 'key'; readonly key: NextKey } | { readonly kind: 'bad'; readonly why: string };

/** What every such text begins with. */
export const NEXT_KEY_PREFIX = 'rnk1.';
/** Longest text that is looked at; a file with remarks fits. */
export const NEXT_KEY_CHARACTERS_MAX = 4_096;

const PREFIX_BYTES = 10;
const SEED_BYTES = 32;
const CHECKSUM_BYTES = 4;
const BYTES = 1 + PREFIX_BYTES + SEED_BYTES + CHECKSUM_BYTES;
const CHARACTERS = Math.ceil((BYTES * 8) / 5);
const GROUP = 4;
const CHECKSUM_LABEL = labelled('HCTH1:next-key');

/** `rnk1.XXXX-XXXX-…`: 76 characters in groups of four. */
export function nextKeyText(crypto: CryptoPort, aid: Aid, rotation: number, seed: Uint8Array): string {
  const content = concat(Uint8Array.of(rotation), aid.subarray(0, PREFIX_BYTES), seed);
  const text = base32(concat(content, checksum(crypto, content))).toUpperCase();
  const groups: string[] = [];
  for (let at = 0; at < text.length; at += GROUP) groups.push(text.slice(at, at + GROUP));
  return NEXT_KEY_PREFIX + groups.join('-');
}

/**
 * Read what {@link nextKeyText} wrote, out of a text with remarks (lines that begin with #) and whatever a person's hand
 * did to it: either case, any grouping, line breaks, and the digits that base32 lacks read as the letters they look like.
 */
export function parseNextKey(crypto: CryptoPort, text: string): NextKeyReading {
  const bad = (why: string): NextKeyReading => ({ kind: 'bad', why });
  if (text.length > NEXT_KEY_CHARACTERS_MAX) return bad(`a text of ${text.length} characters is no next key`);
  const spoken = text
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('#'))
    .join('')
    .toLowerCase();
  const start = spoken.indexOf(NEXT_KEY_PREFIX);
  if (start < 0) return bad(`a next key begins with ${NEXT_KEY_PREFIX}`);
  const characters = spoken
    .slice(start + NEXT_KEY_PREFIX.length)
    .replace(/[\s\-\u2013\u2014_.:·]/g, '')
    .replaceAll('0', 'o')
    .replaceAll('1', 'i')
    .replaceAll('8', 'b');
  if (characters.length !== CHARACTERS) return bad(`it has ${characters.length} characters after ${NEXT_KEY_PREFIX}, and ${CHARACTERS} are needed`);
  const bytes = fromBase32(characters);
  if (bytes?.length !== BYTES) return bad('it holds a character that no next key has');
  const content = bytes.subarray(0, BYTES - CHECKSUM_BYTES);
  if (!bytesEqual(bytes.subarray(BYTES - CHECKSUM_BYTES), checksum(crypto, content))) return bad('its checksum does not fit: some character is wrong');
  return {
    kind: 'key',
    key: { rotation: content[0] ?? 0, aidPrefix: content.slice(1, 1 + PREFIX_BYTES), seed: content.slice(1 + PREFIX_BYTES) },
  };
}

/** The fingerprint of the identity that the key belongs to. */
export function nextKeyFingerprint(key: NextKey): string {
  return fingerprintOf(key.aidPrefix);
}

function checksum(crypto: CryptoPort, content: Uint8Array): Uint8Array {
  return crypto.sha256(CHECKSUM_LABEL, content).subarray(0, CHECKSUM_BYTES);
}
