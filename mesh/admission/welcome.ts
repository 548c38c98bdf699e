/**
 * What a machine believes that is told it has been admitted: the genesis must be that of the mesh it was told to join, and
 * the membership record must be about itself and signed by a voter of that genesis (protocol.md §2.4, §2.14). A mesh that
 * merely has the right name, or answers on the right address, is turned down here. Keeps nothing: the caller does.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { type Mesh, verifyGenesis } from './genesis.ts';
import { genesisVoterKeys, type MembershipRecord, type VoterKeys, verifyMembershipRecord } from './membership-record.ts';

/** What a joining machine knows beforehand. */
export interface Expectation {
  readonly self: Established;
  /** From a token or a complete id; null where only a tag or nothing was given. */
  readonly meshId: Uint8Array | null;
  /** From HELLO; null or zeros for whichever mesh. */
  readonly meshTag: Uint8Array | null;
  /** Identities, one of which must be a founder; empty for trust on first use. */
  readonly pins: readonly Aid[];
  /** Who welcomes: where it is a founder that has rotated since, its record is signed by a key that the genesis does not show. */
  readonly host: Established | null;
  /** The host has proved that it decides here: it knows an invitation's secret, or a person named it. Then its signature counts, founder or not. */
  readonly hostVotes?: boolean;
}

/** A mesh to belong to, or why not. Refused means: keep nothing, close the connection. */
export type WelcomeVerdict =
  | { readonly kind: 'welcome'; readonly mesh: Mesh; readonly record: MembershipRecord; readonly recordBytes: Uint8Array }
  | { readonly kind: 'refuse'; readonly code: Extract<RefusalCode, 'MESH_MISMATCH' | 'IDENTITY_BAD'>; readonly why: string };

/** Check the genesis and the record of a WELCOME against what this machine was told. */
export function verifyMembership(crypto: CryptoPort, genesis: Uint8Array, record: Uint8Array, expected: Expectation): WelcomeVerdict {
  const refuse = (code: 'MESH_MISMATCH' | 'IDENTITY_BAD', why: string): WelcomeVerdict => ({ kind: 'refuse', code, why });
  const { self, meshId, meshTag, pins, host, hostVotes = false } = expected;
  const birth = verifyGenesis(crypto, genesis, meshId ?? undefined);
  if (birth.kind === 'bad') return refuse('MESH_MISMATCH', birth.why);
  const { mesh } = birth;
  if (meshTag !== null && meshTag.some((byte) => byte !== 0) && !bytesEqual(meshTag, mesh.tag))
    return refuse('MESH_MISMATCH', `the welcome is to mesh ${hex(mesh.tag)}, this machine looked for ${hex(meshTag)}`);
  const pinned = pins.length === 0 || mesh.founders.some(({ aid }) => pins.some((pin) => bytesEqual(pin, aid)));
  if (!pinned) return refuse('MESH_MISMATCH', `none of the pinned identities (${pins.map(fingerprintOf).join(', ')}) founded mesh ${hex(mesh.tag)}`);
  const verdict = verifyMembershipRecord(crypto, record, mesh.id, founderKeys(mesh, host, hostVotes));
  if (verdict.kind === 'bad') return refuse('IDENTITY_BAD', verdict.why);
  if (!bytesEqual(verdict.record.aid, self.aid))
    return refuse('IDENTITY_BAD', `the membership record is that of ${fingerprintOf(verdict.record.aid)}, not of this machine`);
  if (!self.digests.some((digest) => bytesEqual(digest, verdict.record.establishment)))
    return refuse('IDENTITY_BAD', 'the membership record names keys that this machine never had');
  return { kind: 'welcome', mesh, record: verdict.record, recordBytes: record.slice() };
}

/** The founders' keys; of the one who welcomes, those of the log that it has just proved. */
function founderKeys(mesh: Mesh, host: Established | null, hostVotes: boolean): VoterKeys {
  const born = genesisVoterKeys(mesh);
  return (voter) => (host !== null && bytesEqual(host.aid, voter) && (hostVotes || born(voter) !== undefined) ? [host.signKey] : born(voter));
}
