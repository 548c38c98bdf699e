/**
 * What a joiner believes (protocol.md §2.4): it is a member only when somebody shows it the genesis of the mesh it was told
 * to join, and a membership record for itself signed by a voter of that genesis. A rogue mesh on the same LAN can offer
 * neither. Joining by request without a known mesh id is trust on first use, and says so.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import type { Welcome } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { verifyGenesis, type VerifiedGenesis } from './genesis.ts';
import { type Membership, packRecord, unpackRecord, verifyMembership } from './membership-record.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';

/** What the joiner was told beforehand. */
export interface WelcomeExpectation {
  readonly self: Aid;
  /** Mesh id of the token; null for a request without one. */
  readonly meshId: Uint8Array | null;
  /** Mesh tag the connection was opened for; null for any. */
  readonly meshTag: Uint8Array | null;
}

/** Whether the joiner is now a member. */
export type WelcomeVerdict =
  | { readonly kind: 'member'; readonly genesis: VerifiedGenesis; readonly membership: Membership; readonly record: SignedObject; /** No mesh id had been given out of band. */ readonly firstUse: boolean }
  | { readonly kind: 'refused'; readonly code: Extract<RefusalCode, 'MESH_MISMATCH' | 'IDENTITY_BAD'>; readonly why: string };

/** The WELCOME for a newly admitted identity. */
export function makeWelcome(genesis: VerifiedGenesis, role: string, record: SignedObject): Welcome {
  return { kind: 'welcome', meshId: genesis.meshId, role, genesis: genesis.bytes, record: packRecord(record) };
}

/** Verify a WELCOME. */
export function verifyWelcome(crypto: CryptoPort, welcome: Pick<Welcome, 'genesis' | 'record'>, expected: WelcomeExpectation): WelcomeVerdict {
  const verdict = verifyGenesis(crypto, welcome.genesis);
  if (verdict.kind === 'bad') return { kind: 'refused', code: 'IDENTITY_BAD', why: verdict.why };
  const { verified } = verdict;
  if (expected.meshId !== null && !bytesEqual(expected.meshId, verified.meshId)) return { kind: 'refused', code: 'MESH_MISMATCH', why: 'the genesis shown is not that of the mesh in the invitation' };
  if (expected.meshTag !== null && !bytesEqual(expected.meshTag, verified.meshTag)) return { kind: 'refused', code: 'MESH_MISMATCH', why: 'the genesis shown is not that of the mesh asked for' };
  const record = unpackRecord(welcome.record);
  if (record === undefined) return { kind: 'refused', code: 'IDENTITY_BAD', why: 'the membership record does not decode' };
  const membership = verifyMembership(crypto, record, verified.meshId, verified.founders);
  if (membership === undefined) return { kind: 'refused', code: 'IDENTITY_BAD', why: 'the membership record is not signed by a voter of this mesh' };
  if (!bytesEqual(membership.aid, expected.self)) return { kind: 'refused', code: 'IDENTITY_BAD', why: 'the membership record admits somebody else' };
  return { kind: 'member', genesis: verified, membership, record, firstUse: expected.meshId === null };
}
