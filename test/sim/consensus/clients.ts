/**
 * People and programs that set and read settings, through whichever server answers, and that ask again under the same key
 * when they do not know what became of it. What they saw is the history that has to fit an order.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import type { Answer } from '#mesh/consensus/raft/inputs.ts';
import { proposalText } from '#mesh/consensus/raft/proposal-table.ts';
import { utf8 } from '#core/bytes/bytes.ts';
import type { Call } from './linearizable.ts';
import type { Server } from './server.ts';
import { encodeOperation, type Operation, OPERATION_KIND, type Result } from './settings.ts';
import type { ConsensusWorld } from './world.ts';

const KEYS = ['quiet', 'colour', 'limit'];
/** One setting gets no more calls than can be judged in a moment. */
const CALLS_MAX = 160;

interface Open {
  readonly client: number;
  readonly request: number;
  readonly operation: Operation;
  readonly from: number;
  attempt: number;
  result: Result | null;
  to: number;
}

/** See the header. */
export class Clients {
  readonly calls: Open[] = [];
  readonly counts = { answered: 0, retried: 0 };
  readonly #world: ConsensusWorld;
  readonly #rng: Rng;
  #clock = 0;
  #request = 0;
  #stopped = false;
  #value = 0;
  readonly #byKey = new Map<string, Open>();
  readonly #byRead = new Map<number, { readonly call: Open; readonly server: Server; readonly run: number }>();
  #readId = 0;

  constructor(world: ConsensusWorld) {
    this.#world = world;
    this.#rng = createRng(`clients/${world.options.seed}/${world.options.class}`);
    world.onAnswer = (server, answer) => this.#onAnswer(server, answer);
  }

  /** Each goes on calling, one call at a time. */
  start(): void {
    for (let client = 0; client < this.#world.options.clients; client += 1) this.#next(client);
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What they saw. */
  history(): readonly Call[] {
    return this.calls.map(({ operation, from, to, result }) => ({ operation, from, to, result }));
  }

  #next(client: number): void {
    this.#world.later(Math.max(0, this.#world.quietUntil - this.#world.now) + 20 + this.#rng.next() * 400, () => {
      if (this.#stopped || this.calls.length >= CALLS_MAX * KEYS.length) return;
      this.call(client, this.#draw());
    });
  }

  #draw(): Operation {
    const key = KEYS[Math.floor(this.#rng.next() * KEYS.length)] ?? 'quiet';
    const dice = this.#rng.next();
    if (dice < 0.5) return { kind: 'get', key };
    this.#value += 1;
    return dice < 0.85
      ? { kind: 'set', key, value: this.#value }
      : { kind: 'swap', key, from: this.#value - 1 - Math.floor(this.#rng.next() * 3), value: this.#value };
  }

  /** Begin a call. */
  call(client: number, operation: Operation): Open {
    this.#request += 1;
    this.#clock += 1;
    const call: Open = { client, request: this.#request, operation, from: this.#clock, attempt: 0, result: null, to: Number.POSITIVE_INFINITY };
    this.calls.push(call);
    this.#try(call, null);
    return call;
  }

  #try(call: Open, hint: string | null): void {
    if (call.to !== Number.POSITIVE_INFINITY) return;
    call.attempt += 1;
    if (call.attempt > 1) this.counts.retried += 1;
    // Nobody waits for ever; what became of it stays open.
    if (call.attempt > 400) return this.#next(call.client);
    const { attempt } = call;
    const up = this.#world.servers.filter(({ machine }) => machine !== null);
    const server = (hint === null ? undefined : this.#world.serverOf(hint)) ?? up[Math.floor(this.#rng.next() * up.length)];
    this.#world.later(1 + this.#rng.next() * 5, () => {
      if (server !== undefined && server.machine !== null) this.#send(call, server);
    });
    this.#world.later(400 + this.#rng.next() * 400, () => {
      if (call.attempt === attempt) this.#try(call, null);
    });
  }

  #send(call: Open, server: Server): void {
    if (call.operation.kind === 'get') {
      this.#readId += 1;
      this.#byRead.set(this.#readId, { call, server, run: server.run });
      return this.#world.input(server, { kind: 'read', id: this.#readId });
    }
    const key = { aid: this.#aidOf(call.client), incarnation: 1, request: call.request };
    this.#byKey.set(proposalText(key), call);
    this.#world.input(server, { kind: 'propose', class: 'ordinary', proposal: { key, kind: OPERATION_KIND, body: encodeOperation(call.operation) } });
  }

  #aidOf(client: number): Uint8Array {
    return this.#world.mesh.crypto.sha256(utf8(`client ${client}`));
  }

  #onAnswer(server: Server, answer: Answer): void {
    switch (answer.kind) {
      case 'settled': {
        const call = this.#byKey.get(proposalText(answer.key));
        const result = this.#world.results.get(answer.index);
        if (call === undefined) return;
        if (result === undefined)
          return this.#world.truth.blame('answers-are-true', `a proposal is said to be settled at ${answer.index}, and is not`, this.#world.now);
        return this.#done(call, result);
      }
      case 'readable': {
        const read = this.#byRead.get(answer.id);
        if (read === undefined || read.server !== server || read.run !== server.run) return;
        return this.#done(read.call, server.settings.get(read.call.operation.key));
      }
      case 'refused':
      case 'unreadable': {
        const call = answer.kind === 'refused' ? this.#byKey.get(proposalText(answer.key)) : this.#byRead.get(answer.id)?.call;
        if (call === undefined) return;
        const { attempt } = call;
        return this.#world.later(30 + this.#rng.next() * 60, () => {
          if (call.attempt === attempt) this.#try(call, answer.refusal.leader);
        });
      }
      case 'unknown':
        return;
    }
  }

  #done(call: Open, result: Result): void {
    if (call.to !== Number.POSITIVE_INFINITY) return;
    this.#clock += 1;
    call.to = this.#clock;
    call.result = result;
    this.counts.answered += 1;
    this.#next(call.client);
  }
}
