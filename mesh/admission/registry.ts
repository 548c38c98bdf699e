/**
 * Who belongs to the mesh, as the ledger says: members, invitations, removed identities, settings. A value, replaced and
 * never changed; the same entries give the same registry everywhere (apply-entry.ts folds them). Here are its shape and
 * the questions that others ask of it.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText, type AidText, fingerprintOf, parseAid, parseFingerprint } from '#mesh/hcth/identity-text.ts';
import type { Mesh } from './genesis.ts';
import type { BarCause, BarredBindingKind } from './entries.ts';
import type { AdmissionWay, VoterKeys } from './membership-record.ts';
import { nameKey } from './names.ts';
import type { AdmissionMode, Role } from './roles.ts';

/** Why a member may do nothing until a person has confirmed it: its invitation was shown by another machine too. */
export interface Suspension {
  readonly other: Aid;
  readonly tokenId: Uint8Array;
  readonly since: Millis;
}

/** One member. */
export interface Member {
  readonly aid: Aid;
  readonly text: AidText;
  readonly fingerprint: string;
  /** Unique in the mesh, whatever the record says. */
  readonly name: string;
  /** The ceiling it was admitted with; see {@link effectiveRole}. */
  readonly role: Role;
  readonly voter: boolean;
  readonly way: AdmissionWay;
  /** Signed membership record; founders without one are proved by the genesis. */
  readonly record: Uint8Array | null;
  /** Digest of its newest establishment event that the ledger knows: that of its admission, then those of its rotations. */
  readonly establishment: Uint8Array;
  /** The digests before it, oldest first: whoever shows a log that ends at one of them uses a replaced key. */
  readonly formerEstablishments: readonly Uint8Array[];
  /** Wall clock of the voter when it sealed the newest rotation; null where none has been. */
  readonly rotatedAt: Millis | null;
  /** Wall clock of the voter. */
  readonly admittedAt: Millis;
  readonly admittedIndex: number;
  readonly suspended: Suspension | null;
}

/** One invitation and what became of it. */
export interface TokenState {
  readonly tokenId: Uint8Array;
  /** Its number in hexadecimal: what people see. */
  readonly text: string;
  readonly expiresAt: Millis;
  readonly uses: number;
  readonly role: Role;
  readonly label: string | null;
  readonly hardware: string | null;
  readonly by: Aid;
  readonly madeAt: Millis;
  readonly revokedAt: Millis | null;
  readonly usedBy: readonly Aid[];
}

/** An identity that will never be a member again. */
export interface RemovedIdentity {
  readonly aid: Aid;
  readonly fingerprint: string;
  readonly name: string;
  readonly how: 'leave' | 'forget' | 'close' | 'bar';
  /** Of a closed identity: who has taken its place. */
  readonly successor: Aid | null;
  readonly by: Aid;
  readonly at: Millis;
  readonly index: number;
  /** Exactly where it is barred. */
  readonly bar: Bar | null;
}

/** One machine of an identity that was on two. */
export interface SettledMachine {
  readonly is: 'copy' | 'original';
  /** Of the ledger entry that says so. */
  readonly index: number;
}

/** Why an identity is barred, and what lifting the bar would give back. */
export interface Bar {
  readonly cause: BarCause;
  readonly reason: string;
  /** Digest of the proof that convicts it. */
  readonly evidence: Uint8Array | null;
  /** The machine is barred with it. */
  readonly binding: { readonly kind: BarredBindingKind; readonly digest: Uint8Array } | null;
  /** The member it was. */
  readonly former: Member | null;
}

/** See the header. */
export interface Registry {
  readonly mesh: Mesh;
  readonly admission: AdmissionMode;
  /** In the order of admission. */
  readonly members: ReadonlyMap<AidText, Member>;
  /** By number in hexadecimal, in the order of making. */
  /** Establishment logs of the founders and of whoever was to vote since, whose keys decide, as far as the ledger has sealed them. */
  readonly voterLogs: ReadonlyMap<AidText, Established>;
  readonly tokens: ReadonlyMap<string, TokenState>;
  readonly removed: ReadonlyMap<AidText, RemovedIdentity>;
  /** What was settled about machines, by the digest, in hexadecimal, of their boot event. */
  readonly settled: ReadonlyMap<string, SettledMachine>;
  /** Voter's wall clock at the newest promotion out of quarantine. */
  readonly promotedAt: Millis | null;
  /** Ledger index of the newest entry in it. */
  readonly index: number;
}

/** The member of this identity. */
export function memberOf(registry: Registry, aid: Aid): Member | undefined {
  return registry.members.get(aidText(aid));
}

/** The member that a person means: by name, complete fingerprint or identity. */
export function findMember(registry: Registry, typed: string): Member | undefined {
  const who = typed.trim();
  const aid = parseAid(who);
  if (aid !== undefined) return memberOf(registry, aid);
  const fingerprint = parseFingerprint(who);
  const key = nameKey(who);
  // A name is never a complete fingerprint (names.ts), so at most one of the two applies.
  for (const member of registry.members.values()) if (member.fingerprint === fingerprint || nameKey(member.name) === key) return member;
  return undefined;
}

/** Whether a member bears this name; `except` may keep its own. */
export function isNameTaken(registry: Registry, key: string, except?: Aid): boolean {
  for (const member of registry.members.values()) if (nameKey(member.name) === key && !(except !== undefined && bytesEqual(member.aid, except))) return true;
  return false;
}

/** In words, for the refusal of somebody who has been removed. */
export function removalWords(removed: RemovedIdentity): string {
  if (removed.how === 'leave') return 'has left the mesh';
  if (removed.how === 'forget') return 'was removed from the mesh';
  if (removed.bar !== null) return `is barred (${removed.bar.reason})`;
  return removed.successor === null ? 'is closed' : `is closed; ${fingerprintOf(removed.successor)} has taken its place`;
}

/** Why an identity will not be admitted again; `undefined` where it may be. */
export function removalOf(registry: Registry, aid: Aid): RemovedIdentity | undefined {
  return registry.removed.get(aidText(aid));
}

/** Why this machine may not come in under any identity: the one that its hardware keeps is barred. */
export function barredMachine(registry: Registry, binding: { readonly kind: string; readonly digest: Uint8Array }): RemovedIdentity | undefined {
  for (const removed of registry.removed.values()) {
    const barred = removed.bar?.binding;
    if (barred != null && barred.kind === binding.kind && bytesEqual(barred.digest, binding.digest)) return removed;
  }
  return undefined;
}

/** The invitation of this number. */
export function tokenOf(registry: Registry, tokenId: Uint8Array): TokenState | undefined {
  return registry.tokens.get(hex(tokenId));
}

/** Where an invitation stands at a moment of the voter's wall clock. */
export function tokenStanding(token: TokenState, wall: Millis): 'open' | 'used' | 'revoked' | 'expired' {
  if (token.revokedAt !== null) return 'revoked';
  if (wall >= token.expiresAt) return 'expired';
  return token.usedBy.length >= token.uses ? 'used' : 'open';
}

/**
 * The keys that voters sign with now: what was signed with an older one stands in the ledger before the rotation that
 * replaced it, or does not count.
 */
export function voterKeysOf(registry: Registry): VoterKeys {
  return (voter) => {
    const text = aidText(voter);
    const log = registry.voterLogs.get(text);
    return log === undefined || registry.members.get(text)?.voter !== true ? undefined : [log.signKey];
  };
}

/** The registry with the voters that the log's configuration names. */
export function withVoters(registry: Registry, voters: readonly AidText[]): Registry {
  const members = new Map([...registry.members].map(([text, member]) => [text, { ...member, voter: voters.includes(text) }]));
  return { ...registry, members };
}

/** Voters, in the order of the genesis. */
export function votersOf(registry: Registry): readonly Member[] {
  return [...registry.members.values()].filter(({ voter }) => voter);
}

/** What a member may be now: nothing beyond quarantine while it is suspended. */
export function effectiveRole(member: Member): Role {
  return member.suspended === null ? member.role : 'quarantine';
}
