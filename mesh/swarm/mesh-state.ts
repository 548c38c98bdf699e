/**
 * The mesh this node belongs to: its log, and the registry that the log folds into. Also the few members known by their
 * signed record alone, because our log has not caught up with the decision that admitted them.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { applyEntry, type EntryEffect, foundRegistry } from '#mesh/admission/apply-entry.ts';
import type { Mesh } from '#mesh/admission/genesis.ts';
import type { MembershipRecord } from '#mesh/admission/membership-record.ts';
import { VoterLog } from '#mesh/admission/voter-log.ts';
import { findMember, type Member, type Registry, type RemovedIdentity } from '#mesh/admission/registry.ts';
import type { ReplicatedLog, SealedEntry } from '#mesh/consensus/log.ts';
import { SingleVoterLog } from '#mesh/consensus/single-voter.ts';
import { type Aid, type AidText, aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';

/** See the header. */
export class MeshState {
  readonly mesh: Mesh;
  readonly log: ReplicatedLog;
  readonly #crypto: CryptoPort;
  #registry: Registry;
  /** Our own membership record; null for a founder, whom the genesis proves. */
  ownRecord: Uint8Array | null;
  readonly #provisional = new Map<AidText, Member>();

  constructor(
    crypto: CryptoPort,
    options: {
      readonly mesh: Mesh;
      readonly entries: readonly SealedEntry[];
      readonly self: Aid;
      readonly signKey: SignKey;
      readonly ownRecord: Uint8Array | null;
    },
  ) {
    const { mesh, self } = options;
    const voter = mesh.founders[0]?.aid ?? self;
    this.mesh = mesh;
    this.#crypto = crypto;
    this.ownRecord = options.ownRecord;
    this.#registry = foundRegistry(mesh);
    this.log = new SingleVoterLog({
      crypto,
      entries: options.entries,
      self: { text: aidText(self), aid: self },
      voter: { text: aidText(voter), aid: voter },
      voterKeys: new VoterLog(crypto, mesh.founders[0]),
      signKey: bytesEqual(voter, self) ? options.signKey : null,
    });
    for (const sealed of options.entries) this.apply(sealed);
  }

  get registry(): Registry {
    return this.#registry;
  }

  get tag(): Uint8Array {
    return this.mesh.tag;
  }

  get id(): Uint8Array {
    return this.mesh.id;
  }

  /** Fold one committed entry; what it did. */
  apply(sealed: SealedEntry): EntryEffect {
    const { registry, effect } = applyEntry(this.#crypto, this.#registry, sealed.entry);
    this.#registry = registry;
    for (const text of this.#provisional.keys()) if (registry.members.has(text) || registry.removed.has(text)) this.#provisional.delete(text);
    return effect;
  }

  member(text: string): Member | undefined {
    return this.#registry.members.get(text) ?? this.#provisional.get(text);
  }

  removal(text: string): RemovedIdentity | undefined {
    return this.#registry.removed.get(text);
  }

  /** Everybody believed to be a member, the provisional ones last. */
  members(): readonly Member[] {
    return [...this.#registry.members.values(), ...this.#provisional.values()];
  }

  find(who: string): Member | undefined {
    return findMember(this.#registry, who);
  }

  isVoter(text: string): boolean {
    return this.#registry.members.get(text)?.voter ?? false;
  }

  /** Believe a voter's signed record until the log says the same. */
  believe(record: MembershipRecord, bytes: Uint8Array): void {
    const text = aidText(record.aid);
    if (this.#provisional.size >= PROVISIONAL_MAX || this.member(text) !== undefined) return;
    const { aid, name, role, way, establishment, at } = record;
    this.#provisional.set(text, {
      aid,
      text,
      fingerprint: fingerprintOf(aid),
      name,
      role,
      voter: false,
      way,
      record: bytes,
      establishment,
      formerEstablishments: [],
      rotatedAt: null,
      admittedAt: at,
      admittedIndex: 0,
      suspended: null,
    });
  }

  /** What a founder keeps in the place of a WELCOME: the genesis proves it. */
  founderWelcome(): Uint8Array {
    return encodeMessage({ kind: 'welcome', meshId: this.mesh.id, role: 'voter', genesis: this.mesh.bytes, record: new Uint8Array(0) });
  }

  /** The WELCOME for a member, as bytes; null for founders, who need none. */
  welcomeFor(text: string): Uint8Array | null {
    const member = this.#registry.members.get(text);
    if (member?.record == null) return null;
    return encodeMessage({ kind: 'welcome', meshId: this.mesh.id, role: member.role, genesis: this.mesh.bytes, record: member.record });
  }
}

/** Members known by their record alone. */
const PROVISIONAL_MAX = 64;
