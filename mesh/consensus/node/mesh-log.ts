/**
 * The mesh's log on one node: a server of it (voter or learner) runs the consensus machine, everybody else observes. Which
 * of the two, the log itself says, so a node changes over when it believes the entry that says so. The only voter runs the
 * machine from its first decision on; until then it takes back what others hold of its log (a restored card).
 *
 * Writes are taken for confirmed at once: whoever performs an output performs `persist`, durably, before everything else of
 * the same step, and ends the process where that fails (C-1). No snapshots are taken: the whole log is kept, as observers
 * need it from its beginning.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { type Instant, type Millis, NEVER } from '#core/time/time.ts';
import type { ConfigChange } from '../config/change.ts';
import { type Configuration, isVoter, quorumOf, serversOf } from '../config/configuration.ts';
import type { Timing } from '../config/timing.ts';
import { openEntry, packEntry, verifyEntry } from '../entry-codec.ts';
import { LOG_LIMITS as LIMITS } from '../limits.ts';
import type { LogEntry, LogMessage, Proposal, ProposalKey, SealedEntry } from '../log.ts';
import { ConfigHistory, ENTRY_KINDS } from '../raft/config-history.ts';
import type { ConsensusEvent, ConsensusInput, ConsensusOutput, HardState, Write } from '../raft/inputs.ts';
import { RAFT_LIMITS } from '../raft/limits.ts';
import { ConsensusMachine } from '../raft/machine.ts';
import type { ConsensusMessage } from '../raft/messages.ts';
import type { VotePort } from '../votes/signed-vote.ts';
import type { LogFault, LogInput, LogOutput } from './log-effects.ts';
import { believable } from './observer.ts';
import { packHardState } from './stored-log.ts';

/** The keys that entries are signed with: which one is right follows from the entries before. */
export interface LogKeyPort {
  keyFor(entry: LogEntry): Uint8Array | undefined;
  /** Every key that this signer has had; empty for who never might sign. */
  keysOf(signer: Uint8Array): readonly Uint8Array[];
  took(entry: LogEntry): void;
}

/** What a log is opened with. */
export interface MeshLogOptions {
  readonly crypto: CryptoPort;
  /** The mesh's id. */
  readonly mesh: Uint8Array;
  /** From the disk, index 1 first, chained and verified; `keys` has been told of each. */
  readonly entries: readonly SealedEntry[];
  /** From the disk; null where the journal has none. */
  readonly hard: HardState | null;
  /** False where something that had been confirmed is gone (C-22). */
  readonly intact: boolean;
  readonly self: { readonly text: string; readonly aid: Uint8Array; readonly incarnation: number; readonly signKey: SignKey };
  readonly founded: Configuration;
  readonly keys: LogKeyPort;
  readonly votes: VotePort;
  readonly timing: Timing;
  /** A number in [0, 1) that nobody else gets. */
  readonly chance: () => number;
}

interface Linked {
  commit: number;
  fetchedAt: Millis;
  fetchedFrom: number;
  servedBytes: number;
  servedSince: Millis;
}

const NO_ENTRY = new Uint8Array(32);
/** Hard states in the journal before it is written anew with one. */
const HARD_RECORDS_MAX = 1_024;
/** A message of entries fits into the smallest frame that a member accepts; nothing is captured. */
const MACHINE_LIMITS = { ...RAFT_LIMITS, appendBytesMax: 3_000, captureEntries: Number.MAX_SAFE_INTEGER };

const nothing = (): { -readonly [Key in keyof LogOutput]: LogOutput[Key][number][] } => ({
  persist: [],
  send: [],
  committed: [],
  faults: [],
  answers: [],
  events: [],
});

/** See the header. */
export class MeshLog {
  readonly #options: MeshLogOptions;
  /** Committed, index 1 first. */
  readonly #entries: SealedEntry[] = [];
  /** Behind them: verified and not believed yet. */
  #pending: SealedEntry[];
  /** On the disk, committed or not. */
  #disk: SealedEntry[];
  #hard: HardState | null;
  #hardCount = 0;
  readonly #configs: ConfigHistory;
  #machine: ConsensusMachine | null = null;
  readonly #linked = new Map<string, Linked>();
  /** The newest word of everybody linked; only that of voters counts, and who votes may be what it is about. */
  readonly #notices = new Map<string, Extract<LogMessage, { kind: 'committed' }>>();
  #told = '';
  #bytes = 0;
  #out: ReturnType<typeof nothing> = nothing();

  constructor(options: MeshLogOptions) {
    this.#options = options;
    const commit = options.hard === null ? options.entries.length : Math.min(options.hard.commit, options.entries.length);
    this.#configs = new ConfigHistory({ index: 0, config: options.founded });
    for (const sealed of options.entries.slice(0, commit)) this.#commit(sealed);
    this.#pending = options.entries.slice(commit);
    this.#disk = [...options.entries];
    this.#hard = options.hard;
    this.#out = nothing();
  }

  // ---- what others see -------------------------------------------------------------------------------------------------

  get commitIndex(): number {
    return this.#entries.length;
  }

  /** Digest of the newest committed entry. */
  get head(): Uint8Array {
    return this.#entries.at(-1)?.digest ?? NO_ENTRY;
  }

  get committed(): readonly SealedEntry[] {
    return this.#entries;
  }

  /** Who votes and who learns, by the newest committed word. */
  get config(): Configuration {
    return this.#configs.newest.config;
  }

  get quorum(): number {
    return quorumOf(this.config);
  }

  get term(): number {
    return this.#machine?.view.term ?? Math.max(this.#newestWord?.term ?? 0, this.#entries.at(-1)?.entry.term ?? 0);
  }

  /** Text form of the leader, as far as known here. */
  get leader(): string | null {
    const [only] = this.config.voters;
    if (this.config.voters.length === 1 && only !== undefined) return only;
    return this.#machine === null ? (this.#newestWord?.leader ?? null) : this.#machine.view.leader;
  }

  /** What a voter has said last of the newest term. */
  get #newestWord(): { readonly term: number; readonly leader: string | null } | undefined {
    let newest: { readonly term: number; readonly leader: string | null } | undefined;
    for (const [from, word] of this.#notices) {
      if (!this.isVoter(from) || (newest !== undefined && word.term < newest.term)) continue;
      if (newest === undefined || word.term > newest.term || newest.leader === null) newest = word;
    }
    return newest;
  }

  /** Whether decisions are made here now: by the leader, or by the only voter, whose machine runs from its first one on. */
  get decides(): boolean {
    return this.#machine?.view.ready ?? this.#isOnlyVoter;
  }

  isVoter(text: string): boolean {
    return isVoter(this.config, text);
  }

  /** Whether this identity gets the log sent: it must be let speak more often than a newcomer. */
  isServer(text: string): boolean {
    return serversOf(this.config).includes(text);
  }

  get wakeAt(): Millis {
    return this.#machine === null || this.#isQuiet ? NEVER : this.#machine.wakeAt;
  }

  /** Nobody else to talk to: there is nothing to wake up for. */
  get #isQuiet(): boolean {
    const { view } = this.#machine ?? { view: null };
    return view === null || (view.ready && view.config.voters.length === 1 && view.config.learners.length === 0 && view.commit === view.lastIndex);
  }

  get #isOnlyVoter(): boolean {
    return this.config.voters.length === 1 && this.config.voters[0] === this.#options.self.text;
  }

  /** Committed entries from an index on, at most `bytesMax` of them. */
  entriesFrom(index: number, bytesMax: number): readonly SealedEntry[] {
    const out: SealedEntry[] = [];
    let bytes = 0;
    const from = Math.max(0, index - 1);
    for (const sealed of this.#entries.slice(from, from + LIMITS.appendEntriesMax)) {
      bytes += sealed.bytes.length + sealed.signature.length + 16;
      if (bytes > bytesMax && out.length > 0) break;
      out.push(sealed);
    }
    return out;
  }

  // ---- causes ----------------------------------------------------------------------------------------------------------

  /** Begin to serve, where the log says that this node does. The only voter does so with its first decision. */
  start(now: Instant): LogOutput {
    this.#believe(now);
    if (!this.#isOnlyVoter) this.#maybeServe(now);
    return this.#take();
  }

  /** The only voter may decide from now on. */
  wake(now: Instant): LogOutput {
    if (this.#isOnlyVoter) this.#maybeServe(now);
    return this.#take();
  }

  tick(now: Instant): LogOutput {
    if (this.#machine !== null && now.mono >= this.wakeAt) this.#run({ kind: 'tick' }, now);
    return this.#take();
  }

  propose(proposal: Proposal, now: Instant): LogOutput {
    this.#ask({ kind: 'propose', proposal, class: 'ordinary' }, proposal.key, now);
    return this.#take();
  }

  change(key: ProposalKey, change: ConfigChange, now: Instant): LogOutput {
    this.#ask({ kind: 'change', key, change }, key, now);
    return this.#take();
  }

  #ask(input: ConsensusInput, key: ProposalKey, now: Instant): void {
    if (this.#isOnlyVoter) this.#maybeServe(now);
    if (this.#machine !== null) return this.#run(input, now);
    this.#out.answers.push({ kind: 'refused', key, refusal: { code: 'not-leader', why: 'this node is no voter', leader: this.leader } });
  }

  step(input: LogInput, now: Instant): LogOutput {
    switch (input.kind) {
      case 'linked':
        this.#linked.set(input.peer, { commit: input.commit, fetchedAt: Number.NEGATIVE_INFINITY, fetchedFrom: 0, servedBytes: 0, servedSince: now.mono });
        this.#greet(input.peer, input.commit);
        this.#maybeFetch(input.peer, now.mono);
        break;
      case 'unlinked':
        this.#linked.delete(input.peer);
        this.#notices.delete(input.peer);
        break;
      case 'receive':
        this.#receive(input.from, input.message, input.bytesMax, now);
    }
    return this.#take();
  }

  #receive(from: string, message: LogMessage | ConsensusMessage, bytesMax: number, now: Instant): void {
    switch (message.kind) {
      case 'fetch':
        return this.#onFetch(from, message.from, bytesMax, now.mono);
      case 'append':
        return this.#onAppend(from, message.entries, message.commit, now);
      case 'committed':
        return this.#onNotice(from, message, now);
      // Nobody here takes snapshots, so nobody needs one.
      case 'snapshot-request':
        return;
      default:
        if (this.#machine !== null) this.#run({ kind: 'receive', from, message }, now);
    }
  }

  // ---- serving ---------------------------------------------------------------------------------------------------------

  #maybeServe(now: Instant): void {
    const { crypto, mesh, self, keys, votes, timing, founded, intact } = this.#options;
    if (this.#machine !== null || !serversOf(this.config).includes(self.text)) return;
    // What was only heard of, and is not on the disk, comes again from the leader.
    const entries = [...this.#entries, ...this.#pending.slice(0, Math.max(0, this.#disk.length - this.#entries.length))];
    this.#pending = [];
    const term = Math.max(this.#hard?.term ?? 0, entries.at(-1)?.entry.term ?? 0);
    const hard: HardState = {
      term,
      vote: this.#hard?.term === term ? this.#hard.vote : null,
      commit: Math.max(this.#entries.length, this.#hard?.commit ?? 0),
      damagedSince: this.#hard?.damagedSince ?? null,
    };
    this.#machine = new ConsensusMachine(
      {
        crypto,
        mesh,
        self: { id: self.text, aid: self.aid, incarnation: self.incarnation, signKey: self.signKey },
        // Snapshots are not taken. A rotation proves itself, so it may be remembered before its entry is judged.
        keyOf: (_signer, entry) => {
          if (entry !== null) keys.took(entry);
          return entry === null ? undefined : keys.keyFor(entry);
        },
        votes,
        timing,
        limits: MACHINE_LIMITS,
        founded,
        stored: { hard, snapshot: null, entries, intact: intact || this.#isOnlyVoter },
      },
      { ...now, chance: this.#options.chance() },
    );
    this.#run({ kind: 'start' }, now);
  }

  #run(input: ConsensusInput, now: Instant): void {
    const machine = this.#machine;
    if (machine === null) return;
    const output = machine.step(input, { ...now, chance: this.#options.chance() });
    this.#perform(output);
    if (output.write !== null) return this.#run({ kind: 'persisted', upTo: output.write.id }, now);
    this.#spread();
    this.#maybeRetire();
  }

  #perform({ write, send, committed, answers, events }: ConsensusOutput): void {
    if (write !== null) this.#write(write);
    this.#out.send.push(...send);
    // After a start the machine goes through its log again: what the node knows already is no news, nor is a learner.
    let { length: knownTo } = this.#entries;
    let known = this.config;
    const isNews = (event: ConsensusEvent): boolean => {
      if (event.kind !== 'configuration') return true;
      if (event.index <= knownTo) return false;
      const isSame = event.quorum === quorumOf(known) && event.voters.join() === known.voters.join();
      [knownTo, known] = [event.index, { ...known, voters: event.voters, quorum: event.quorum }];
      return !isSame;
    };
    for (const { sealed, duplicateOf } of committed) {
      if (sealed.entry.index <= this.#entries.length) continue;
      this.#commit(sealed);
      this.#out.committed.push({ sealed, again: duplicateOf !== null });
    }
    this.#out.answers.push(...answers);
    this.#out.events.push(...events.filter(isNews));
  }

  /** The hard state first, and never ahead of what stands before it: every beginning of the journal is a state that was. */
  #write({ truncateFrom, append, hard }: Write): void {
    for (const { entry } of append) this.#options.keys.took(entry);
    const keeps = this.#hard !== null || !this.#isOnlyVoter || this.#machine?.view.config.voters.length !== 1;
    if (truncateFrom !== null) this.#disk.length = Math.min(this.#disk.length, truncateFrom - 1);
    if (hard !== null && keeps) this.#hard = { ...hard, commit: Math.min(hard.commit, this.#disk.length) };
    const before = this.#disk.length;
    this.#disk.push(...append);
    if (truncateFrom !== null || this.#hardCount >= HARD_RECORDS_MAX) return this.#rewrite();
    if (hard !== null && keeps && this.#hard !== null) {
      this.#hardCount += 1;
      this.#out.persist.push({ kind: 'append', record: packHardState(this.#hard) });
    }
    for (const sealed of this.#disk.slice(before)) this.#out.persist.push({ kind: 'append', record: packEntry(sealed) });
  }

  #rewrite(): void {
    const entries = this.#disk.map((sealed) => packEntry(sealed));
    this.#hardCount = 0;
    this.#out.persist.push({ kind: 'rewrite', records: this.#hard === null ? entries : [...entries, packHardState(this.#hard)] });
  }

  /** The configuration goes on without this node: it observes from now on. */
  #maybeRetire(): void {
    const machine = this.#machine;
    if (machine === null || serversOf(this.config).includes(this.#options.self.text)) return;
    this.#machine = null;
    if (this.#disk.length === this.#entries.length) return;
    this.#disk.length = this.#entries.length;
    if (this.#hard !== null) this.#hard = { ...this.#hard, commit: this.#entries.length };
    this.#rewrite();
  }

  // ---- telling observers -----------------------------------------------------------------------------------------------

  /** What changed of commit, term or leader, to those who are no servers: the leader sends the entries with it. */
  #spread(): void {
    const mark = `${this.commitIndex} ${this.term} ${this.leader ?? ''}`;
    if (mark === this.#told || this.#machine === null) return;
    this.#told = mark;
    const fresh = this.#out.committed.map(({ sealed }) => sealed);
    const isChange = fresh.some(({ entry }) => entry.kind === ENTRY_KINDS.config);
    for (const peer of this.#linked.keys()) {
      // Who is made a server hears of it as an observer.
      if (this.isServer(peer) && !isChange) continue;
      if (this.decides && fresh.length > 0 && fresh.length <= LIMITS.appendEntriesMax)
        this.#out.send.push({ to: peer, message: { kind: 'append', entries: fresh, term: this.term, commit: this.commitIndex } });
      if (!this.#isOnlyVoter) this.#out.send.push({ to: peer, message: this.#notice });
    }
  }

  get #notice(): LogMessage {
    return { kind: 'committed', term: this.term, commit: this.commitIndex, digest: this.head, leader: this.leader };
  }

  /** What was committed while the two shook hands, neither has been told of. */
  #greet(peer: string, commit: number): void {
    if (this.#machine !== null && !this.#isOnlyVoter) return void this.#out.send.push({ to: peer, message: this.#notice });
    if (this.#isOnlyVoter && commit < this.commitIndex)
      this.#out.send.push({ to: peer, message: { kind: 'append', entries: [], term: this.term, commit: this.commitIndex } });
  }

  #onFetch(from: string, index: number, bytesMax: number, mono: Millis): void {
    const peer = this.#linked.get(from);
    if (peer === undefined) return;
    if (mono - peer.servedSince >= LIMITS.servedMs) Object.assign(peer, { servedBytes: 0, servedSince: mono });
    // Whoever catches up needs all of it once; a frame full of fetches must not cost a hundred times that.
    if (peer.servedBytes > 2 * this.#bytes + LIMITS.servedBytesMin) return;
    const entries = this.entriesFrom(index, bytesMax);
    if (entries.length === 0) return;
    peer.servedBytes += entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    this.#out.send.push({ to: from, message: { kind: 'append', entries, term: this.term, commit: this.commitIndex } });
  }

  // ---- observing -------------------------------------------------------------------------------------------------------

  #onNotice(from: string, message: Extract<LogMessage, { kind: 'committed' }>, now: Instant): void {
    const peer = this.#linked.get(from);
    if (peer === undefined || this.#machine !== null) return;
    const { commit, digest } = message;
    this.#notices.set(from, message);
    peer.commit = Math.max(peer.commit, commit);
    const own = this.#pending[commit - this.#entries.length - 1];
    // Another chain than the one that waits here: whoever brought that was told wrong, or tells wrong.
    if (own !== undefined && this.isVoter(from) && !bytesEqual(own.digest, digest)) this.#pending = [];
    this.#believe(now);
    this.#maybeFetch(from, now.mono);
  }

  #onAppend(from: string, entries: readonly { readonly bytes: Uint8Array; readonly signature: Uint8Array }[], commit: number, now: Instant): void {
    const peer = this.#linked.get(from);
    if (peer !== undefined) peer.commit = Math.max(peer.commit, commit);
    let fresh = 0;
    for (const { bytes, signature } of entries) {
      const sealed = openEntry(this.#options.crypto, bytes, signature);
      if (sealed === undefined) return this.#fault({ from, why: 'a log entry does not decode', voters: false });
      const { index } = sealed.entry;
      const known = this.#entries[index - 1];
      if (known !== undefined) {
        if (bytesEqual(known.digest, sealed.digest)) continue;
        const voters = this.#wasSigned(sealed);
        const why = voters ? `the voter signed two different entries at index ${index}` : `log entry ${index} is not signed by the voter`;
        return this.#fault(voters ? { from, why, voters } : { from, why, voters, unproved: sealed });
      }
      // A server hears of entries from the leader; what others say of the past was looked at above.
      if (this.#machine !== null) break;
      const waiting = this.#pending[index - this.#entries.length - 1];
      if (waiting !== undefined && bytesEqual(waiting.digest, sealed.digest)) continue;
      // A later leader may have taken back what waits here; what is committed is told apart by the notices.
      if (waiting !== undefined && sealed.entry.term > waiting.entry.term) this.#pending.length = index - this.#entries.length - 1;
      if (index !== this.#entries.length + this.#pending.length + 1) break; // a gap: fetched below
      const head = this.#pending.at(-1)?.digest ?? this.head;
      if (!bytesEqual(sealed.entry.previous, head) || !this.#isSigned(sealed)) {
        const why = `log entry ${index} is not signed by the voter or does not continue the chain`;
        return this.#fault({ from, why, voters: this.#wasSigned(sealed), unproved: sealed });
      }
      this.#options.keys.took(sealed.entry);
      this.#pending.push(sealed);
      fresh += 1;
    }
    if (fresh > 0 && peer !== undefined) peer.fetchedAt = Number.NEGATIVE_INFINITY;
    this.#believe(now);
    this.#maybeFetch(from, now.mono);
  }

  #fault(fault: LogFault): void {
    this.#out.faults.push(fault);
  }

  #believe(now: Instant): void {
    if (this.#machine !== null) return;
    const believed = { index: this.#entries.length, digest: this.head, config: this.config };
    const count = believable(believed, this.#pending, this.#notices);
    if (count === 0) return;
    for (const sealed of this.#pending.splice(0, count)) {
      this.#commit(sealed);
      if (this.#disk.length < this.#entries.length) {
        this.#disk.push(sealed);
        this.#out.persist.push({ kind: 'append', record: packEntry(sealed) });
      }
      this.#out.committed.push({ sealed, again: false });
    }
    if (this.#hard !== null) {
      this.#hard = { ...this.#hard, commit: this.#entries.length };
      this.#out.persist.push({ kind: 'append', record: packHardState(this.#hard) });
    }
    if (!this.#isOnlyVoter) this.#maybeServe(now);
  }

  #maybeFetch(peer: string, mono: Millis): void {
    const known = this.#linked.get(peer);
    const from = this.#entries.length + this.#pending.length + 1;
    if (known === undefined || this.#machine !== null || known.commit < from || this.#out.faults.length > 0) return;
    if (known.fetchedFrom === from && mono - known.fetchedAt < LIMITS.fetchMsMin) return;
    known.fetchedAt = mono;
    known.fetchedFrom = from;
    this.#out.send.push({ to: peer, message: { kind: 'fetch', from } });
  }

  #isSigned(sealed: SealedEntry): boolean {
    return verifyEntry(this.#options.crypto, this.#options.keys.keyFor(sealed.entry), sealed);
  }

  #wasSigned(sealed: SealedEntry): boolean {
    const { crypto, keys } = this.#options;
    return keys.keysOf(sealed.entry.voter).some((key) => verifyEntry(crypto, key, sealed));
  }

  #commit(sealed: SealedEntry): void {
    this.#entries.push(sealed);
    this.#configs.appended(sealed);
    this.#bytes += sealed.bytes.length;
  }

  #take(): LogOutput {
    const out = this.#out;
    this.#out = nothing();
    return out;
  }
}
