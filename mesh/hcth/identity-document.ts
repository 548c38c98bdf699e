/**
 * What is public of an identity, as a document that people carry: its establishment log, its membership, where its mesh is
 * found. With the next key beside it the identity can be taken over on another device (protocol.md §2.14 "Rotation"); that
 * is what the escrow file of `provision` holds. Nothing in it is believed: the log proves itself, and the mesh its members.
 */
import { base64url, fromBase64url, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import { type Established, verifyEstablishment } from './establishment.ts';
import { aidText, fingerprintOf } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import { type NextKey, nextKeyFingerprint, parseNextKey } from './next-key.ts';

/** The parts as a running node knows them. */
export interface IdentityParts {
  readonly established: Established;
  readonly name: string;
  readonly mesh: { readonly id: Uint8Array; readonly name: string } | null;
  /** A WELCOME message: genesis and membership record; null outside of a mesh. */
  readonly membership: Uint8Array | null;
  /** `host:port` where members were last reached. */
  readonly peers: readonly string[];
}

/** The document; also what `--json` prints. Byte strings are base64url. */
export interface IdentityDocument {
  readonly v: 1;
  readonly type: 'robonet-identity';
  readonly aid: string;
  readonly fingerprint: string;
  readonly name: string;
  readonly mesh: { readonly id: string; readonly name: string } | null;
  /** Rotations so far. */
  readonly rotation: number;
  readonly establishment: readonly { readonly body: string; readonly sig: string }[];
  readonly membership: string | null;
  readonly peers: readonly string[];
  /** `rnk1.…`; only in escrow. Whoever reads it can take the identity over. */
  readonly nextKey?: string;
  /** Wall clock, milliseconds. */
  readonly takenAt: Millis;
}

/** A document, read and verified as far as it can be. */
export interface ReadIdentity {
  readonly established: Established;
  readonly name: string;
  readonly membership: Uint8Array | null;
  readonly peers: readonly string[];
  readonly nextKey: NextKey | null;
}

/** Longest text of a document: 64 events, a genesis, a record. */
export const IDENTITY_DOCUMENT_CHARACTERS_MAX = 131_072;
const MEMBERSHIP_BYTES_MAX = 8_192;
const PEERS_MAX = 64;
const NAME_CHARACTERS_MAX = 63;
const PEER_CHARACTERS_MAX = 64;

/** Make a document. */
export function identityDocument(parts: IdentityParts, takenAt: Millis, nextKey?: string): IdentityDocument {
  const { established, name, mesh, membership, peers } = parts;
  return {
    v: 1,
    type: 'robonet-identity',
    aid: aidText(established.aid),
    fingerprint: fingerprintOf(established.aid),
    name,
    mesh: mesh === null ? null : { id: hex(mesh.id), name: mesh.name },
    rotation: established.rotations,
    establishment: established.events.map(({ body, sig }) => ({ body: base64url(body), sig: base64url(sig) })),
    membership: membership === null ? null : base64url(membership),
    peers: peers.slice(0, PEERS_MAX),
    ...(nextKey === undefined ? {} : { nextKey }),
    takenAt: Math.floor(takenAt),
  };
}

/** Read a document from a parsed JSON value; a sentence where it is none. */
export function readIdentityDocument(crypto: CryptoPort, value: unknown): ReadIdentity | string {
  if (!isRecord(value) || value['type'] !== 'robonet-identity') return 'it is not an identity document of roboNet';
  if (value['v'] !== 1) return 'it is an identity document of another version';
  const { name, establishment, membership, peers, nextKey, aid, fingerprint } = value;
  const events = Array.isArray(establishment) && establishment.length <= LIMITS.establishmentLogEventsMax ? establishment.map(readEvent) : [];
  if (events.length === 0 || !events.every((event) => event !== undefined)) return 'its establishment log is missing or malformed';
  const verdict = verifyEstablishment(crypto, events);
  if (verdict.kind === 'bad') return `its establishment log does not hold: ${verdict.why}`;
  const { established } = verdict;
  if (aid !== aidText(established.aid) || fingerprint !== fingerprintOf(established.aid))
    return 'its establishment log is that of another identity than it names';
  if (typeof name !== 'string' || name.length === 0 || name.length > NAME_CHARACTERS_MAX) return 'its name is missing or malformed';
  const welcome = membership === null ? null : readBytes(membership, MEMBERSHIP_BYTES_MAX);
  if (welcome === undefined) return 'its membership is malformed';
  if (!Array.isArray(peers) || peers.length > PEERS_MAX || !peers.every(isPeer)) return 'its list of peers is malformed';
  if (nextKey === undefined) return { established, name, membership: welcome, peers, nextKey: null };
  const key = typeof nextKey === 'string' ? parseNextKey(crypto, nextKey) : undefined;
  if (key?.kind !== 'key') return `its next key is damaged: ${key?.why ?? 'not a text'}`;
  if (nextKeyFingerprint(key.key) !== fingerprintOf(established.aid)) return 'its next key is that of another identity';
  return { established, name, membership: welcome, peers, nextKey: key.key };
}

function readEvent(value: unknown): EstablishmentEvent | undefined {
  if (!isRecord(value)) return undefined;
  const body = readBytes(value['body'], LIMITS.signedBodyBytesMax);
  const sig = readBytes(value['sig'], 64);
  return body === undefined || sig?.length !== 64 ? undefined : { body, sig };
}

function readBytes(value: unknown, bytesMax: number): Uint8Array | undefined {
  const bytes = typeof value === 'string' && value.length <= bytesMax * 2 ? fromBase64url(value) : undefined;
  return bytes !== undefined && bytes.length <= bytesMax ? bytes : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isPeer(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= PEER_CHARACTERS_MAX;
}
