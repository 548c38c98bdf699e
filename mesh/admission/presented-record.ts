/**
 * Whether a peer that comes as a member (mode 0) is one: by our ledger, or, where that may be behind, by the record it
 * carries. A removal that we know of outweighs its record. Somebody removed a moment ago can therefore still be
 * taken for a member by a node that has not heard of it, until the ledger reaches that node.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import { genesisVoterKeys, type VoterKeys, verifyMembershipRecord } from './membership-record.ts';
import { effectiveRole, memberOf, type Registry, removalOf } from './registry.ts';
import type { Role } from './roles.ts';

/** A member, by what proof; or not. */
export type MembershipVerdict =
  | { readonly kind: 'member'; readonly role: Role; readonly name: string; /** `record`: our ledger is behind; fetch. */ readonly by: 'ledger' | 'record' }
  | { readonly kind: 'refuse'; readonly code: Extract<RefusalCode, 'IDENTITY_BARRED' | 'NOT_PERMITTED' | 'IDENTITY_BAD'>; readonly why: string };

/** Judge a peer whose identity the handshake has proved. */
export function judgePresentedRecord(
  crypto: CryptoPort,
  registry: Registry,
  peer: Established,
  record: Uint8Array | null,
  voterKeys: VoterKeys = genesisVoterKeys(registry.mesh),
): MembershipVerdict {
  const fingerprint = fingerprintOf(peer.aid);
  const removal = removalOf(registry, peer.aid);
  if (removal !== undefined)
    return {
      kind: 'refuse',
      code: 'IDENTITY_BARRED',
      why: `${fingerprint} (${removal.name}) ${removal.how === 'leave' ? 'has left the mesh' : 'was removed from the mesh'}`,
    };
  const member = memberOf(registry, peer.aid);
  if (member !== undefined) {
    const continues = peer.digests.some((digest) => bytesEqual(digest, member.establishment));
    return continues
      ? { kind: 'member', role: effectiveRole(member), name: member.name, by: 'ledger' }
      : { kind: 'refuse', code: 'IDENTITY_BAD', why: `${fingerprint} shows keys that do not continue those it was admitted with` };
  }
  if (record === null) return { kind: 'refuse', code: 'NOT_PERMITTED', why: `${fingerprint} is not a member and carries no membership record` };
  const verdict = verifyMembershipRecord(crypto, record, registry.mesh.id, voterKeys);
  if (verdict.kind === 'bad') return { kind: 'refuse', code: 'NOT_PERMITTED', why: `${fingerprint}: ${verdict.why}` };
  const { aid, establishment, role, name } = verdict.record;
  if (!bytesEqual(aid, peer.aid))
    return { kind: 'refuse', code: 'NOT_PERMITTED', why: `${fingerprint} carries the membership record of ${fingerprintOf(aid)}` };
  if (!peer.digests.some((digest) => bytesEqual(digest, establishment)))
    return { kind: 'refuse', code: 'IDENTITY_BAD', why: `${fingerprint} shows keys that do not continue those it was admitted with` };
  return { kind: 'member', role, name, by: 'record' };
}
