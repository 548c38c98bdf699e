/**
 * The invitation as a person or an image carries it: `rnj1.` and base64url, safe to paste. Whoever holds one can prove it
 * to the mesh, and the mesh to its bearer, without either showing the secret (protocol.md §2.14). A text that is no token
 * is told apart from a damaged, cut or foreign one, because the cure differs. Never logged, never in argv or environment.
 */
import { base64url, fromBase64url } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, Fields } from '#mesh/hcth/fields.ts';
import { type Aid, AID_BYTES } from '#mesh/hcth/identity-text.ts';
import { labelled } from '#mesh/hcth/labels.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { meshNameFault } from './names.ts';
import { type Role, ROLES } from './roles.ts';

/** Bytes of a token's public number. */
export const TOKEN_ID_BYTES = 8;
/** Bytes of a token's secret. */
export const TOKEN_SECRET_BYTES = 32;

/** What a token says. */
export interface Token {
  readonly meshId: Uint8Array;
  readonly meshName: string;
  readonly tokenId: Uint8Array;
  readonly secret: Uint8Array;
  /** For people; the voter judges by its own clock and its own note of it. */
  readonly expiresAt: Millis;
  readonly uses: number;
  readonly role: Role;
  /** Identities, one of which must stand behind the welcome; the founders as a rule. */
  readonly pins: readonly Aid[];
  /** Serial number of the one board that it is for; null for whichever. */
  readonly hardware: string | null;
  /** Where members listened when it was made: `host:port`. Hints only. */
  readonly peers: readonly string[];
}

/** What is wrong with a text that should have been a token. */
export type TokenFault = 'empty' | 'too-long' | 'no-token' | 'other-version' | 'truncated' | 'damaged';

/**
 * A token, or what stands there instead. `at` counts characters from 0, white space left out; null where no place can be
 * named. Nothing of the text is repeated in `why`: it may be a secret.
 */
export type TokenOutcome =
  | { readonly kind: 'token'; readonly token: Token }
  | { readonly kind: 'malformed'; readonly fault: TokenFault; readonly at: number | null; readonly why: string };

const VERSION = 'rnj1';
const PREFIX = `${VERSION}.`;
const PSK_LABEL = labelled('HCTH1:tok');
const NOTHING = new Uint8Array(0);

/** The text of a token. */
export function encodeToken(token: Token): string {
  const bytes = encodeFields({
    m: token.meshId,
    n: token.meshName,
    t: token.tokenId,
    k: token.secret,
    x: token.expiresAt,
    u: token.uses,
    c: token.role,
    p: token.pins,
    hw: token.hardware ?? undefined,
    a: token.peers.length === 0 ? undefined : token.peers,
  });
  return PREFIX + base64url(bytes);
}

/** Read what somebody pasted; white space anywhere in it (wrapped lines) does no harm. */
export function parseToken(pasted: string): TokenOutcome {
  const bad = (fault: TokenFault, at: number | null, why: string): TokenOutcome => ({ kind: 'malformed', fault, at, why });
  const text = pasted.replace(/\s+/g, '');
  const end = text.length;
  if (end === 0) return bad('empty', 0, 'there is no invitation: the text is empty');
  if (end > LIMITS.tokenCharactersMax)
    return bad('too-long', null, `a text of ${end} characters is longer than an invitation can be (${LIMITS.tokenCharactersMax})`);
  const version = /^(rnj\d{1,4})\./.exec(text)?.[1];
  const truncated = (): TokenOutcome => bad('truncated', end, `the invitation ends too early, after ${end} characters; copy all of it`);
  if (version === undefined) return PREFIX.startsWith(text) ? truncated() : bad('no-token', 0, `this is no invitation: invitations begin with "${PREFIX}"`);
  if (version !== VERSION)
    return bad('other-version', 0, `the invitation has version ${version}, this agent reads ${VERSION}; update the older of the two agents`);
  const encoded = text.slice(PREFIX.length);
  const foreign = encoded.search(/[^A-Za-z0-9_-]/);
  if (foreign >= 0)
    return bad('damaged', PREFIX.length + foreign, `character ${PREFIX.length + foreign + 1} of the invitation does not belong there; copy it again`);
  const whole = fromBase64url(encoded);
  // A cut inside a group of four characters leaves bits that no encoder writes: see how far the groups before it reach.
  const bytes = whole ?? fromBase64url(encoded.slice(0, Math.floor((encoded.length - 1) / 4) * 4));
  const decoded = decodeRmp(bytes ?? NOTHING, 'signed');
  if (decoded.kind === 'refused' && decoded.error === 'truncated') return truncated();
  if (decoded.kind === 'refused') {
    const at = PREFIX.length + Math.floor((decoded.offset * 4) / 3);
    return bad('damaged', at, `the invitation is damaged near character ${at + 1}; copy it again`);
  }
  const fields = new Fields(decoded.value);
  const token = readToken(fields);
  if (fields.sound && whole !== undefined) return { kind: 'token', token };
  return bad('damaged', null, `the invitation is damaged (${fields.fault ?? 'its last character is wrong'}); copy it again`);
}

/** The key that both ends of an enrolment handshake mix in; bound to the mesh and to the token's number. */
export function tokenPsk(crypto: CryptoPort, token: Pick<Token, 'meshId' | 'tokenId' | 'secret'>): Uint8Array {
  return crypto.hkdf(token.secret, token.meshId, new Uint8Array([...PSK_LABEL, ...token.tokenId]), 32);
}

function readToken(fields: Fields): Token {
  const token: Token = {
    meshId: fields.bytes('m', 32),
    meshName: fields.text('n', LIMITS.meshNameCharactersMax),
    tokenId: fields.bytes('t', TOKEN_ID_BYTES),
    secret: fields.bytes('k', TOKEN_SECRET_BYTES),
    expiresAt: fields.integer('x', 0, Number.MAX_SAFE_INTEGER),
    uses: fields.integer('u', 1, LIMITS.tokenUsesMax),
    role: fields.oneOf('c', ROLES),
    pins: fields.bytesList('p', AID_BYTES, LIMITS.tokenPinsMax),
    hardware: fields.optional('hw', (present) => present.text('hw', LIMITS.tokenTextCharactersMax)) ?? null,
    peers: fields.optional('a', (present) => readPeers(present)) ?? [],
  };
  fields.require(meshNameFault(token.meshName) === undefined, 'the name of the mesh is none');
  return token;
}

function readPeers(fields: Fields): readonly string[] {
  const peers: string[] = [];
  for (const value of fields.list('a', LIMITS.tokenPeersMax)) {
    const good = typeof value === 'string' && value.length <= LIMITS.tokenTextCharactersMax;
    fields.require(good, 'an address is malformed');
    if (good) peers.push(value);
  }
  return peers;
}
