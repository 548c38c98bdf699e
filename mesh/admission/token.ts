/**
 * Invitation tokens: `rnj1.` + base64url of RMP (protocol.md §2.14). A short-lived shared secret that lets one machine (or
 * a few) into exactly one mesh with a role not above its ceiling. The secret never travels: both ends derive a pre-shared
 * key from it that the handshake mixes in. Whether a token still counts is judged by voters (token-judge.ts).
 */
import { base64url, fromBase64url, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type Role, ROLES } from './roles.ts';

/** What an invitation contains. A secret: never log it. */
export interface Token {
  readonly meshId: Uint8Array;
  /** 8 bytes; public, names the token in HELLO, logs and lists. */
  readonly tokenId: Uint8Array;
  readonly secret: Uint8Array;
  /** Wall clock of the voters. */
  readonly expiresAt: Millis;
  readonly uses: number;
  readonly ceiling: Role;
  /** Members of the mesh that may answer; empty for "any member that proves itself by the genesis". */
  readonly pins: readonly Aid[];
  /** Board serial the token is meant for; null for any. */
  readonly hardwareHint: string | null;
}

/** What parsing a text gave. Nothing of the text is repeated in `why`: it may be a secret. */
export type TokenOutcome = { readonly kind: 'token'; readonly token: Token } | { readonly kind: 'malformed'; readonly why: string };

const PREFIX = 'rnj1.';
const PSK = labelled('HCTH1:psk');

/** The text form, for a file or standard input; never for an argument or the environment. */
export function encodeToken(token: Token): string {
  return (
    PREFIX +
    base64url(
      encodeFields({
        m: token.meshId,
        id: token.tokenId,
        s: token.secret,
        exp: token.expiresAt,
        u: token.uses,
        c: token.ceiling,
        p: token.pins,
        hw: token.hardwareHint ?? undefined,
      }),
    )
  );
}

/** Parse what a person pasted or a file held; white space around it does not matter. */
export function parseToken(text: string): TokenOutcome {
  const malformed = (why: string): TokenOutcome => ({ kind: 'malformed', why });
  const trimmed = text.trim();
  if (trimmed.length === 0) return malformed('the invitation is empty');
  if (trimmed.length > LIMITS.tokenCharactersMax) return malformed(`the invitation has ${trimmed.length} characters; at most ${LIMITS.tokenCharactersMax} are expected`);
  if (!trimmed.startsWith(PREFIX)) return malformed(`an invitation begins with "${PREFIX}"`);
  if (/\s/.test(trimmed)) return malformed('the invitation is broken into several pieces; it is one line without spaces');
  const bytes = fromBase64url(trimmed.slice(PREFIX.length));
  if (bytes === undefined) return malformed('the invitation contains characters that do not belong there, or its end is missing');
  const fields = readFields(bytes);
  const token: Token = {
    meshId: fields.bytes('m', 32),
    tokenId: fields.bytes('id', 8),
    secret: fields.bytes('s', 32),
    expiresAt: fields.integer('exp', 0, Number.MAX_SAFE_INTEGER),
    uses: fields.integer('u', 1, LIMITS.tokenUsesMax),
    ceiling: fields.oneOf('c', ROLES),
    pins: fields.bytesList('p', 32, LIMITS.tokenPinsMax),
    hardwareHint: fields.optional('hw', (present) => present.text('hw', 64)) ?? null,
  };
  return fields.sound ? { kind: 'token', token } : malformed('the invitation is damaged; its end may be missing');
}

/** The pre-shared key of a token, mixed into the handshake (XXpsk0). */
export function tokenPsk(crypto: CryptoPort, token: Pick<Token, 'secret' | 'meshId' | 'tokenId'>): Uint8Array {
  return crypto.hkdf(token.secret, token.meshId, new Uint8Array([...PSK, ...token.tokenId]), 32);
}

/** A token's id as lists and `revoke` show it. */
export function tokenIdText(tokenId: Uint8Array): string {
  return hex(tokenId);
}
