/**
 * What the world knows and no server does, and the safety properties, each looked for after every event (Raft figure 3,
 * and ours): one leader a term, log matching, leader completeness, state machine safety, nothing counted before it is on
 * a quorum of disks, no vote given twice, never a lease beside a later leader, no proposal applied twice.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { quorumOf } from '#mesh/consensus/config/configuration.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import { ENTRY_KINDS } from '#mesh/consensus/raft/config-history.ts';
import type { ConsensusOutput, Write } from '#mesh/consensus/raft/inputs.ts';
import { proposalText } from '#mesh/consensus/raft/proposal-table.ts';
import { encodeVote } from '#mesh/consensus/votes/signed-vote.ts';
import { decodeStatement } from '#mesh/hcth/statement-log.ts';
import type { Server } from './server.ts';

/** Something that must not be. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
  readonly at: Millis;
}

/** See the header. */
export class Truth {
  readonly violations: Violation[] = [];
  readonly meshId: Uint8Array;
  /** What each server's log looks like in its memory: index → digest. */
  readonly #logs = new Map<Server, string[]>();
  readonly #leaders = new Map<number, Server>();
  readonly #places = new Map<string, string>();
  /** By index. */
  readonly committed: { readonly digest: string; readonly term: number }[] = [];
  readonly #sums = new Map<number, number>();
  readonly #applied = new Map<string, number>();
  readonly #durable = new Map<string, Set<string>>();
  readonly #votes = new Map<string, { readonly candidate: string; readonly incarnation: number }>();
  readonly #commits = new Map<Server, number>();
  readonly #supporters = new Map<string, Set<number>>();
  readonly #changes = new Map<string, number>();
  readonly #stoodIn = new Map<Server, number>();
  readonly counts = { elections: 0, commits: 0, leases: 0, votes: 0 };

  constructor(meshId: Uint8Array) {
    this.meshId = meshId;
  }

  blame(checker: string, text: string, at: Millis): void {
    if (this.violations.length < 20) this.violations.push({ checker, text, at });
  }

  /** A run begins with what the disk had. */
  booted(server: Server): void {
    const log: string[] = [];
    const { snapshot, entries } = server.disk;
    for (const sealed of snapshot?.proof ?? []) log[sealed.entry.index] = hex(sealed.digest);
    for (const { entry, digest } of entries) log[entry.index] = hex(digest);
    this.#logs.set(server, log);
    this.#commits.set(server, 0);
  }

  /** The disk has confirmed: only now may anybody count on it. */
  confirmed(server: Server, writes: readonly Write[], now: Millis): void {
    const { id } = server.persona;
    for (const { append, snapshot, hard } of writes) {
      for (const sealed of snapshot?.proof ?? []) this.#isDurable(sealed, id);
      for (const sealed of append) this.#isDurable(sealed, id);
      if (hard?.vote != null) this.#vote(server, hard.term, hard.vote, now);
    }
  }

  #isDurable({ digest }: SealedEntry, id: string): void {
    const text = hex(digest);
    const holders = this.#durable.get(text) ?? new Set();
    holders.add(id);
    this.#durable.set(text, holders);
  }

  #vote(server: Server, term: number, candidate: string, now: Millis): void {
    const place = `${server.persona.number}/${term}`;
    const known = this.#votes.get(place);
    if (known === undefined) {
      this.counts.votes += 1;
      this.#votes.set(place, { candidate, incarnation: server.incarnation });
      return;
    }
    if (known.candidate === candidate) return;
    // A vote that the disk lost is promised to be found where it counts: where somebody leads by it.
    const elected = this.#leaders.get(term)?.persona.id;
    const counts = known.incarnation === server.incarnation || (elected !== undefined && elected !== candidate);
    if (counts) this.blame('one-vote-per-term', `server ${server.persona.number} voted twice in term ${term}`, now);
  }

  /** A server has taken a step. */
  stepped(server: Server, output: ConsensusOutput, servers: readonly Server[], now: Millis): void {
    if (output.write !== null) {
      this.#written(server, output.write, now);
      this.#stood(server, output.write, now);
    }
    for (const { to, message } of output.send) {
      if (message.kind === 'pre-vote-reply' && message.granted) this.#support(`${to}/${message.term}`, server.persona.number);
      if (message.kind === 'timeout-now') this.#support(`${to}/${message.term + 1}`, -1);
    }
    for (const { message } of output.send) {
      if (message.kind !== 'vote-reply' || message.vote === null) continue;
      const said = decodeStatement(message.vote.body);
      const vote = this.#candidateOf(said?.body, servers, message.term);
      if (vote !== undefined) this.#vote(server, message.term, vote, now);
    }
    this.#led(server, now);
    this.#leased(servers, now);
  }

  #candidateOf(body: Uint8Array | undefined, servers: readonly Server[], term: number): string | undefined {
    if (body === undefined) return undefined;
    const text = hex(body);
    return servers.find(({ persona }) => hex(encodeVote(this.meshId, { term, candidate: persona.id })) === text)?.persona.id;
  }

  #support(campaign: string, by: number): void {
    const supporters = this.#supporters.get(campaign) ?? new Set();
    supporters.add(by);
    this.#supporters.set(campaign, supporters);
  }

  /** Whoever raises the term for itself was told by a quorum that it would be voted for, or the leader gave way to it. */
  #stood(server: Server, { hard }: Write, now: Millis): void {
    const { id } = server.persona;
    if (hard === null || hard.vote !== id || this.#stoodIn.get(server) === hard.term) return;
    this.#stoodIn.set(server, hard.term);
    const supporters = this.#supporters.get(`${id}/${hard.term}`);
    const needed = server.view === null ? 0 : quorumOf(server.view.config) - 1;
    if (supporters?.has(-1) !== true && (supporters?.size ?? 0) < needed)
      this.blame('asked-before-standing', `server ${server.persona.number} stands in term ${hard.term} and ${supporters?.size ?? 0} would vote for it`, now);
  }

  #written(server: Server, { append, truncateFrom, snapshot }: Write, now: Millis): void {
    const log = this.#logs.get(server) ?? [];
    if (truncateFrom !== null) log.length = Math.min(log.length, truncateFrom);
    if (snapshot !== null) for (const { entry, digest } of snapshot.proof) log[entry.index] ??= hex(digest);
    for (const { entry, digest } of append) {
      if (entry.kind === ENTRY_KINDS.config && server.view?.role === 'leader' && entry.term === server.view.term) {
        const pending = this.#changes.get(`${server.persona.number}/${entry.term}`) ?? 0;
        if (pending > server.view.commit)
          this.blame('one-change-at-a-time', `entry ${entry.index} changes the configuration while the change of entry ${pending} is not committed`, now);
        this.#changes.set(`${server.persona.number}/${entry.term}`, entry.index);
      }
      const text = hex(digest);
      log[entry.index] = text;
      const place = `${entry.index}/${entry.term}`;
      const known = this.#places.get(place);
      this.#places.set(place, known ?? text);
      if (known !== undefined && known !== text) this.blame('log-matching', `two entries at index ${entry.index} of term ${entry.term}`, now);
    }
    this.#logs.set(server, log);
  }

  #led(server: Server, now: Millis): void {
    const { view } = server;
    if (view === null) return;
    const before = this.#commits.get(server) ?? 0;
    this.#commits.set(server, view.commit);
    if (view.role !== 'leader') return;
    const known = this.#leaders.get(view.term);
    if (known === undefined) {
      this.#leaders.set(view.term, server);
      this.counts.elections += 1;
      const log = this.#logs.get(server) ?? [];
      const base = server.disk.snapshot?.base.index ?? 0;
      for (const [index, entry] of this.committed.entries())
        if (entry !== undefined && entry.term < view.term && index > base && log[index] !== entry.digest)
          return this.blame('leader-completeness', `the leader of term ${view.term} lacks entry ${index}, committed in term ${entry.term}`, now);
    } else if (known !== server) this.blame('one-leader-per-term', `servers ${known.persona.number} and ${server.persona.number} lead term ${view.term}`, now);
    if (view.commit <= before) return;
    // Counting is looked at where it happens: at the leader, at once.
    const digest = this.#logs.get(server)?.[view.commit];
    const holders = digest === undefined ? undefined : this.#durable.get(digest);
    const count = view.config.voters.filter((voter) => holders?.has(voter) === true).length;
    if (digest !== undefined && count < quorumOf(view.config))
      this.blame('quorum-on-disk', `entry ${view.commit} counts as committed and is on ${count} of ${view.config.voters.length} disks`, now);
  }

  #leased(servers: readonly Server[], now: Millis): void {
    let holder: { readonly server: Server; readonly term: number } | undefined;
    for (const server of servers) {
      if (server.view?.role !== 'leader' || server.machine === null || server.isAsleep) continue;
      const lease = server.machine.lease(server.clock(now));
      if (lease === null) continue;
      this.counts.leases += 1;
      if (holder !== undefined) this.blame('one-lease', `servers ${holder.server.persona.number} and ${server.persona.number} hold the lease`, now);
      holder = { server, term: lease.fence.term };
    }
    if (holder === undefined) return;
    for (const server of servers) {
      const view = server.isUp ? server.view : null;
      if (view?.role === 'leader' && view.term > holder.term)
        this.blame('one-lease', `server ${holder.server.persona.number} holds the lease of term ${holder.term} while term ${view.term} is led`, now);
    }
  }

  /** A server has applied an entry; `sum` is what its state has become. */
  applied(server: Server, { entry, digest }: SealedEntry, isDuplicate: boolean, sum: number, now: Millis): void {
    const text = hex(digest);
    const known = this.committed[entry.index];
    if (known === undefined) {
      this.committed[entry.index] = { digest: text, term: entry.term };
      this.counts.commits += 1;
      if (!isDuplicate && !Object.values<string>(ENTRY_KINDS).includes(entry.kind)) {
        const key = proposalText(entry.key);
        const first = this.#applied.get(key);
        if (first !== undefined) this.blame('applied-once', `one proposal was applied at ${first} and at ${entry.index}`, now);
        this.#applied.set(key, entry.index);
      }
    } else if (known.digest !== text) this.blame('state-machine-safety', `server ${server.persona.number} applied another entry ${entry.index}`, now);
    const other = this.#sums.get(entry.index);
    this.#sums.set(entry.index, other ?? sum);
    if (other !== undefined && other !== sum)
      this.blame('state-machine-safety', `server ${server.persona.number} has another state after entry ${entry.index}`, now);
  }
}
