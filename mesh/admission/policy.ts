/**
 * Whether a machine that has proved its identity may come in (protocol.md §2.14): as a member that it already is, by a
 * token, by a person's word, or into quarantine where the mesh is open. Judged by a voter against the newest registry and
 * its own clock. Decides only; what it decides takes effect when the ledger has committed it.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Instant, Millis } from '#core/time/time.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { LedgerChange } from './entries.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import type { Lobby } from './lobby.ts';
import { type AdmissionWay, makeMembershipRecord } from './membership-record.ts';
import { uniqueNodeName } from './names.ts';
import {
  barredMachine,
  isNameTaken,
  type Member,
  memberOf,
  type Registry,
  removalOf,
  removalWords,
  tokenOf,
  tokenStanding,
  type TokenState,
} from './registry.ts';
import { lesserRole, type Role } from './roles.ts';

/** How somebody comes: HELLO's mode 0, 1 or 2 (protocol.md §2.4). */
export type Approach = { readonly kind: 'member' } | { readonly kind: 'token'; readonly tokenId: Uint8Array } | { readonly kind: 'request' };

/** A machine that the handshake has authenticated. */
export interface Applicant {
  readonly established: Established;
  readonly approach: Approach;
  /** First 8 bytes of the mesh that it wants; null or zeros for whichever. */
  readonly meshTag: Uint8Array | null;
  /** What its host is called. */
  readonly name: string;
  /** The role it would like. */
  readonly role: Role;
  /** Serial number of its board, as far as it tells. */
  readonly hardware: string | null;
}

/** What a voter knows when it judges. */
export interface Circumstances {
  readonly registry: Registry;
  readonly lobby: Lobby;
  readonly now: Instant;
  /** This voter's own trust level of a member. */
  readonly levelOf: (aid: Aid) => 0 | 1 | 2 | 3 | 4;
}

/** An admission to be signed and proposed; see {@link admission}. */
export interface AdmissionDraft {
  readonly aid: Aid;
  readonly establishment: Uint8Array;
  readonly role: Role;
  readonly name: string;
  readonly way: AdmissionWay;
}

/** A single-use token was shown twice: one of the two is a thief (protocol.md §2.14). */
export interface TokenAlarm {
  readonly code: 'TOKEN_REUSED';
  readonly tokenId: Uint8Array;
  readonly first: Aid;
  readonly second: Aid;
  /** To be proposed where the first user is not established yet; null where it is only reported. */
  readonly suspend: LedgerChange | null;
  readonly text: string;
}

/** The codes with which admission refuses. */
export type AdmissionRefusal = Extract<
  RefusalCode,
  'TOKEN_BAD' | 'TOKEN_EXPIRED' | 'TOKEN_USED' | 'NOT_PERMITTED' | 'MESH_MISMATCH' | 'LOBBY_FULL' | 'IDENTITY_BARRED' | 'APPROVAL_DENIED'
>;

/** Turned away: for whom it concerns, and when to try again (null: waiting changes nothing). */
export interface Refused {
  readonly kind: 'refuse';
  readonly code: AdmissionRefusal;
  readonly why: string;
  readonly retryAfterMs: Millis | null;
  readonly alarm: TokenAlarm | null;
}

/** See the header. */
export type AdmissionDecision =
  | { readonly kind: 'admit'; readonly draft: AdmissionDraft }
  /** It is one already: nothing to commit. */
  | { readonly kind: 'member'; readonly member: Member }
  /** It may wait for a person: `lobby.enter` it. */
  | { readonly kind: 'lobby' }
  | Refused;

/** Judge an applicant. */
export function decideAdmission(applicant: Applicant, circumstances: Circumstances): AdmissionDecision {
  const { registry } = circumstances;
  const { established, approach } = applicant;
  const { aid } = established;
  const fingerprint = fingerprintOf(aid);
  const wanted = applicant.meshTag;
  if (wanted !== null && wanted.some((byte) => byte !== 0) && !bytesEqual(wanted, registry.mesh.tag))
    return refuse('MESH_MISMATCH', `${fingerprint} looks for mesh ${hex(wanted)}, this is ${hex(registry.mesh.tag)}`);
  const removal = removalOf(registry, aid);
  if (removal !== undefined)
    return refuse('IDENTITY_BARRED', `${fingerprint} (${removal.name}) ${removalWords(removal)}; an identity is never admitted twice, it needs a new one`);
  const machine = barredMachine(registry, established.binding);
  if (machine !== undefined) return refuse('IDENTITY_BARRED', `${fingerprint} runs on the machine of ${machine.name}, which ${removalWords(machine)}`);
  const member = memberOf(registry, aid);
  if (member !== undefined) return { kind: 'member', member };
  if (established.identityKind !== 'node')
    return refuse('NOT_PERMITTED', `${fingerprint} is an identity of kind ${established.identityKind}; only nodes are admitted`);
  if (registry.members.size >= LIMITS.membersMax)
    return refuse('NOT_PERMITTED', `the mesh has ${registry.members.size} members; ${LIMITS.membersMax} are allowed`);
  if (approach.kind === 'member') return refuse('NOT_PERMITTED', `${fingerprint} is not a member; it has to ask for admission`);
  if (registry.admission === 'closed') return refuse('NOT_PERMITTED', 'the mesh is closed: it admits no new machines');
  return approach.kind === 'token' ? byToken(applicant, approach.tokenId, circumstances) : byRequest(applicant, circumstances);
}

/** Sign what was decided; the result is proposed to the ledger. */
export function admission(crypto: CryptoPort, key: SignKey, registry: Registry, draft: AdmissionDraft, voter: Aid, wall: Millis): LedgerChange {
  return { kind: 'admit', record: makeMembershipRecord(crypto, key, { ...draft, meshId: registry.mesh.id, voter, at: wall, basis: registry.index }) };
}

/**
 * Whether the enrolment handshake may begin under this token number, before anybody has proved anything. A used token goes
 * on: only behind the handshake is it known who came second, and whether it is the first user again after a power cut.
 */
export function judgeTokenNumber(registry: Registry, tokenId: Uint8Array, wall: Millis): { readonly kind: 'go'; readonly token: TokenState } | Refused {
  const token = tokenOf(registry, tokenId);
  if (token === undefined) return refuse('TOKEN_BAD', `this mesh has made no invitation ${hex(tokenId)}`);
  const standing = tokenStanding(token, wall);
  if (standing === 'revoked') return refuse('TOKEN_EXPIRED', `invitation ${token.text} has been revoked`);
  if (standing === 'expired') return refuse('TOKEN_EXPIRED', `invitation ${token.text} expired ${Math.ceil((wall - token.expiresAt) / 1_000)} s ago`);
  return { kind: 'go', token };
}

function byToken(applicant: Applicant, tokenId: Uint8Array, circumstances: Circumstances): AdmissionDecision {
  const { registry, now } = circumstances;
  const judged = judgeTokenNumber(registry, tokenId, now.wall);
  if (judged.kind === 'refuse') return judged;
  const { token } = judged;
  if (tokenStanding(token, now.wall) === 'used') {
    return {
      ...refuse('TOKEN_USED', `invitation ${token.text} was used by ${token.usedBy.map(fingerprintOf).join(', ')}`),
      alarm: reuseAlarm(token, applicant.established.aid, circumstances),
    };
  }
  if (token.hardware !== null && token.hardware !== applicant.hardware) {
    return refuse(
      'NOT_PERMITTED',
      `invitation ${token.text} is for the board ${token.hardware}, not for ${applicant.hardware ?? 'one without a serial number'}`,
    );
  }
  return admit(applicant, registry, lesserRole(applicant.role, token.role), { kind: 'token', tokenId: token.tokenId });
}

function byRequest(applicant: Applicant, { registry, lobby, now }: Circumstances): AdmissionDecision {
  switch (registry.admission) {
    case 'open':
      return admit(applicant, registry, 'quarantine', { kind: 'open' });
    case 'approve': {
      const standing = lobby.standing(applicant.established.aid, now);
      if (standing.kind === 'approved' && standing.entry.approvedBy !== null)
        return admit(applicant, registry, lesserRole(applicant.role, 'member'), { kind: 'approval', by: standing.entry.approvedBy });
      if (standing.kind === 'denied')
        return { ...refuse('APPROVAL_DENIED', `a person has denied this request: ${standing.reason}`), retryAfterMs: standing.retryAfterMs };
      if (standing.kind === 'full')
        return { ...refuse('LOBBY_FULL', `${LIMITS.lobbyEntriesMax} machines already wait for approval`), retryAfterMs: standing.retryAfterMs };
      return { kind: 'lobby' };
    }
    case 'token':
    case 'closed':
      return refuse('NOT_PERMITTED', 'the mesh admits by invitation only; make one with "robonet invite" on a member');
  }
}

function admit({ established, name }: Applicant, registry: Registry, role: Role, way: AdmissionWay): AdmissionDecision {
  const { aid, head } = established;
  return { kind: 'admit', draft: { aid, establishment: head, role, name: uniqueNodeName(name, aid, (key) => isNameTaken(registry, key)), way } };
}

// With several uses allowed, one too many says nothing about who stole it.
function reuseAlarm(token: TokenState, second: Aid, { registry, levelOf }: Circumstances): TokenAlarm | null {
  const [first] = token.usedBy;
  if (first === undefined || token.uses !== 1) return null;
  const member = memberOf(registry, first);
  const suspends = member !== undefined && !member.voter && member.suspended === null && levelOf(first) < 2;
  const what = suspends
    ? `${member.name} (${fingerprintOf(first)}) is suspended until a person confirms it`
    : `${member?.name ?? 'the first'} (${fingerprintOf(first)}) ${(member?.suspended ?? null) === null ? 'stays as it is' : 'is suspended already'}`;
  return {
    code: 'TOKEN_REUSED',
    tokenId: token.tokenId,
    first,
    second,
    suspend: suspends ? { kind: 'suspend', aid: first, other: second, tokenId: token.tokenId } : null,
    text: `invitation ${token.text} was used by ${fingerprintOf(first)} and shown again by ${fingerprintOf(second)}; one of the two is not whom it was made for; ${what}`,
  };
}

function refuse(code: AdmissionRefusal, why: string): Refused {
  return { kind: 'refuse', code, why, retryAfterMs: null, alarm: null };
}
