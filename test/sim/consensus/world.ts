/**
 * The world of consensus: servers with disks and clocks, a network between them, everything in the order of virtual time,
 * everything from one seed. The machines are the product's; what surrounds them is here.
 */
import { crc32 } from 'node:zlib';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { createRng, type Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import type { Configuration } from '#mesh/consensus/config/configuration.ts';
import { TIMING_PROFILES } from '#mesh/consensus/config/timing.ts';
import { ENTRY_KINDS } from '#mesh/consensus/raft/config-history.ts';
import type { Answer, Committed, ConsensusEvent, ConsensusInput, ConsensusOutput, Present } from '#mesh/consensus/raft/inputs.ts';
import type { ConsensusMessage } from '#mesh/consensus/raft/messages.ts';
import { KeyRegistry } from '../crypto/sim-crypto.ts';
import { EventQueue } from '../event-queue.ts';
import { TraceHash } from '../trace-hash.ts';
import { LossyNetwork } from './network.ts';
import type { ConsensusTrace } from './options.ts';
import { makePersona, type Mesh, Server, SMALL_LIMITS } from './server.ts';
import { OPERATION_KIND, type Result, Settings } from './settings.ts';
import { Truth } from './truth.ts';

/** Identities that are there to be added. */
const SPARES = 3;
/** What a sleeping machine's kernel keeps. */
const INBOX_MAX = 500;
/** Steps of one trace; a world that wants more goes round in circles. */
const STEPS_MAX = 2_000_000;

/** See the header. */
export class ConsensusWorld {
  now: Millis = 0;
  readonly options: ConsensusTrace;
  readonly rng: Rng;
  readonly queue = new EventQueue();
  readonly network: LossyNetwork;
  readonly mesh: Mesh;
  readonly servers: Server[];
  readonly truth: Truth;
  readonly hash = new TraceHash();
  readonly events: Record<string, number> = {};
  /** What came out of each operation, by the index at which it was applied. */
  readonly results = new Map<number, Result>();
  /** Whoever waits for answers. */
  onAnswer: (server: Server, answer: Answer) => void = () => undefined;
  /** Somebody was elected. */
  onElected: (server: Server) => void = () => undefined;
  /** A server that will forget has just given a vote away. */
  onVoteConfirmed: (server: Server, candidate: string) => void = () => undefined;
  /** Clients begin nothing before this. */
  quietUntil: Millis = 0;
  readonly story: string[] = [];
  readonly #chance: Rng;

  constructor(options: ConsensusTrace) {
    this.options = options;
    this.rng = createRng(`consensus-world/${options.seed}/${options.class}`);
    this.#chance = this.rng.fork('chance');
    this.network = new LossyNetwork(this.queue, this.rng.fork('network'), options.weather);
    const crypto = new KeyRegistry().port();
    const personas = Array.from({ length: options.voters + options.learners + SPARES }, (_, number) => makePersona(crypto, number));
    const founded: Configuration = {
      voters: personas.slice(0, options.voters).map(({ id }) => id),
      learners: personas.slice(options.voters, options.voters + options.learners).map(({ id }) => ({ id, promote: false, incarnation: 0 })),
      quorum: options.quorum,
    };
    const keys = new Map(personas.map(({ id, signKey }) => [id, signKey.publicKey]));
    // One entry a message where logs are to differ entry by entry.
    const limits = options.class === 'churn' ? { ...SMALL_LIMITS, appendBytesMax: 1 } : SMALL_LIMITS;
    this.mesh = { crypto, limits, id: crypto.sha256(utf8('mesh')), timing: TIMING_PROFILES[options.timing], founded, keys };
    this.truth = new Truth(this.mesh.id);
    const clocks = this.rng.fork('clocks');
    this.servers = personas.map((persona) => {
      const rate = 1 + options.rateError * (2 * clocks.next() - 1);
      return new Server(persona, rate, 1_000 + clocks.next() * 1e6);
    });
  }

  // ---- time ------------------------------------------------------------------------------------------------------------

  /** Let time pass. */
  run(forMs: Millis): void {
    const until = this.now + forMs;
    for (;;) {
      const at = this.queue.nextAt;
      if (at === undefined || at > until || this.hash.steps > STEPS_MAX) break;
      this.now = Math.max(this.now, at);
      this.queue.take()?.();
    }
    this.now = until;
  }

  later(delay: Millis, then: () => void): void {
    this.queue.add(this.now + delay, then);
  }

  /** Let time pass until it is so; false where it is not within the bound. */
  waitFor(done: () => boolean, forMs: Millis, everyMs: Millis = 50): boolean {
    const until = this.now + forMs;
    while (!done()) {
      if (this.now >= until) return false;
      this.run(everyMs);
    }
    return true;
  }

  tell(what: string): void {
    this.story.push(`${(this.now / 1_000).toFixed(3)} s  ${what}`);
  }

  // ---- servers ---------------------------------------------------------------------------------------------------------

  serverOf(id: string): Server | undefined {
    return this.servers.find(({ persona }) => persona.id === id);
  }

  get leader(): Server | undefined {
    const leaders = this.servers.filter((server) => server.isUp && server.view?.role === 'leader');
    return leaders.sort((a, b) => (b.view?.term ?? 0) - (a.view?.term ?? 0))[0];
  }

  start(server: Server): void {
    if (server.machine !== null) return;
    server.boot(this.mesh, this.now, this.#chance.next());
    this.truth.booted(server);
    this.input(server, { kind: 'start' });
  }

  /** The power goes. */
  crash(server: Server): void {
    if (server.machine === null) return;
    server.clock(this.now);
    server.halt();
    server.disk.powerCut(this.rng);
  }

  /** The machine is suspended: nothing of it goes on, its monotonic clock included. */
  sleep(server: Server): void {
    if (!server.isUp) return;
    server.clock(this.now);
    server.isAsleep = true;
    server.tickAt = NEVER;
  }

  wake(server: Server): void {
    if (!server.isAsleep) return;
    server.clock(this.now);
    server.isAsleep = false;
    for (const input of server.inbox.splice(0)) this.input(server, input);
    this.#schedule(server);
  }

  input(server: Server, input: ConsensusInput): void {
    const { machine } = server;
    if (machine === null) return;
    if (server.isAsleep) {
      if (server.inbox.length < INBOX_MAX) server.inbox.push(input);
      return;
    }
    const present: Present = { ...server.clock(this.now), chance: this.#chance.next() };
    const output = machine.step(input, present);
    server.view = machine.view;
    this.#perform(server, output);
    this.truth.stepped(server, output, this.servers, this.now);
    this.#record(server, output);
    this.#schedule(server);
    for (const answer of output.answers) this.onAnswer(server, answer);
  }

  #perform(server: Server, output: ConsensusOutput): void {
    const { write } = output;
    if (write !== null) {
      server.disk.take(write);
      const { run } = server;
      server.diskBusyUntil = Math.max(server.diskBusyUntil, this.now) + this.rng.next() * server.fsyncMs;
      this.queue.add(server.diskBusyUntil, () => this.#persisted(server, run, write.id));
    }
    for (const { to, message } of output.send) this.#send(server, to, message);
    if (output.restore !== null) server.settings = Settings.decode(output.restore.state);
    const captured: { readonly index: number; readonly state: Uint8Array }[] = [];
    for (const committed of output.committed) this.#apply(server, committed, captured);
    for (const { index, state } of captured) this.later(0, () => this.input(server, { kind: 'captured', index, state }));
    for (const event of output.events) this.#count(server, event);
  }

  #persisted(server: Server, run: number, upTo: number): void {
    if (server.run !== run) return;
    if (server.isAsleep) return this.later(10, () => this.#persisted(server, run, upTo));
    const writes = server.disk.confirm(upTo);
    this.truth.confirmed(server, writes, this.now);
    this.input(server, { kind: 'persisted', upTo });
    const given = server.forgetsVote ? writes.findLast(({ hard }) => hard?.vote != null && hard.vote !== server.persona.id)?.hard?.vote : null;
    if (given != null) this.onVoteConfirmed(server, given);
  }

  #send(from: Server, id: string, message: ConsensusMessage): void {
    const to = this.serverOf(id);
    if (to === undefined) return;
    this.network.send(this.now, from.persona.number, to.persona.number, () => this.input(to, { kind: 'receive', from: from.persona.id, message }));
  }

  #apply(server: Server, { sealed, duplicateOf, capture }: Committed, captured: { readonly index: number; readonly state: Uint8Array }[]): void {
    const { entry } = sealed;
    if (entry.kind === OPERATION_KIND && duplicateOf === null) this.results.set(entry.index, server.settings.apply(entry.body));
    this.truth.applied(server, sealed, duplicateOf !== null, server.settings.sum, this.now);
    if (capture) captured.push({ index: entry.index, state: server.settings.encode() });
  }

  #count(server: Server, event: ConsensusEvent): void {
    this.events[event.kind] = (this.events[event.kind] ?? 0) + 1;
    if (event.kind === 'leader-changed' && event.leader === server.persona.id) this.onElected(server);
    if (event.kind === 'peer-misbehaved' || event.kind === 'voted-twice' || event.kind === 'state-diverged')
      this.truth.blame('nobody-is-blamed', `server ${server.persona.number}: ${JSON.stringify(event)}`, this.now);
  }

  #record(server: Server, output: ConsensusOutput): void {
    const { hash } = this;
    hash.steps += 1;
    hash.number(Math.floor(this.now * 8));
    hash.number(server.persona.number);
    if (output.write !== null) {
      hash.number(output.write.id);
      for (const { digest } of output.write.append) hash.bytes(digest);
    }
    for (const { message } of output.send) hash.number(crc32(message.kind) ^ message.term);
    for (const { sealed } of output.committed) hash.text(hex(sealed.digest.subarray(0, 4)));
  }

  /** One tick is on the way at the time that the machine published; a changed mind makes another. */
  #schedule(server: Server): void {
    const { machine, run } = server;
    if (machine === null || server.isAsleep) return;
    const at = server.worldTime(machine.wakeAt);
    if (at === server.tickAt) return;
    server.tickAt = at;
    if (at === NEVER) return;
    this.queue.add(at, () => {
      if (server.run !== run || server.tickAt !== at || server.isAsleep) return;
      server.tickAt = NEVER;
      this.input(server, { kind: 'tick' });
    });
  }
}

/** What the entries of a world's log are called that no client wrote. */
export const OWN_KINDS: readonly string[] = Object.values(ENTRY_KINDS);
