/**
 * A few consensus machines on a table: time moves when the test says so, messages and confirmations of the disk go through
 * at once unless the test holds them. For stories about single rules; storms are the simulator's (test/sim/consensus).
 */
import { utf8 } from '#core/bytes/bytes.ts';
import { TIMING_PROFILES } from '#mesh/consensus/config/timing.ts';
import type { Configuration } from '#mesh/consensus/config/configuration.ts';
import type { ProposalKey, SealedEntry } from '#mesh/consensus/log.ts';
import type { Answer, Committed, ConsensusEvent, ConsensusInput, ConsensusOutput, Write } from '#mesh/consensus/raft/inputs.ts';
import { RAFT_LIMITS } from '#mesh/consensus/raft/limits.ts';
import { ConsensusMachine, type ConsensusView } from '#mesh/consensus/raft/machine.ts';
import type { ConsensusMessage } from '#mesh/consensus/raft/messages.ts';
import type { ConsensusOptions, Stored } from '#mesh/consensus/raft/node.ts';
import { encodeVote, openVote } from '#mesh/consensus/votes/signed-vote.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { makeStatement, type StatementTip } from '#mesh/hcth/statement-log.ts';
import { crypto, identityOf } from './identities.ts';

export const MESH = crypto.sha256(utf8('a mesh'));
export const TIMING = TIMING_PROFILES.lan;
/** Longer than any election timeout. */
export const LONG = TIMING.electionMsMax + 50;

const BLANK: Stored = { hard: { term: 0, vote: null, commit: 0, damagedSince: null }, snapshot: null, entries: [], intact: true };

/** One server on the table. */
export class Seat {
  readonly name: string;
  readonly id: string;
  readonly identity: ReturnType<typeof identityOf>;
  machine: ConsensusMachine;
  /** What its disk has confirmed. */
  stored: Stored = BLANK;
  incarnation = 1;
  /** Confirmations are held back while true. */
  diskHangs = false;
  readonly waiting: Write[] = [];
  readonly events: ConsensusEvent[] = [];
  readonly answers: Answer[] = [];
  readonly committed: Committed[] = [];
  readonly sent: ConsensusMessage[] = [];
  /** In [0, 1): its next election timeouts. */
  chance = 0.5;
  wallAhead = 0;

  constructor(name: string, make: (seat: Seat) => ConsensusMachine) {
    this.name = name;
    this.identity = identityOf(name);
    this.id = aidText(this.identity.established.aid);
    this.machine = make(this);
  }

  get view(): ConsensusView {
    return this.machine.view;
  }
}

/** See the header. */
export class Group {
  now = 10_000;
  readonly seats: Seat[];
  /** Whether a message gets through. */
  passes: (from: Seat, to: Seat, message: ConsensusMessage) => boolean = () => true;
  readonly #founded: Configuration;
  readonly #limits: ConsensusOptions['limits'];
  readonly #queue: { readonly from: Seat; readonly to: Seat; readonly message: ConsensusMessage }[] = [];
  #request = 0;

  constructor(
    voters: readonly string[],
    others: { readonly learners?: readonly string[]; readonly limits?: Partial<ConsensusOptions['limits']>; readonly quorum?: number } = {},
  ) {
    const idOf = (name: string): string => aidText(identityOf(name).established.aid);
    const learners = others.learners ?? [];
    this.#founded = {
      voters: voters.map(idOf),
      learners: learners.map((name) => ({ id: idOf(name), promote: false, incarnation: 0 })),
      quorum: others.quorum ?? null,
    };
    this.#limits = { ...RAFT_LIMITS, ...others.limits };
    this.seats = [...voters, ...learners].map((name) => new Seat(name, (seat) => this.#make(seat)));
    for (const [index, seat] of this.seats.entries()) seat.chance = 0.1 + (0.8 * index) / this.seats.length;
    for (const seat of this.seats) this.input(seat, { kind: 'start' });
  }

  /** A further machine, outside of the configuration. */
  add(name: string): Seat {
    const seat = new Seat(name, (made) => this.#make(made));
    seat.chance = 0.95;
    this.seats.push(seat);
    this.input(seat, { kind: 'start' });
    return seat;
  }

  seat(name: string): Seat {
    const seat = this.seats.find((known) => known.name === name);
    if (seat === undefined) throw new Error(`there is no ${name}`);
    return seat;
  }

  get leader(): Seat | undefined {
    return this.seats.find(({ view }) => view.role === 'leader');
  }

  /** Wait until somebody leads and has committed its first entry. */
  elect(): Seat {
    for (let turn = 0; turn < 400; turn += 1) {
      const { leader } = this;
      if (leader !== undefined && leader.view.commit > 0 && leader.view.commit === leader.view.lastIndex) return leader;
      this.pass(25);
    }
    throw new Error('nobody was elected');
  }

  /** Let time pass in small steps. */
  pass(ms: number): void {
    const until = this.now + ms;
    while (this.now < until) {
      this.now = Math.min(until, this.now + 5);
      for (const seat of this.seats) if (seat.machine.wakeAt <= this.now) this.input(seat, { kind: 'tick' });
    }
  }

  input(seat: Seat, input: ConsensusInput): ConsensusOutput {
    const output = this.step(seat, input);
    this.#deliver();
    return output;
  }

  /** One step, and what it sends stays in the queue until the next input. */
  step(seat: Seat, input: ConsensusInput): ConsensusOutput {
    const output = seat.machine.step(input, { mono: this.now, wall: 1_700_000_000_000 + this.now + seat.wallAhead, chance: seat.chance });
    if (output.write !== null) seat.waiting.push(output.write);
    seat.events.push(...output.events);
    seat.answers.push(...output.answers);
    seat.committed.push(...output.committed);
    for (const { to: id, message } of output.send) {
      seat.sent.push(message);
      const to = this.seats.find((other) => other.id === id);
      if (to !== undefined) this.#queue.push({ from: seat, to, message });
    }
    if (!seat.diskHangs) this.confirm(seat);
    return output;
  }

  /** The disk confirms everything it was given. */
  confirm(seat: Seat): void {
    const last = seat.waiting.at(-1);
    if (last === undefined) return;
    for (const write of seat.waiting.splice(0)) seat.stored = after(seat.stored, write);
    this.step(seat, { kind: 'persisted', upTo: last.id });
  }

  /** The power goes and comes back: what was not confirmed is gone. */
  restart(seat: Seat, stored: Stored = seat.stored): void {
    seat.waiting.length = 0;
    seat.stored = stored;
    seat.incarnation += 1;
    seat.machine = this.#make(seat);
    this.input(seat, { kind: 'start' });
  }

  key(): ProposalKey {
    this.#request += 1;
    return { aid: identityOf('somebody').established.aid, incarnation: 1, request: this.#request };
  }

  propose(seat: Seat, body = 'x', key = this.key()): ProposalKey {
    this.input(seat, { kind: 'propose', class: 'ordinary', proposal: { key, kind: 'test', body: utf8(body) } });
    return key;
  }

  #deliver(): void {
    for (;;) {
      const next = this.#queue.shift();
      if (next === undefined) return;
      const { from, to, message } = next;
      if (this.passes(from, to, message)) this.step(to, { kind: 'receive', from: from.id, message });
    }
  }

  #make(seat: Seat): ConsensusMachine {
    const identity = identityOf(seat.name);
    const scope = { aid: identity.established.aid, incarnation: seat.incarnation, nonce: new Uint8Array(16) };
    let tip: StatementTip = { number: 0, digest: new Uint8Array(32) };
    const keyOf = (id: string): Uint8Array | undefined => this.#keyOf(id);
    return new ConsensusMachine(
      {
        crypto,
        mesh: MESH,
        self: { id: aidText(identity.established.aid), aid: identity.established.aid, incarnation: seat.incarnation, signKey: identity.signKey },
        keyOf: (signer) => keyOf(typeof signer === 'string' ? signer : aidText(signer)),
        votes: {
          sign: (vote) => {
            const made = makeStatement(crypto, identity.signKey, scope, tip, { kind: 'vote', body: encodeVote(MESH, vote) });
            ({ tip } = made);
            return made.object;
          },
          open: (voter, object) => {
            const key = keyOf(voter);
            return key === undefined ? undefined : openVote(crypto, MESH, key, voter, object);
          },
        },
        timing: TIMING,
        limits: this.#limits,
        founded: this.#founded,
        stored: seat.stored,
      },
      { mono: this.now, wall: 1_700_000_000_000 + this.now, chance: seat.chance },
    );
  }

  #keyOf(id: string): Uint8Array | undefined {
    return this.seats.find((seat) => seat.id === id)?.identity.established.signKey;
  }
}

function after(stored: Stored, { snapshot, truncateFrom, append, hard }: Write): Stored {
  let entries: readonly SealedEntry[] = stored.entries;
  if (snapshot !== null) entries = entries.filter(({ entry }) => entry.index > snapshot.base.index);
  if (truncateFrom !== null) entries = entries.filter(({ entry }) => entry.index < truncateFrom);
  return { hard: hard ?? stored.hard, snapshot: snapshot ?? stored.snapshot, entries: [...entries, ...append], intact: stored.intact };
}
