/**
 * One ledger entry folded into the registry: the meaning of every decision, the same on every node. An entry that breaks a
 * rule changes nothing and says why (`void`); that is how two uses of one token that were decided at once end with one
 * member. Reads no clock: the times are those that the voters wrote.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { type Aid, aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import type { Rotation } from '#mesh/hcth/establishment-events.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { type BarChange, type ChangeKind, decodeChange, type LedgerChange, type SettleChange, type SettledMachines, type TokenChange } from './entries.ts';
import { type Mesh, verifyGenesis } from './genesis.ts';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type MembershipRecord, type VoterKeys, verifyMembershipRecord } from './membership-record.ts';
import { uniqueNodeName } from './names.ts';
import {
  isNameTaken,
  type Member,
  memberOf,
  type Registry,
  removalOf,
  removalWords,
  type RemovedIdentity,
  tokenOf,
  tokenStanding,
  type TokenState,
  voterKeysOf,
} from './registry.ts';
import { sealRotations } from './seal-rotations.ts';
import { lesserRole } from './roles.ts';

/** What of a committed entry matters here. */
export interface CommittedEntry {
  readonly index: number;
  readonly kind: string;
  readonly body: Uint8Array;
  /** Wall clock of the voter that committed it. */
  readonly at: Millis;
}

/** What an entry did. */
export type EntryEffect =
  | { readonly kind: 'invited' | 'token-revoked'; readonly token: TokenState }
  | { readonly kind: 'admitted' | 'promoted' | 'suspended' | 'confirmed' | 'renamed'; readonly member: Member }
  /** The member's older keys are worth nothing any more. */
  | { readonly kind: 'rotated'; readonly member: Member; readonly rotation: Rotation; readonly events: readonly SignedObject[] }
  | { readonly kind: 'removed'; readonly member: Member; readonly removed: RemovedIdentity }
  | { readonly kind: 'barred'; /** Null where it was none (any more). */ readonly member: Member | null; readonly removed: RemovedIdentity }
  | { readonly kind: 'unbarred'; /** Restored. */ readonly member: Member | null; readonly removed: RemovedIdentity }
  | { readonly kind: 'settled'; readonly member: Member; readonly machines: SettledMachines | null }
  | { readonly kind: 'setting' }
  /** Its signature may count from here on. */
  | { readonly kind: 'voter-known'; readonly member: Member }
  /** It broke a rule and changed nothing. */
  | { readonly kind: 'void'; readonly change: ChangeKind; readonly why: string }
  /** Not an entry about membership, or malformed. */
  | { readonly kind: 'foreign' };

/** The registry after an entry, and what changed. */
export interface Applied {
  readonly registry: Registry;
  readonly effect: EntryEffect;
}

/** The registry of a mesh whose ledger holds nothing but its genesis. */
export function foundRegistry(mesh: Mesh): Registry {
  const members = new Map<string, Member>();
  for (const [position, { name, aid }] of mesh.genesis.founders.entries()) {
    const taken = new Set([...members.values()].map((member) => member.name.toLowerCase()));
    const text = aidText(aid);
    members.set(text, {
      aid,
      text,
      fingerprint: fingerprintOf(aid),
      name: uniqueNodeName(name, aid, (key) => taken.has(key)),
      role: 'voter',
      voter: true,
      way: { kind: 'genesis' },
      record: null,
      establishment: mesh.founders[position]?.head ?? aid,
      formerEstablishments: [],
      rotatedAt: null,
      admittedAt: mesh.genesis.foundedAt,
      admittedIndex: 1,
      suspended: null,
    });
  }
  const voterLogs = new Map(mesh.founders.map((founder) => [aidText(founder.aid), founder]));
  return { mesh, admission: mesh.genesis.admission, members, voterLogs, tokens: new Map(), removed: new Map(), settled: new Map(), promotedAt: null, index: 1 };
}

/** Fold a whole ledger, its genesis first; `bad` where that is no genesis, or not of the expected mesh. */
export function foldEntries(
  crypto: CryptoPort,
  entries: Iterable<CommittedEntry>,
  expectedMeshId?: Uint8Array,
): { readonly kind: 'registry'; readonly registry: Registry } | { readonly kind: 'bad'; readonly why: string } {
  let registry: Registry | undefined;
  for (const entry of entries) {
    if (registry !== undefined) {
      registry = applyEntry(crypto, registry, entry).registry;
      continue;
    }
    if (entry.kind !== 'genesis' || entry.index !== 1)
      return { kind: 'bad', why: `the ledger begins with entry ${entry.index} of kind ${entry.kind}, not with its genesis` };
    const verdict = verifyGenesis(crypto, entry.body, expectedMeshId);
    if (verdict.kind === 'bad') return verdict;
    registry = foundRegistry(verdict.mesh);
  }
  return registry === undefined ? { kind: 'bad', why: 'the ledger is empty' } : { kind: 'registry', registry };
}

/** Fold one more committed entry. One that was folded before changes nothing. */
export function applyEntry(crypto: CryptoPort, registry: Registry, entry: CommittedEntry, voterKeys: VoterKeys = voterKeysOf(registry)): Applied {
  const change = decodeChange(entry.kind, entry.body);
  if (entry.index <= registry.index)
    return {
      registry,
      effect: change === undefined ? { kind: 'foreign' } : { kind: 'void', change: change.kind, why: `entry ${entry.index} was applied before` },
    };
  const next: Registry = { ...registry, index: entry.index };
  if (change === undefined) return { registry: next, effect: { kind: 'foreign' } };
  const applied = applyChange(crypto, next, change, entry, voterKeys);
  return typeof applied === 'string' ? { registry: next, effect: { kind: 'void', change: change.kind, why: applied } } : applied;
}

function applyChange(crypto: CryptoPort, registry: Registry, change: LedgerChange, entry: CommittedEntry, voterKeys: VoterKeys): Applied | string {
  switch (change.kind) {
    case 'genesis':
      return 'a mesh has one genesis';
    case 'token':
      return applyToken(registry, change, entry.at);
    case 'token-revoke':
      return applyRevocation(registry, change.tokenId, entry.at);
    case 'admit':
    case 'promote': {
      const verdict = verifyMembershipRecord(crypto, change.record, registry.mesh.id, voterKeys);
      if (verdict.kind === 'bad') return verdict.why;
      return change.kind === 'admit'
        ? applyAdmission(registry, verdict.record, change.record, entry)
        : applyPromotion(registry, verdict.record, change.record, entry.at);
    }
    case 'suspend': {
      const suspended = { other: change.other, tokenId: change.tokenId, since: entry.at };
      return onMember(registry, change.aid, 'suspended', (member) =>
        member.voter ? 'a voter is not suspended' : member.suspended === null ? { ...member, suspended } : 'it is suspended already',
      );
    }
    case 'confirm':
      return onMember(registry, change.aid, 'confirmed', (member) => (member.suspended === null ? 'it is not suspended' : { ...member, suspended: null }));
    case 'rename':
      return onMember(registry, change.aid, 'renamed', (member) => {
        const name = uniqueNodeName(change.name, member.aid, (key) => isNameTaken(registry, key, member.aid));
        return name === member.name ? `it is called ${name} already` : { ...member, name };
      });
    case 'remove':
      return applyRemoval(registry, { ...change, successor: null }, entry);
    case 'close':
      return applyRemoval(registry, { ...change, how: 'close' }, entry);
    case 'rotate': {
      const sealed = sealRotations(crypto, registry, change.aid, change.events, entry.at);
      return typeof sealed === 'string' ? sealed : { registry: sealed.registry, effect: { kind: 'rotated', ...sealed.seal, events: change.events } };
    }
    case 'voter':
      return applyVoter(crypto, registry, change.aid, change.events);
    case 'bar':
      return applyBar(registry, change, entry);
    case 'unbar':
      return applyUnbar(registry, change.aid);
    case 'settle':
      return applySettlement(registry, change, entry);
    case 'setting':
      return { registry: { ...registry, admission: change.admission }, effect: { kind: 'setting' } };
  }
}

function applyToken(registry: Registry, change: TokenChange, at: Millis): Applied | string {
  const text = hex(change.tokenId);
  if (registry.tokens.has(text)) return `invitation ${text} exists already`;
  if (registry.admission === 'closed') return 'the mesh is closed';
  const open = [...registry.tokens.values()].filter((token) => tokenStanding(token, at) === 'open').length;
  if (open >= LIMITS.tokensOpenMax) return `${open} invitations are open; ${LIMITS.tokensOpenMax} are allowed`;
  const { kind: _, ...fields } = change;
  const token: TokenState = { ...fields, text, madeAt: at, revokedAt: null, usedBy: [] };
  const tokens = new Map(registry.tokens);
  for (const [key, old] of registry.tokens) {
    if (tokens.size < LIMITS.tokensKeptMax) break;
    if (tokenStanding(old, at) !== 'open') tokens.delete(key);
  }
  tokens.set(text, token);
  return { registry: { ...registry, tokens }, effect: { kind: 'invited', token } };
}

function applyRevocation(registry: Registry, tokenId: Uint8Array, at: Millis): Applied | string {
  const token = tokenOf(registry, tokenId);
  if (token === undefined) return `there is no invitation ${hex(tokenId)}`;
  if (token.revokedAt !== null) return `invitation ${token.text} is revoked already`;
  const revoked = { ...token, revokedAt: at };
  return { registry: withToken(registry, revoked), effect: { kind: 'token-revoked', token: revoked } };
}

function applyAdmission(registry: Registry, record: MembershipRecord, bytes: Uint8Array, entry: CommittedEntry): Applied | string {
  const { aid, way } = record;
  const fingerprint = fingerprintOf(aid);
  const present = memberOf(registry, aid);
  if (way.kind === 'genesis') {
    if (present === undefined || present.way.kind !== 'genesis') return `${fingerprint} is not a founder`;
    if (present.record !== null) return `${fingerprint} has its record already`;
    const member = { ...present, record: bytes };
    return { registry: withMember(registry, member), effect: { kind: 'admitted', member } };
  }
  if (present !== undefined) return `${fingerprint} is a member already`;
  const removal = removalOf(registry, aid);
  if (removal !== undefined) return `${fingerprint} ${removalWords(removal)} and is never admitted again`;
  if (registry.members.size >= LIMITS.membersMax) return `the mesh has ${registry.members.size} members; ${LIMITS.membersMax} are allowed`;
  if (registry.members.size + registry.removed.size >= LIMITS.identitiesMax)
    return `the mesh has had ${LIMITS.identitiesMax} members in all; no more are allowed`;
  if (registry.admission === 'closed') return 'the mesh is closed';
  if (way.kind === 'open' && (registry.admission !== 'open' || record.role !== 'quarantine')) return 'the mesh admits nobody unseen beyond quarantine';
  let admitting = registry;
  if (way.kind === 'token') {
    const token = tokenOf(registry, way.tokenId);
    if (token === undefined) return `there is no invitation ${hex(way.tokenId)}`;
    const standing = tokenStanding(token, record.at);
    if (standing !== 'open') return `invitation ${token.text} is ${standing}`;
    if (lesserRole(record.role, token.role) !== record.role) return `invitation ${token.text} admits as ${token.role} at most`;
    admitting = withToken(registry, { ...token, usedBy: [...token.usedBy, aid] });
  }
  const member: Member = {
    aid,
    text: aidText(aid),
    fingerprint,
    name: uniqueNodeName(record.name, aid, (key) => isNameTaken(registry, key)),
    role: record.role,
    voter: false,
    way,
    record: bytes,
    establishment: record.establishment,
    formerEstablishments: [],
    rotatedAt: null,
    admittedAt: entry.at,
    admittedIndex: entry.index,
    suspended: null,
  };
  return { registry: withMember(admitting, member), effect: { kind: 'admitted', member } };
}

function applyPromotion(registry: Registry, record: MembershipRecord, bytes: Uint8Array, at: Millis): Applied | string {
  const since = registry.promotedAt === null ? Number.POSITIVE_INFINITY : at - registry.promotedAt;
  if (since < LIMITS.promotionMsMin) return `the last promotion is ${Math.round(since / 1_000)} s ago; one in ${LIMITS.promotionMsMin / 1_000} s is allowed`;
  if (record.role !== 'member' || record.way.kind !== 'open') return 'a promotion leads from quarantine to member';
  const applied = onMember(registry, record.aid, 'promoted', (member) =>
    member.role !== 'quarantine' ? 'it is not in quarantine' : member.suspended !== null ? 'it is suspended' : { ...member, role: record.role, record: bytes },
  );
  return typeof applied === 'string' ? applied : { ...applied, registry: { ...applied.registry, promotedAt: at } };
}

function applyVoter(crypto: CryptoPort, registry: Registry, aid: Aid, events: readonly SignedObject[]): Applied | string {
  const member = memberOf(registry, aid);
  if (member === undefined) return `${fingerprintOf(aid)} is not a member`;
  if (member.suspended !== null) return `${member.name} is suspended`;
  const verdict = verifyEstablishment(crypto, events);
  if (verdict.kind === 'bad' || !bytesEqual(verdict.established.aid, aid)) return `the keys shown for ${member.name} are not its own`;
  // Neither a key that was replaced nor one that the ledger has not sealed.
  if (!bytesEqual(verdict.established.head, member.establishment)) return `the keys shown for ${member.name} are not those that the ledger knows`;
  return { registry: { ...registry, voterLogs: new Map(registry.voterLogs).set(member.text, verdict.established) }, effect: { kind: 'voter-known', member } };
}

type Removal = Pick<RemovedIdentity, 'aid' | 'how' | 'successor' | 'by'>;

function applyRemoval(registry: Registry, { aid, how, successor, by }: Removal, entry: CommittedEntry): Applied | string {
  const member = memberOf(registry, aid);
  if (member === undefined) return `${fingerprintOf(aid)} is not a member`;
  if (how === 'leave' && !bytesEqual(by, aid)) return 'nobody leaves for another';
  if (how !== 'leave' && member.voter) return `a voter is not ${how === 'close' ? 'closed' : 'forgotten'} while it is the one that decides`;
  if (successor !== null && bytesEqual(successor, aid)) return 'nobody succeeds itself';
  const removed: RemovedIdentity = {
    aid: member.aid,
    fingerprint: member.fingerprint,
    name: member.name,
    how,
    successor,
    by,
    at: entry.at,
    index: entry.index,
    bar: null,
  };
  const members = new Map(registry.members);
  members.delete(member.text);
  return { registry: { ...registry, members, removed: new Map(registry.removed).set(member.text, removed) }, effect: { kind: 'removed', member, removed } };
}

function applyBar(registry: Registry, change: BarChange, entry: CommittedEntry): Applied | string {
  const { aid, cause, reason, evidence, binding, by } = change;
  const member = memberOf(registry, aid) ?? null;
  const before = removalOf(registry, aid);
  const fingerprint = fingerprintOf(aid);
  if (before?.how === 'bar') return `${fingerprint} is barred already`;
  if (member?.voter === true) return 'a voter is not barred while it is the one that decides';
  if (cause === 'equivocation' && evidence === null) return 'a conviction names its proof';
  if (member === null && before === undefined && registry.members.size + registry.removed.size >= LIMITS.identitiesMax)
    return `the mesh has had ${LIMITS.identitiesMax} members in all; no more are remembered`;
  const removed: RemovedIdentity = {
    aid,
    fingerprint,
    name: member?.name ?? before?.name ?? fingerprint,
    how: 'bar',
    successor: null,
    by,
    at: entry.at,
    index: entry.index,
    bar: { cause, reason, evidence, binding, former: member },
  };
  const members = new Map(registry.members);
  if (member !== null) members.delete(member.text);
  return { registry: { ...registry, members, removed: new Map(registry.removed).set(aidText(aid), removed) }, effect: { kind: 'barred', member, removed } };
}

/** Lifting a bar gives back what the member was, and nothing of what it had earned. A conviction is never lifted. */
function applyUnbar(registry: Registry, aid: Aid): Applied | string {
  const barred = removalOf(registry, aid);
  if (barred?.bar == null) return `${fingerprintOf(aid)} is not barred`;
  if (barred.bar.cause === 'equivocation') return `${barred.name} was convicted by its own signatures; that is for ever, it needs a new identity`;
  const removed = new Map(registry.removed);
  removed.delete(aidText(aid));
  const { former } = barred.bar;
  if (former === null) return { registry: { ...registry, removed }, effect: { kind: 'unbarred', member: null, removed: barred } };
  const member = { ...former, name: uniqueNodeName(former.name, aid, (key) => isNameTaken(registry, key)) };
  return { registry: withMember({ ...registry, removed }, member), effect: { kind: 'unbarred', member, removed: barred } };
}

function applySettlement(registry: Registry, { aid, machines }: SettleChange, entry: CommittedEntry): Applied | string {
  const member = memberOf(registry, aid);
  if (member === undefined) return `${fingerprintOf(aid)} is not a member`;
  if (machines === null) return { registry, effect: { kind: 'settled', member, machines } };
  if (bytesEqual(machines.copy, machines.original)) return 'a machine is not its own copy';
  const settled = new Map(registry.settled);
  settled.set(hex(machines.copy), { is: 'copy', index: entry.index });
  settled.set(hex(machines.original), { is: 'original', index: entry.index });
  for (const oldest of settled.keys()) {
    if (settled.size <= LIMITS.settledMax) break;
    settled.delete(oldest);
  }
  return { registry: { ...registry, settled }, effect: { kind: 'settled', member, machines } };
}

function onMember(
  registry: Registry,
  aid: Aid,
  kind: 'promoted' | 'suspended' | 'confirmed' | 'renamed',
  change: (member: Member) => Member | string,
): Applied | string {
  const member = memberOf(registry, aid);
  if (member === undefined) return `${fingerprintOf(aid)} is not a member`;
  const changed = change(member);
  return typeof changed === 'string' ? changed : { registry: withMember(registry, changed), effect: { kind, member: changed } };
}

function withMember(registry: Registry, member: Member): Registry {
  return { ...registry, members: new Map(registry.members).set(member.text, member) };
}

function withToken(registry: Registry, token: TokenState): Registry {
  return { ...registry, tokens: new Map(registry.tokens).set(token.text, token) };
}
