/**
 * The log with one voter: its founder. The voter appends, signs and commits by itself; everybody else replicates what
 * it signed, pushed over links and fetched where there is a gap, and verifies every entry against the voter's key.
 * Persisting before believing is the driver's order of effects: `persist` is durable before `send` and `committed`.
 * Never decides what an entry means; the replicated state does (state.ts).
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Millis } from '#core/time/time.ts';
import { openEntry, sealEntry, verifyEntry } from './entry-codec.ts';
import { LOG_LIMITS as LIMITS } from './limits.ts';
import type { LogEntry, LogFault, LogInput, LogMessage, LogOutput, Proposal, ProposeOutcome, ReplicatedLog, SealedEntry } from './log.ts';

/** The keys of the voter: which one an entry must be signed with follows from the entries before it. */
export interface VoterKeyPort {
  keyFor(entry: LogEntry): Uint8Array | undefined;
  /** All that it has had. */
  readonly keys: readonly Uint8Array[];
  took(entry: LogEntry): void;
}

/** What a log is opened with. */
export interface SingleVoterOptions {
  readonly crypto: CryptoPort;
  /** Verified entries from disk, index 1 first; empty for a member that has not fetched anything yet. */
  readonly entries: readonly SealedEntry[];
  readonly self: { readonly text: string; readonly aid: Uint8Array };
  readonly voter: { readonly text: string; readonly aid: Uint8Array };
  readonly voterKeys: VoterKeyPort;
  /** Present exactly where this node is the voter. */
  readonly signKey: SignKey | null;
}

/** What the first entry names as the one before. */
const NO_ENTRY = new Uint8Array(32);
const NOTHING: LogOutput = { persist: [], send: [], committed: [], faults: [] };

/** See the header. */
export class SingleVoterLog implements ReplicatedLog {
  readonly term = 1;
  readonly leader: string;
  readonly votes: boolean;
  readonly #options: SingleVoterOptions;
  readonly #entries: SealedEntry[];
  readonly #linked = new Map<string, { commit: number; fetchedAt: Millis; fetchedFrom: number; servedBytes: number; servedSince: Millis }>();
  /** Proposal key → index; in the order of commitment. */
  readonly #proposals = new Map<string, number>();
  #bytes = 0;

  constructor(options: SingleVoterOptions) {
    this.#options = options;
    this.#entries = [...options.entries];
    this.leader = options.voter.text;
    this.votes = options.signKey !== null;
    for (const sealed of this.#entries) this.#remember(sealed);
  }

  get commitIndex(): number {
    return this.#entries.length;
  }

  get head(): Uint8Array {
    return this.#entries.at(-1)?.digest ?? NO_ENTRY;
  }

  propose(proposal: Proposal, wall: Millis): { readonly outcome: ProposeOutcome; readonly output: LogOutput } {
    const { crypto, signKey, voter } = this.#options;
    if (signKey === null) return { outcome: { kind: 'not-leader', leader: this.leader }, output: NOTHING };
    const done = this.#proposals.get(keyText(proposal));
    if (done !== undefined) return { outcome: { kind: 'committed', index: done }, output: NOTHING };
    if (proposal.body.length > LIMITS.bodyBytesMax) return { outcome: { kind: 'too-large', bytes: proposal.body.length }, output: NOTHING };
    const index = this.commitIndex + 1;
    const entry = { index, term: this.term, previous: this.head, kind: proposal.kind, body: proposal.body, key: proposal.key, at: wall, voter: voter.aid };
    const sealed = sealEntry(crypto, signKey, entry);
    this.#accept(sealed);
    const message: LogMessage = { kind: 'append', entries: [sealed], term: this.term, commit: this.commitIndex };
    const send = [...this.#linked.keys()].map((to) => ({ to, message }));
    return { outcome: { kind: 'committed', index }, output: { persist: [sealed], send, committed: [sealed], faults: [] } };
  }

  step(input: LogInput, now: Millis): LogOutput {
    switch (input.kind) {
      case 'linked': {
        this.#linked.set(input.peer, { commit: input.commit, fetchedAt: Number.NEGATIVE_INFINITY, fetchedFrom: 0, servedBytes: 0, servedSince: now });
        // What was committed while the two shook hands, neither has been told of.
        if (this.votes && input.commit < this.commitIndex)
          return { ...NOTHING, send: [{ to: input.peer, message: { kind: 'append', entries: [], term: this.term, commit: this.commitIndex } }] };
        return { ...NOTHING, send: this.#maybeFetch(input.peer, now) };
      }
      case 'unlinked':
        this.#linked.delete(input.peer);
        return NOTHING;
      case 'receive':
        return input.message.kind === 'fetch'
          ? this.#onFetch(input.from, input.message.from, input.bytesMax, now)
          : this.#onAppend(input.from, input.message.entries, input.message.commit, now);
    }
  }

  entriesFrom(index: number, bytesMax: number): readonly SealedEntry[] {
    const out: SealedEntry[] = [];
    let bytes = 0;
    for (const sealed of this.#entries.slice(Math.max(0, index - 1), Math.max(0, index - 1) + LIMITS.appendEntriesMax)) {
      bytes += sealed.bytes.length + sealed.signature.length + 16;
      if (bytes > bytesMax && out.length > 0) break;
      out.push(sealed);
    }
    return out;
  }

  #onFetch(from: string, index: number, bytesMax: number, now: Millis): LogOutput {
    const peer = this.#linked.get(from);
    if (peer === undefined) return NOTHING;
    if (now - peer.servedSince >= LIMITS.servedMs) Object.assign(peer, { servedBytes: 0, servedSince: now });
    // Whoever catches up needs all of it once; a frame full of fetches must not cost a hundred times that.
    if (peer.servedBytes > 2 * this.#bytes + LIMITS.servedBytesMin) return NOTHING;
    const entries = this.entriesFrom(index, bytesMax);
    if (entries.length === 0) return NOTHING;
    peer.servedBytes += entries.reduce((sum, { bytes }) => sum + bytes.length, 0);
    return { ...NOTHING, send: [{ to: from, message: { kind: 'append', entries, term: this.term, commit: this.commitIndex } }] };
  }

  #onAppend(from: string, entries: readonly { readonly bytes: Uint8Array; readonly signature: Uint8Array }[], commit: number, now: Millis): LogOutput {
    const fresh: SealedEntry[] = [];
    const faults: LogFault[] = [];
    const peer = this.#linked.get(from);
    if (peer !== undefined) peer.commit = Math.max(peer.commit, commit);
    for (const { bytes, signature } of entries) {
      const sealed = openEntry(this.#options.crypto, bytes, signature);
      if (sealed === undefined) {
        faults.push({ from, why: 'a log entry does not decode', voters: false });
        break;
      }
      const known = this.#entries[sealed.entry.index - 1];
      if (known !== undefined) {
        if (bytesEqual(known.digest, sealed.digest)) continue;
        if (this.#wasVoters(sealed)) faults.push({ from, why: `the voter signed two different entries at index ${sealed.entry.index}`, voters: true });
        else faults.push({ from, why: `log entry ${sealed.entry.index} is not signed by the voter`, voters: false, unproved: sealed });
        break;
      }
      if (sealed.entry.index !== this.commitIndex + 1) break; // a gap: fetched below
      if (!bytesEqual(sealed.entry.previous, this.head) || !this.#isVoters(sealed)) {
        faults.push({
          from,
          why: `log entry ${sealed.entry.index} is not signed by the voter or does not continue the chain`,
          voters: this.#wasVoters(sealed),
          unproved: sealed,
        });
        break;
      }
      this.#accept(sealed);
      fresh.push(sealed);
    }
    if (fresh.length > 0 && peer !== undefined) peer.fetchedAt = Number.NEGATIVE_INFINITY;
    const send = faults.length === 0 ? this.#maybeFetch(from, now) : [];
    return { persist: fresh, send, committed: fresh, faults };
  }

  #maybeFetch(peer: string, now: Millis): LogOutput['send'] {
    const known = this.#linked.get(peer);
    const from = this.commitIndex + 1;
    if (known === undefined || known.commit < from) return [];
    if (known.fetchedFrom === from && now - known.fetchedAt < LIMITS.fetchMsMin) return [];
    known.fetchedAt = now;
    known.fetchedFrom = from;
    return [{ to: peer, message: { kind: 'fetch', from } }];
  }

  #isVoters(sealed: SealedEntry): boolean {
    const { crypto, voter, voterKeys } = this.#options;
    return bytesEqual(sealed.entry.voter, voter.aid) && verifyEntry(crypto, voterKeys.keyFor(sealed.entry), sealed);
  }

  #wasVoters(sealed: SealedEntry): boolean {
    const { crypto, voter, voterKeys } = this.#options;
    return bytesEqual(sealed.entry.voter, voter.aid) && voterKeys.keys.some((key) => verifyEntry(crypto, key, sealed));
  }

  #accept(sealed: SealedEntry): void {
    assert(sealed.entry.index === this.#entries.length + 1, 'log entries are appended in order');
    this.#entries.push(sealed);
    this.#remember(sealed);
  }

  #remember(sealed: SealedEntry): void {
    this.#options.voterKeys.took(sealed.entry);
    this.#bytes += sealed.bytes.length;
    this.#proposals.set(keyText(sealed.entry), sealed.entry.index);
    if (this.#proposals.size > LIMITS.proposalsMax) {
      const oldest = this.#proposals.keys().next().value;
      if (oldest !== undefined) this.#proposals.delete(oldest);
    }
  }
}

function keyText(of: Pick<Proposal, 'key'>): string {
  return `${hex(of.key.aid)}/${of.key.incarnation}/${of.key.request}`;
}
