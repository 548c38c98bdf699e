/**
 * The record by which a voter admits somebody: signed, self-contained, shown to the joiner in WELCOME and to other members
 * that have not yet replicated the log (protocol.md §2.4, §2.14). It says which identity, which mesh, which role; its
 * order among other decisions is the log's business.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { encodeFields, readFields } from '#mesh/hcth/fields.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import { type SignedObject, signObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type Role, ROLES } from './roles.ts';

/** How somebody got in. */
export type AdmittedBy = 'genesis' | 'token' | 'approval' | 'open';

/** The body of a membership record. */
export interface Membership {
  readonly meshId: Uint8Array;
  readonly aid: Aid;
  readonly name: string;
  readonly role: Role;
  readonly how: AdmittedBy;
  /** Wall clock of the voter. */
  readonly at: Millis;
  /** The voter that signed. */
  readonly voter: Aid;
}

const HOW = ['genesis', 'token', 'approval', 'open'] as const;

/** Sign a membership record. */
export function makeMembership(crypto: CryptoPort, key: SignKey, membership: Membership): SignedObject {
  return signObject(
    crypto,
    key,
    LABELS.admission,
    encodeFields({
      v: 1,
      t: 'adm',
      m: membership.meshId,
      a: membership.aid,
      n: membership.name,
      role: membership.role,
      how: membership.how,
      at: membership.at,
      by: membership.voter,
    }),
  );
}

/** The meaning of a record's bytes; `undefined` where they are none. */
export function decodeMembership(body: Uint8Array): Membership | undefined {
  const fields = readFields(body);
  fields.integer('v', 1, 1);
  fields.oneOf('t', ['adm']);
  const membership: Membership = {
    meshId: fields.bytes('m', 32),
    aid: fields.bytes('a', 32),
    name: fields.text('n', LIMITS.nameCharactersMax),
    role: fields.oneOf('role', ROLES),
    how: fields.oneOf('how', HOW),
    at: fields.integer('at', 0, Number.MAX_SAFE_INTEGER),
    voter: fields.bytes('by', 32),
  };
  return fields.sound ? membership : undefined;
}

/** The membership, when one of these voters signed it with any key of its history for this mesh. */
export function verifyMembership(crypto: CryptoPort, object: SignedObject, meshId: Uint8Array, voters: readonly Pick<Established, 'aid' | 'signKeys'>[]): Membership | undefined {
  const membership = decodeMembership(object.body);
  if (membership === undefined || !bytesEqual(membership.meshId, meshId)) return undefined;
  const voter = voters.find((candidate) => bytesEqual(candidate.aid, membership.voter));
  return voter?.signKeys.some((key) => verifyObject(crypto, key, LABELS.admission, object)) === true ? membership : undefined;
}

/** A signed record as one byte string (`record` of WELCOME and of handshake payloads). */
export function packRecord(object: SignedObject): Uint8Array {
  return encodeFields({ b: object.body, s: object.sig });
}

/** Read back what {@link packRecord} wrote. */
export function unpackRecord(bytes: Uint8Array): SignedObject | undefined {
  const fields = readFields(bytes);
  const object = { body: fields.blob('b', HCTH_LIMITS.signedBodyBytesMax), sig: fields.bytes('s', 64) };
  return fields.sound ? object : undefined;
}
