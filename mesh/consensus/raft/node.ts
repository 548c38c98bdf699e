/**
 * The state of one server, and the output that the present step is building. Everything else in this folder is a function
 * on it: elections, following, leading. What is sent waits for every write that was issued before it, except what a
 * leader tells its followers: those are not promises (Ongaro §10.2.1).
 */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { type Configuration, isVoter, quorumOf, type ServerId } from '../config/configuration.ts';
import type { Timing } from '../config/timing.ts';
import { type Lease, PresenceWatch } from '../lease/lease.ts';
import { StorageWatch } from '../lease/storage-watch.ts';
import type { LogEntry, ProposalKey, SealedEntry } from '../log.ts';
import { decodeSnapshot, type StoredSnapshot } from '../snapshot/snapshot.ts';
import { VoteRecovery } from '../votes/recovery.ts';
import type { VotePort } from '../votes/signed-vote.ts';
import { VoteBook } from '../votes/vote-book.ts';
import { ConfigHistory } from './config-history.ts';
import type { Answer, Committed, ConsensusEvent, ConsensusOutput, HardState, Present, Write } from './inputs.ts';
import type { RAFT_LIMITS } from './limits.ts';
import type { ConsensusMessage } from './messages.ts';
import type { Progress } from './progress.ts';
import { ProposalTable } from './proposal-table.ts';
import { NO_BASE, RaftLog } from './raft-log.ts';

/** What a server starts from. */
export interface ConsensusOptions {
  readonly crypto: CryptoPort;
  /** The mesh's id, 32 bytes. */
  readonly mesh: Uint8Array;
  readonly self: { readonly id: ServerId; readonly aid: Uint8Array; readonly incarnation: number; readonly signKey: SignKey };
  /** The key that an entry, or a snapshot of this taker, must be signed with; `undefined` where no key is right. */
  readonly keyOf: (signer: Uint8Array | ServerId, entry: LogEntry | null) => Uint8Array | undefined;
  readonly votes: VotePort;
  readonly timing: Timing;
  readonly limits: { readonly [Name in keyof typeof RAFT_LIMITS]: number };
  /** The configuration of an empty log: the founders. */
  readonly founded: Configuration;
  readonly stored: Stored;
}

/** What the disk gave back. */
export interface Stored {
  readonly hard: HardState;
  readonly snapshot: StoredSnapshot | null;
  /** Behind the snapshot, chained, verified. */
  readonly entries: readonly SealedEntry[];
  /** False where something that had been confirmed is gone: a checksum failed, an older state was restored (C-22). */
  readonly intact: boolean;
}

export type Role = 'follower' | 'pre-candidate' | 'candidate' | 'leader';

/** What only a leader has. */
export interface Leading {
  readonly progress: Map<ServerId, Progress>;
  readonly lease: Lease;
  heartbeatAt: Millis;
  /** First entry of the own term. */
  readonly firstIndex: number;
  transfer: { readonly to: ServerId; readonly until: Millis; sent: boolean } | null;
  /** Reads that wait for the answers to a heartbeat. */
  reads: { readonly id: number; readonly round: number; readonly index: number }[];
  /** Proposals of this leader that are not applied yet. */
  readonly waiting: Map<string, { readonly key: ProposalKey; readonly index: number }>;
  changeKey: ProposalKey | null;
  /** Why a change that it would make by itself is not possible. */
  waitsFor: string | null;
}

const NOTHING: ConsensusOutput = { write: null, send: [], restore: null, committed: [], answers: [], events: [] };

/** See the header. Mutable; owned by the machine. */
export class RaftNode {
  readonly options: ConsensusOptions;
  readonly self: ServerId;
  readonly timing: Timing;
  readonly limits: ConsensusOptions['limits'];
  readonly log: RaftLog;
  readonly configs: ConfigHistory;
  readonly storage: StorageWatch;
  readonly presence: PresenceWatch;
  readonly recovery = new VoteRecovery();
  readonly book = new VoteBook();
  proposals = new ProposalTable();
  snapshot: StoredSnapshot | null;
  /** The present of this step. */
  now: Present;

  role: Role = 'follower';
  term: number;
  vote: ServerId | null;
  leader: ServerId | null = null;
  commit: number;
  applied: number;
  /** The log is on the disk up to here. */
  persisted: number;
  damagedSince: number | null;
  /** What this life was found to have lost, the mesh has seen to; answers that still tell of it are old news. */
  isForgiven = false;
  /** No votes before this: the promise to the lease may have been forgotten with the last run (C-19). */
  abstainUntil: Millis;
  /** When a leader was last heard. */
  heardAt: Millis = Number.NEGATIVE_INFINITY;
  electionAt: Millis = NEVER;
  recoverAt: Millis = NEVER;
  /** Who is for us, in this campaign. */
  readonly supporters = new Set<ServerId>();
  /** The write with the own vote; it counts when that is on the disk. */
  ownVoteWrite: number | null = null;
  leading: Leading | null = null;
  /** States captured and not yet committed, by index. */
  readonly captures = new Map<number, { readonly proposals: Uint8Array; readonly config: Configuration }>();
  candidate: StoredSnapshot | null = null;
  /** Pieces of a snapshot that is arriving. */
  incoming: { readonly from: ServerId; readonly term: number; readonly index: number; readonly bytes: Uint8Array; offset: number } | null = null;

  #hardDirty = false;
  #truncateFrom: number | null = null;
  #append: SealedEntry[] = [];
  #snapshot: StoredSnapshot | null = null;
  /** How far the log reached with each write that is not confirmed. */
  #unconfirmed: { readonly id: number; lastIndex: number }[] = [];
  #held: { readonly after: number; readonly to: ServerId; readonly message: ConsensusMessage }[] = [];
  #fresh: { readonly to: ServerId; readonly message: ConsensusMessage }[] = [];
  #send: { readonly to: ServerId; readonly message: ConsensusMessage }[] = [];
  #restore: ConsensusOutput['restore'] = null;
  #committed: Committed[] = [];
  #answers: Answer[] = [];
  #events: ConsensusEvent[] = [];

  constructor(options: ConsensusOptions, now: Present) {
    const { stored, self, founded, timing } = options;
    this.options = options;
    this.self = self.id;
    this.timing = timing;
    this.limits = options.limits;
    this.now = now;
    this.snapshot = stored.snapshot;
    const base = stored.snapshot?.base ?? NO_BASE;
    const content = stored.snapshot === null ? undefined : decodeSnapshot(stored.snapshot.bytes);
    this.log = new RaftLog(base, stored.entries);
    this.configs = new ConfigHistory({ index: base.index, config: content?.config ?? founded });
    for (const sealed of stored.entries) this.configs.appended(sealed);
    if (content !== undefined) {
      this.proposals = content.proposals;
      this.#restore = { index: base.index, state: content.state };
    }
    this.term = Math.max(stored.hard.term, this.log.end.term);
    this.vote = this.term === stored.hard.term ? stored.hard.vote : null;
    this.persisted = this.log.lastIndex;
    this.applied = base.index;
    this.commit = Math.max(base.index, Math.min(stored.hard.commit, this.log.lastIndex));
    // A log that ends before what was known to be committed has lost what it had confirmed.
    const intact = stored.intact && stored.hard.commit <= this.log.lastIndex && stored.hard.term >= this.log.end.term;
    this.damagedSince = stored.hard.damagedSince ?? (intact ? null : self.incarnation);
    if (this.damagedSince !== stored.hard.damagedSince || this.term !== stored.hard.term) this.#hardDirty = true;
    this.abstainUntil = now.mono + timing.electionMsMin;
    this.storage = new StorageWatch(now.mono);
    this.presence = new PresenceWatch(timing);
  }

  get config(): Configuration {
    return this.configs.newest.config;
  }

  get quorum(): number {
    return quorumOf(this.config);
  }

  get isVoter(): boolean {
    return isVoter(this.config, this.self);
  }

  /** Nobody else could have been promised anything. */
  get isAlone(): boolean {
    return this.config.voters.length === 1 && this.isVoter;
  }

  /** Whether this server may give votes now, itself included (C-19, C-22, C-26). */
  get mayVote(): boolean {
    const patient = this.isAlone || this.now.mono >= this.abstainUntil;
    return patient && this.recovery.isDone && this.damagedSince === null && this.storage.fullness !== 'full';
  }

  // ---- what a step builds ----------------------------------------------------------------------------------------------

  setTerm(term: number, vote: ServerId | null): void {
    this.term = term;
    this.vote = vote;
    this.#hardDirty = true;
  }

  markDamaged(why: string): void {
    if (this.damagedSince !== null) return;
    this.damagedSince = this.options.self.incarnation;
    this.#hardDirty = true;
    this.event({ kind: 'damaged', why });
  }

  clearDamage(): void {
    this.damagedSince = null;
    this.isForgiven = true;
    this.#hardDirty = true;
  }

  append(sealed: SealedEntry): void {
    this.log.append(sealed);
    this.configs.appended(sealed);
    this.#append.push(sealed);
  }

  truncate(from: number): void {
    this.log.truncate(from);
    this.configs.truncate(from);
    this.persisted = Math.min(this.persisted, from - 1);
    for (const write of this.#unconfirmed) write.lastIndex = Math.min(write.lastIndex, from - 1);
    // What this very step appended was never written: it just does not get there.
    this.#append = this.#append.filter(({ entry }) => entry.index < from);
    this.#truncateFrom = Math.min(this.#truncateFrom ?? from, from);
  }

  /** Keep a snapshot; with `reset` it replaces the whole log. */
  keepSnapshot(snapshot: StoredSnapshot, reset: boolean): void {
    this.snapshot = snapshot;
    this.#snapshot = snapshot;
    if (!reset) return;
    this.#append = [];
    this.#truncateFrom = snapshot.base.index + 1;
    this.log.reset(snapshot.base);
    for (const write of this.#unconfirmed) write.lastIndex = 0;
    this.persisted = snapshot.base.index;
  }

  /** Say something that rests on what this server keeps: it waits for the disk (C-1). */
  promise(to: ServerId, message: ConsensusMessage): void {
    this.#fresh.push({ to, message });
  }

  /** Say something that promises nothing. */
  tell(to: ServerId, message: ConsensusMessage): void {
    this.#send.push({ to, message });
  }

  /** The state above begins anew from a snapshot; what was handed up before in this step is overtaken by it. */
  restore(index: number, state: Uint8Array): void {
    this.#restore = { index, state };
    this.#committed = [];
  }

  commitOut(committed: Committed): void {
    this.#committed.push(committed);
  }

  answer(answer: Answer): void {
    this.#answers.push(answer);
  }

  event(event: ConsensusEvent): void {
    this.#events.push(event);
  }

  /** The disk has confirmed. */
  confirmed(upTo: number): void {
    this.storage.confirm(upTo);
    for (const { id, lastIndex } of this.#unconfirmed) if (id <= upTo) this.persisted = Math.max(this.persisted, Math.min(lastIndex, this.log.lastIndex));
    this.#unconfirmed = this.#unconfirmed.filter(({ id }) => id > upTo);
  }

  /** Whether this step already has something to write. */
  get isDirty(): boolean {
    return this.#hardDirty || this.#truncateFrom !== null || this.#append.length > 0 || this.#snapshot !== null;
  }

  /** Write even though nothing changed: to see that the disk still does. */
  probe(): void {
    this.#hardDirty = true;
  }

  /** The id that this step's write will have, if it has one. */
  get nextWrite(): number {
    return this.storage.issued + 1;
  }

  /** Close the step. */
  flush(): ConsensusOutput {
    const write = this.isDirty ? this.#makeWrite() : null;
    for (const { to, message } of this.#fresh) this.#held.push({ after: this.storage.issued, to, message });
    const { confirmed } = this.storage;
    const released = this.#held.filter(({ after }) => after <= confirmed);
    if (released.length > 0) this.#held = this.#held.filter(({ after }) => after > confirmed);
    // An answer to a leader of the past helps nobody.
    for (const { to, message } of released) if (message.kind !== 'append-reply' || message.term === this.term) this.#send.push({ to, message });
    const output =
      write === null && this.#restore === null && this.#send.length + this.#committed.length + this.#answers.length + this.#events.length === 0
        ? NOTHING
        : { write, send: this.#send, restore: this.#restore, committed: this.#committed, answers: this.#answers, events: this.#events };
    this.#fresh = [];
    this.#send = [];
    this.#restore = null;
    this.#committed = [];
    this.#answers = [];
    this.#events = [];
    return output;
  }

  #makeWrite(): Write {
    const id = this.storage.issue(this.now.mono);
    const hard = { term: this.term, vote: this.vote, commit: this.commit, damagedSince: this.damagedSince };
    const write = { id, snapshot: this.#snapshot, truncateFrom: this.#truncateFrom, append: this.#append, hard };
    this.#unconfirmed.push({ id, lastIndex: this.log.lastIndex });
    this.#hardDirty = false;
    this.#truncateFrom = null;
    this.#append = [];
    this.#snapshot = null;
    return write;
  }
}
