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
import { type VoterKeys, verifyMembershipRecord } from './membership-record.ts';
import { barredMachine, effectiveRole, type Member, memberOf, type Registry, removalOf, removalWords, voterKeysOf } from './registry.ts';
import type { Role } from './roles.ts';

/** A member, by what proof; or not. */
export type MembershipVerdict =
  | { readonly kind: 'member'; readonly role: Role; readonly name: string; /** `record`: our ledger is behind; fetch. */ readonly by: 'ledger' | 'record' }
  | {
      readonly kind: 'refuse';
      readonly code: Extract<RefusalCode, 'IDENTITY_BARRED' | 'NOT_PERMITTED' | 'IDENTITY_BAD' | 'IDENTITY_STALE'>;
      readonly why: string;
    };

/** Judge a peer whose identity the handshake has proved. */
export function judgePresentedRecord(
  crypto: CryptoPort,
  registry: Registry,
  peer: Established,
  record: Uint8Array | null,
  voterKeys: VoterKeys = voterKeysOf(registry),
): MembershipVerdict {
  const fingerprint = fingerprintOf(peer.aid);
  const removal = removalOf(registry, peer.aid);
  if (removal !== undefined)
    return {
      kind: 'refuse',
      code: 'IDENTITY_BARRED',
      why: `${fingerprint} (${removal.name}) ${removalWords(removal)}`,
    };
  const machine = barredMachine(registry, peer.binding);
  if (machine !== undefined)
    return { kind: 'refuse', code: 'IDENTITY_BARRED', why: `${fingerprint} runs on the machine of ${machine.name}, which ${removalWords(machine)}` };
  const member = memberOf(registry, peer.aid);
  if (member !== undefined) {
    const continues = peer.digests.some((digest) => bytesEqual(digest, member.establishment));
    if (continues) return { kind: 'member', role: effectiveRole(member), name: member.name, by: 'ledger' };
    // The ledger knows of the rotation even where this node has never met the member.
    return usesReplacedKey(member, peer)
      ? { kind: 'refuse', code: 'IDENTITY_STALE', why: `${fingerprint} uses the key of rotation ${peer.rotations}, which a later rotation has replaced` }
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

function usesReplacedKey(member: Member, peer: Established): boolean {
  return member.formerEstablishments.some((former) => bytesEqual(former, peer.head));
}
