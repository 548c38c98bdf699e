/**
 * The membership record: a voter's signed sentence "this identity is a member of this mesh, as this, since then". It
 * stands in the ledger, and its bearer carries it, so that any two members can show it to each other without asking a
 * third (mode 0). It never expires by itself; a removal in the ledger outweighs it.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, type Fields, readFields } from '#mesh/hcth/fields.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { signObject, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import type { Mesh } from './genesis.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { isNodeName } from './names.ts';
import { type Role, ROLES } from './roles.ts';

/** By which way somebody became a member. */
export type AdmissionWay =
  | { readonly kind: 'genesis' }
  | { readonly kind: 'token'; /** 8 bytes. */ readonly tokenId: Uint8Array }
  | { readonly kind: 'approval'; /** The member at which a person approved. */ readonly by: Aid }
  | { readonly kind: 'open' };

/** What a record says. */
export interface MembershipRecord {
  readonly meshId: Uint8Array;
  readonly aid: Aid;
  /** Digest of the newest establishment event when it was admitted; later rotations continue it. */
  readonly establishment: Uint8Array;
  readonly role: Role;
  readonly name: string;
  readonly way: AdmissionWay;
  /** The voter that decided and signed. */
  readonly voter: Aid;
  /** Wall clock of that voter. */
  readonly at: Millis;
  /** Index of the newest ledger entry that the decision was based on. */
  readonly basis: number;
}

/** All signing keys that a voter has had; `undefined` for an identity that is no voter. */
export type VoterKeys = (voter: Aid) => readonly Uint8Array[] | undefined;

/** A record, or why it says nothing. */
export type RecordVerdict = { readonly kind: 'valid'; readonly record: MembershipRecord } | { readonly kind: 'bad'; readonly why: string };

const WAYS = ['genesis', 'token', 'approval', 'open'] as const;

/** Sign a record; the bytes are what the ledger, WELCOME and handshakes carry. */
export function makeMembershipRecord(crypto: CryptoPort, key: SignKey, record: MembershipRecord): Uint8Array {
  const { way } = record;
  const body = encodeFields({
    v: 1,
    m: record.meshId,
    a: record.aid,
    e: record.establishment,
    rl: record.role,
    n: record.name,
    w: way.kind,
    wt: way.kind === 'token' ? way.tokenId : undefined,
    wa: way.kind === 'approval' ? way.by : undefined,
    b: record.voter,
    at: Math.max(0, Math.floor(record.at)),
    i: record.basis,
  });
  const signed = signObject(crypto, key, LABELS.admission, body);
  return encodeFields({ b: signed.body, s: signed.sig });
}

/** Check a record against the mesh it must belong to and the keys of that mesh's voters. */
export function verifyMembershipRecord(crypto: CryptoPort, bytes: Uint8Array, meshId: Uint8Array, voterKeys: VoterKeys): RecordVerdict {
  const bad = (why: string): RecordVerdict => ({ kind: 'bad', why });
  const signed = openSigned(bytes);
  const record = signed === undefined ? undefined : readRecord(signed.body);
  if (signed === undefined || record === undefined) return bad('the membership record does not decode');
  if (!bytesEqual(record.meshId, meshId)) return bad('the membership record is that of another mesh');
  const keys = voterKeys(record.voter);
  if (keys === undefined) return bad('the membership record is not signed by a voter of this mesh');
  if (!keys.some((key) => verifyObject(crypto, key, LABELS.admission, signed)))
    return bad('the membership record does not bear the signature of the voter it names');
  return { kind: 'valid', record };
}

/** Whose record it says it is; nothing is verified, so only for what we have written ourselves. */
export function recordOwner(bytes: Uint8Array): Aid | undefined {
  const signed = openSigned(bytes);
  return signed === undefined ? undefined : readRecord(signed.body)?.aid;
}

/** The keys of a mesh's founders, as its genesis shows them. */
export function genesisVoterKeys(mesh: Mesh): VoterKeys {
  return (voter) => mesh.founders.find(({ aid }) => bytesEqual(aid, voter))?.signKeys;
}

function openSigned(bytes: Uint8Array): SignedObject | undefined {
  if (bytes.length > LIMITS.recordBytesMax) return undefined;
  const fields = readFields(bytes);
  const signed = { body: fields.blob('b', LIMITS.recordBytesMax), sig: fields.bytes('s', 64) };
  return fields.sound ? signed : undefined;
}

function readRecord(body: Uint8Array): MembershipRecord | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  const record: MembershipRecord = {
    meshId: fields.bytes('m', 32),
    aid: fields.bytes('a', 32),
    establishment: fields.bytes('e', 32),
    role: fields.oneOf('rl', ROLES),
    name: fields.text('n', LIMITS.nodeNameCharactersMax),
    way: readWay(fields),
    voter: fields.bytes('b', 32),
    at: fields.integer('at', 0, Number.MAX_SAFE_INTEGER),
    basis: fields.integer('i', 0, Number.MAX_SAFE_INTEGER),
  };
  return fields.sound && isNodeName(record.name) ? record : undefined;
}

function readWay(fields: Fields): AdmissionWay {
  const kind = fields.oneOf('w', WAYS);
  if (kind === 'token') return { kind, tokenId: fields.bytes('wt', 8) };
  if (kind === 'approval') return { kind, by: fields.bytes('wa', 32) };
  return { kind };
}
