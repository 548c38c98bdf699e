/**
 * What happens to members after their admission: leaving, being forgotten, being confirmed after an alarm, rising out of
 * quarantine. Decides only; the result is proposed to the ledger.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { type Aid, fingerprintOf, parseFingerprint } from '#mesh/hcth/identity-text.ts';
import type { LedgerChange } from './entries.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { makeMembershipRecord } from './membership-record.ts';
import { type Member, memberOf, type Registry, votersOf } from './registry.ts';

/** A removal to propose, or why not. `lastVoter`: nothing can be decided in the mesh afterwards; ask first. */
export type RemovalDecision =
  | { readonly kind: 'remove'; readonly change: LedgerChange; readonly member: Member; readonly lastVoter: boolean }
  | { readonly kind: 'refuse'; readonly code: 'NOT_PERMITTED'; readonly why: string };

/** A member leaves (`by` is itself), or another one forgets it. */
export function decideRemoval(registry: Registry, aid: Aid, by: Aid): RemovalDecision {
  const refuse = (why: string): RemovalDecision => ({ kind: 'refuse', code: 'NOT_PERMITTED', why });
  const member = memberOf(registry, aid);
  if (member === undefined) return refuse(`${fingerprintOf(aid)} is not a member`);
  const how = bytesEqual(aid, by) ? 'leave' : 'forget';
  if (how === 'forget' && memberOf(registry, by) === undefined) return refuse(`${fingerprintOf(by)} is not a member and removes nobody`);
  if (how === 'forget' && member.voter) return refuse(`${member.name} is a voter of this mesh; it can only leave by itself`);
  const lastVoter = member.voter && votersOf(registry).length === 1;
  return { kind: 'remove', change: { kind: 'remove', aid, how, by }, member, lastVoter };
}

/** Close an identity whose keys are gone. `successor` is, or is about to become, the member in its place. */
export function decideClosing(registry: Registry, aid: Aid, successor: Aid | null, by: Aid): RemovalDecision {
  const refuse = (why: string): RemovalDecision => ({ kind: 'refuse', code: 'NOT_PERMITTED', why });
  const member = memberOf(registry, aid);
  if (member === undefined) return refuse(`${fingerprintOf(aid)} is not a member`);
  if (bytesEqual(aid, by)) return refuse('this node holds its own keys; use `robonet leave`, or `robonet identity rotate` for a new key');
  if (member.voter) return refuse(`${member.name} is a voter of this mesh; nothing could be decided any more`);
  if (successor !== null && bytesEqual(successor, aid)) return refuse(`${member.name} cannot replace itself`);
  return { kind: 'remove', change: { kind: 'close', aid, successor, by }, member, lastVoter: false };
}

/** The suspended member that a person means by its complete fingerprint: `approve` confirms it. */
export function findSuspended(registry: Registry, typed: string): Member | undefined {
  const fingerprint = parseFingerprint(typed);
  for (const member of registry.members.values()) if (member.suspended !== null && member.fingerprint === fingerprint) return member;
  return undefined;
}

/** A quarantined member and its present score, in ten-thousandths. */
export interface Candidate {
  readonly aid: Aid;
  readonly score: number;
}

/** Who rises next, or when to ask again (null: not before somebody's score has grown). */
export type PromotionDecision = { readonly kind: 'promote'; readonly member: Member } | { readonly kind: 'none'; readonly retryAfterMs: Millis | null };

/** In an `open` mesh, at most one member per hour rises out of quarantine, the best first (protocol.md §2.14). */
export function decidePromotion(registry: Registry, candidates: readonly Candidate[], wall: Millis): PromotionDecision {
  let best: { readonly member: Member; readonly score: number } | undefined;
  for (const { aid, score } of candidates) {
    const member = memberOf(registry, aid);
    if (member === undefined || member.role !== 'quarantine' || member.suspended !== null || score < LIMITS.promotionScoreMin) continue;
    if (best === undefined || score > best.score || (score === best.score && member.admittedIndex < best.member.admittedIndex)) best = { member, score };
  }
  if (best === undefined) return { kind: 'none', retryAfterMs: null };
  const wait = registry.promotedAt === null ? 0 : registry.promotedAt + LIMITS.promotionMsMin - wall;
  return wait > 0 ? { kind: 'none', retryAfterMs: wait } : { kind: 'promote', member: best.member };
}

/** Sign a promotion: the record that replaces the member's former one. */
export function promotion(crypto: CryptoPort, key: SignKey, registry: Registry, member: Member, voter: Aid, wall: Millis): LedgerChange {
  const { aid, establishment, name, way } = member;
  return {
    kind: 'promote',
    record: makeMembershipRecord(crypto, key, {
      meshId: registry.mesh.id,
      aid,
      establishment,
      role: 'member',
      name,
      way,
      voter,
      at: wall,
      basis: registry.index,
    }),
  };
}
