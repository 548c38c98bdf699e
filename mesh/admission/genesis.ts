/**
 * The genesis of a mesh: its name, founders, quorum, profile and admission mode, signed by every founder (protocol.md
 * §2.14). Its digest is the mesh id, so everybody who knows the id can check everything that follows from it: the record
 * carries the founders' establishment logs and proves itself.
 */
import { bytesEqual, compareBytes } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { RmpValue } from '#core/msgpack/value.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, Fields, readFields } from '#mesh/hcth/fields.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import { type SignedObject, signObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { encodeObject } from '#mesh/hcth/peer-record.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';

/** How newcomers get in. */
export type AdmissionMode = 'closed' | 'approve' | 'token' | 'open';
/** How fast trust grows. */
export type ProfileName = 'lab' | 'home' | 'fleet';

/** All admission modes. */
export const ADMISSION_MODES = ['closed', 'approve', 'token', 'open'] as const;
/** All profiles. */
export const PROFILE_NAMES = ['lab', 'home', 'fleet'] as const;

/** The body of a genesis. */
export interface Genesis {
  readonly name: string;
  /** Founders' identities, ascending. */
  readonly founders: readonly Aid[];
  readonly quorum: number;
  readonly profile: ProfileName;
  readonly admission: AdmissionMode;
  /** Wall clock of the founder; for people and for the age of the mesh. */
  readonly foundedAt: Millis;
  readonly random: Uint8Array;
}

/** A verified genesis. */
export interface VerifiedGenesis {
  readonly genesis: Genesis;
  readonly meshId: Uint8Array;
  /** First 8 bytes of the mesh id, as HELLO carries them. */
  readonly meshTag: Uint8Array;
  /** The founders' logs as of the founding. */
  readonly founders: readonly Established[];
  /** The record's bytes, as stored and sent. */
  readonly bytes: Uint8Array;
}

/** The outcome of reading a genesis record. */
export type GenesisVerdict = { readonly kind: 'valid'; readonly verified: VerifiedGenesis } | { readonly kind: 'bad'; readonly why: string };

const MESH = labelled('HCTH1:mesh');
/** Bytes of a genesis record. */
const RECORD_BYTES_MAX = 16_384;

/** SHA-256("HCTH1:mesh" 00 ‖ genesis). */
export function meshIdOf(crypto: CryptoPort, genesisBody: Uint8Array): Uint8Array {
  return crypto.sha256(MESH, genesisBody);
}

/** First 8 bytes of a mesh id. */
export function meshTagOf(meshId: Uint8Array): Uint8Array {
  return meshId.slice(0, 8);
}

/** Found a mesh: the record that proves itself. All founders' keys are needed. */
export function makeGenesis(crypto: CryptoPort, genesis: Omit<Genesis, 'founders'>, founders: readonly { readonly established: Established; readonly signKey: SignKey }[]): VerifiedGenesis {
  const ordered = [...founders].sort((a, b) => compareBytes(a.established.aid, b.established.aid));
  const body = encodeGenesis({ ...genesis, founders: ordered.map((founder) => founder.established.aid) });
  const signatures = ordered.map((founder) => ({
    e: founder.established.events.map(encodeObject),
    s: signObject(crypto, founder.signKey, LABELS.genesis, body).sig,
  }));
  const bytes = encodeFields({ v: 1, b: body, f: signatures });
  const meshId = meshIdOf(crypto, body);
  return {
    genesis: { ...genesis, founders: ordered.map((founder) => founder.established.aid) },
    meshId,
    meshTag: meshTagOf(meshId),
    founders: ordered.map((founder) => founder.established),
    bytes,
  };
}

/** Verify a genesis record from its bytes alone. */
export function verifyGenesis(crypto: CryptoPort, bytes: Uint8Array): GenesisVerdict {
  const bad = (why: string): GenesisVerdict => ({ kind: 'bad', why });
  if (bytes.length > RECORD_BYTES_MAX) return bad(`a genesis record of ${bytes.length} bytes exceeds ${RECORD_BYTES_MAX}`);
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const body = fields.blob('b', HCTH_LIMITS.signedBodyBytesMax);
  const signatures = fields.list('f', LIMITS.foundersMax);
  if (!fields.sound) return bad(`the genesis record does not decode: ${fields.fault}`);
  const genesis = decodeGenesis(body);
  if (genesis === undefined) return bad('the genesis does not decode');
  if (signatures.length !== genesis.founders.length) return bad(`the genesis names ${genesis.founders.length} founders and carries ${signatures.length} signatures`);
  const founders: Established[] = [];
  for (const [index, value] of signatures.entries()) {
    const founder = openFounder(crypto, value, body);
    if (founder === undefined) return bad(`founder ${index + 1} did not sign the genesis`);
    if (!bytesEqual(founder.aid, genesis.founders[index] ?? new Uint8Array(0))) return bad(`signature ${index + 1} is not that of the founder named`);
    founders.push(founder);
  }
  const meshId = meshIdOf(crypto, body);
  return { kind: 'valid', verified: { genesis, meshId, meshTag: meshTagOf(meshId), founders, bytes } };
}

function openFounder(crypto: CryptoPort, value: RmpValue, body: Uint8Array): Established | undefined {
  const founder = new Fields(value);
  const events: SignedObject[] = [];
  for (const item of founder.list('e', LIMITS.establishmentEventsMax)) {
    const event = new Fields(item);
    events.push({ body: event.blob('b', HCTH_LIMITS.signedBodyBytesMax), sig: event.bytes('s', 64) });
  }
  const sig = founder.bytes('s', 64);
  if (!founder.sound) return undefined;
  const verdict = verifyEstablishment(crypto, events);
  return verdict.kind === 'valid' && verifyObject(crypto, verdict.established.signKey, LABELS.genesis, { body, sig }) ? verdict.established : undefined;
}

function encodeGenesis(genesis: Genesis): Uint8Array {
  return encodeFields({
    v: 1,
    t: 'gen',
    n: genesis.name,
    f: genesis.founders,
    q: genesis.quorum,
    p: genesis.profile,
    m: genesis.admission,
    at: genesis.foundedAt,
    r: genesis.random,
  });
}

function decodeGenesis(body: Uint8Array): Genesis | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['gen']);
  const genesis: Genesis = {
    name: fields.text('n', LIMITS.nameCharactersMax),
    founders: fields.bytesList('f', 32, LIMITS.foundersMax),
    quorum: fields.integer('q', 1, LIMITS.foundersMax),
    profile: fields.oneOf('p', PROFILE_NAMES),
    admission: fields.oneOf('m', ADMISSION_MODES),
    foundedAt: fields.integer('at', 0, Number.MAX_SAFE_INTEGER),
    random: fields.bytes('r', 16),
  };
  fields.require(isAscending(genesis.founders), 'founders are not ascending');
  fields.require(genesis.quorum <= genesis.founders.length && genesis.quorum > Math.floor(genesis.founders.length / 2), 'quorum is not a majority of the founders');
  return fields.sound ? genesis : undefined;
}

function isAscending(aids: readonly Uint8Array[]): boolean {
  return aids.length > 0 && aids.every((aid, index) => index === 0 || compareBytes(aids[index - 1] ?? aid, aid) < 0);
}
