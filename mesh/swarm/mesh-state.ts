/**
 * The mesh this node belongs to: its log, and the registry that the log folds into. Also the few members known by their
 * signed record alone, because our log has not caught up with the decision that admitted them.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { applyEntry, type EntryEffect, foundRegistry } from '#mesh/admission/apply-entry.ts';
import type { Mesh } from '#mesh/admission/genesis.ts';
import type { MembershipRecord } from '#mesh/admission/membership-record.ts';
import { findMember, type Member, type Registry, type RemovedIdentity, withVoters } from '#mesh/admission/registry.ts';
import { decodeConfiguration } from '#mesh/consensus/config/configuration.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import type { MeshLog } from '#mesh/consensus/node/mesh-log.ts';
import { ENTRY_KINDS } from '#mesh/consensus/raft/config-history.ts';
import { type Aid, type AidText, aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';

/** See the header. */
export class MeshState {
  readonly mesh: Mesh;
  readonly log: MeshLog;
  readonly #crypto: CryptoPort;
  #registry: Registry;
  /** Our own membership record; null for a founder, whom the genesis proves. */
  ownRecord: Uint8Array | null;
  readonly #provisional = new Map<AidText, Member>();

  constructor(crypto: CryptoPort, options: { readonly mesh: Mesh; readonly log: MeshLog; readonly ownRecord: Uint8Array | null }) {
    const { mesh, log } = options;
    this.mesh = mesh;
    this.#crypto = crypto;
    this.ownRecord = options.ownRecord;
    this.#registry = foundRegistry(mesh);
    this.log = log;
    for (const sealed of log.committed) this.apply(sealed);
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
    const config = sealed.entry.kind === ENTRY_KINDS.config ? decodeConfiguration(sealed.entry.body) : undefined;
    this.#registry = config === undefined ? registry : withVoters(registry, config.voters);
    for (const text of this.#provisional.keys()) if (registry.members.has(text) || registry.removed.has(text)) this.#provisional.delete(text);
    return effect;
  }

  /** A proposal that was committed before, under the same key: counted, and not applied again. */
  skip(sealed: SealedEntry): EntryEffect {
    this.#registry = { ...this.#registry, index: sealed.entry.index };
    return { kind: 'foreign' };
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
  believe(record: MembershipRecord, bytes: Uint8Array | null): void {
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

  /** Whoever let us in is a member, although our log, which has only begun, does not say so yet. */
  believeHost(aid: Aid, establishment: Uint8Array, at: Millis): void {
    const [meshId, voter] = [this.mesh.id, aid];
    this.believe({ meshId, aid, establishment, role: 'member', name: fingerprintOf(aid), way: { kind: 'open' }, voter, at, basis: 0 }, null);
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
