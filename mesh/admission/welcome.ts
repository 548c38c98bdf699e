/**
 * What a mesh hands to a machine that it has admitted, and what that machine believes of it: the genesis, which must be
 * that of the mesh it was told to join; its own membership record, signed by a voter of that genesis; where the ledger
 * stands, and where members listen. A mesh that merely has the right name is turned down here.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { encodeFields, Fields, readFields } from '#mesh/hcth/fields.ts';
import { type Aid, AID_BYTES, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { type Mesh, verifyGenesis } from './genesis.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { genesisVoterKeys, type MembershipRecord, verifyMembershipRecord } from './membership-record.ts';

/** Where a member listened last; a hint. */
export interface MemberAddresses {
  readonly aid: Aid;
  /** `host:port`. */
  readonly addresses: readonly string[];
}

/** What is handed over. */
export interface WelcomePack {
  /** Signed genesis. */
  readonly genesis: Uint8Array;
  /** Signed membership record of the receiver. */
  readonly record: Uint8Array;
  /** Newest committed entry of the sender's ledger; the receiver fetches up to it. */
  readonly ledger: { readonly index: number; readonly digest: Uint8Array };
  readonly members: readonly MemberAddresses[];
}

/** What a joining machine knows beforehand. */
export interface Expectation {
  readonly self: Established;
  /** From a token or a complete id; null where only a tag or nothing was given. */
  readonly meshId: Uint8Array | null;
  /** From HELLO; null or zeros for whichever mesh. */
  readonly meshTag: Uint8Array | null;
  /** Identities, one of which must be a founder; empty for trust on first use. */
  readonly pins: readonly Aid[];
}

/** A mesh to belong to, or why not. Refused means: keep nothing, close the connection. */
export type WelcomeVerdict =
  | {
      readonly kind: 'welcome';
      readonly mesh: Mesh;
      readonly record: MembershipRecord;
      readonly recordBytes: Uint8Array;
      readonly ledger: WelcomePack['ledger'];
      readonly members: readonly MemberAddresses[];
    }
  | { readonly kind: 'refuse'; readonly code: Extract<RefusalCode, 'MESH_MISMATCH' | 'IDENTITY_BAD' | 'RMP_INVALID'>; readonly why: string };

/** The bytes of a welcome; members whose addresses do not fit any more are left out. */
export function encodeWelcomePack(pack: WelcomePack, bytesMax: number = LIMITS.welcomeBytesMax): Uint8Array {
  const members = pack.members.slice(0, LIMITS.membersMax).map(({ aid, addresses }) => ({ a: aid, at: addresses.slice(0, LIMITS.welcomeAddressesMax) }));
  for (;;) {
    const bytes = encodeFields({ v: 1, g: pack.genesis, r: pack.record, i: pack.ledger.index, d: pack.ledger.digest, m: members });
    if (bytes.length <= bytesMax || members.length === 0) return bytes;
    // Halving ends after at most ten rounds; gossip brings the rest.
    members.length = Math.floor(members.length / 2);
  }
}

/** Check a welcome against what this machine was told. */
export function verifyWelcomePack(crypto: CryptoPort, bytes: Uint8Array, expected: Expectation): WelcomeVerdict {
  const pack = decodeWelcomePack(bytes);
  if (pack === undefined) return { kind: 'refuse', code: 'RMP_INVALID', why: 'the welcome does not decode' };
  const verdict = verifyMembership(crypto, pack.genesis, pack.record, expected);
  return verdict.kind === 'refuse' ? verdict : { ...verdict, ledger: pack.ledger, members: pack.members };
}

/** The same for a genesis and a record that arrived apart (WELCOME's two fields). */
export function verifyMembership(
  crypto: CryptoPort,
  genesis: Uint8Array,
  record: Uint8Array,
  expected: Expectation,
):
  | Exclude<WelcomeVerdict, { kind: 'welcome' }>
  | { readonly kind: 'welcome'; readonly mesh: Mesh; readonly record: MembershipRecord; readonly recordBytes: Uint8Array } {
  const refuse = (code: 'MESH_MISMATCH' | 'IDENTITY_BAD', why: string): Extract<WelcomeVerdict, { kind: 'refuse' }> => ({ kind: 'refuse', code, why });
  const { self, meshId, meshTag, pins } = expected;
  const birth = verifyGenesis(crypto, genesis, meshId ?? undefined);
  if (birth.kind === 'bad') return refuse('MESH_MISMATCH', birth.why);
  const { mesh } = birth;
  if (meshTag !== null && meshTag.some((byte) => byte !== 0) && !bytesEqual(meshTag, mesh.tag))
    return refuse('MESH_MISMATCH', `the welcome is to mesh ${hex(mesh.tag)}, this machine looked for ${hex(meshTag)}`);
  const pinned = pins.length === 0 || mesh.founders.some(({ aid }) => pins.some((pin) => bytesEqual(pin, aid)));
  if (!pinned) return refuse('MESH_MISMATCH', `none of the pinned identities (${pins.map(fingerprintOf).join(', ')}) founded mesh ${hex(mesh.tag)}`);
  const verdict = verifyMembershipRecord(crypto, record, mesh.id, genesisVoterKeys(mesh));
  if (verdict.kind === 'bad') return refuse('IDENTITY_BAD', verdict.why);
  if (!bytesEqual(verdict.record.aid, self.aid))
    return refuse('IDENTITY_BAD', `the membership record is that of ${fingerprintOf(verdict.record.aid)}, not of this machine`);
  if (!self.digests.some((digest) => bytesEqual(digest, verdict.record.establishment)))
    return refuse('IDENTITY_BAD', 'the membership record names keys that this machine never had');
  return { kind: 'welcome', mesh, record: verdict.record, recordBytes: record.slice() };
}

function decodeWelcomePack(bytes: Uint8Array): WelcomePack | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const pack: WelcomePack = {
    genesis: fields.blob('g', LIMITS.genesisBytesMax),
    record: fields.blob('r', LIMITS.recordBytesMax),
    ledger: { index: fields.integer('i', 1, Number.MAX_SAFE_INTEGER), digest: fields.bytes('d', 32) },
    members: fields.list('m', LIMITS.membersMax).map((value) => readMember(fields, new Fields(value))),
  };
  return fields.sound ? pack : undefined;
}

function readMember(outer: Fields, fields: Fields): MemberAddresses {
  const aid = fields.bytes('a', AID_BYTES);
  const addresses: string[] = [];
  for (const value of fields.list('at', LIMITS.welcomeAddressesMax)) {
    const good = typeof value === 'string' && value.length <= LIMITS.tokenTextCharactersMax;
    fields.require(good, 'an address is malformed');
    if (good) addresses.push(value);
  }
  outer.require(fields.sound, 'a member is malformed');
  return { aid, addresses };
}
