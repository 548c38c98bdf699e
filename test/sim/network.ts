/**
 * The network between the machines: connections that keep the order of what is written to them, latency, cables that are
 * cut in one direction or both, and the ways in which a connection ends. As with TCP, what cannot get through waits and
 * arrives when the path is back; a machine that lost its power says nothing, and whoever still holds a connection to it
 * learns so only when it writes to the machine after that has come back.
 */
import type { Millis } from '#core/time/time.ts';
import { type Address, addressText } from '#mesh/membership/address-policy.ts';
import type { SwarmInput } from '#mesh/swarm/step.ts';
import type { EventQueue } from './event-queue.ts';
import type { Arrival, End, Machine, Run } from './machine.ts';

/** What the network asks of the world. */
export interface NetworkHost {
  readonly queue: EventQueue;
  readonly now: Millis;
  machineAt(address: string): Machine | undefined;
  input(machine: Machine, input: SwarmInput): void;
}

/** Nothing answers within this time: the dial is given up (mesh/driver/limits.ts). */
const DIAL_MS: Millis = 4_000;

/** What happened in the network, so that a test can tell that it did. */
export interface NetworkCounts {
  frames: number;
  bytes: number;
  dials: number;
  dialsFailed: number;
  held: number;
  resets: number;
}

export class Network {
  latencyMs: Millis = 1;
  readonly counts: NetworkCounts = { frames: 0, bytes: 0, dials: 0, dialsFailed: 0, held: 0, resets: 0 };
  readonly #host: NetworkHost;
  /** Directed: `from > to` by machine numbers. */
  readonly #blocked = new Set<number>();
  /** Ends for which something arrived at a cut cable. */
  readonly #parked = new Set<End>();

  constructor(host: NetworkHost) {
    this.#host = host;
  }

  // ---- cables --------------------------------------------------------------------------------------------------------

  /** Nothing gets through from one machine to another. */
  block(from: Machine, to: Machine): void {
    this.#blocked.add(from.index * 256 + to.index);
  }

  isBlocked(from: Machine, to: Machine): boolean {
    return this.#blocked.size > 0 && this.#blocked.has(from.index * 256 + to.index);
  }

  get isWhole(): boolean {
    return this.#blocked.size === 0;
  }

  /** All cables are whole again. */
  heal(): void {
    this.#blocked.clear();
    for (const end of [...this.#parked]) {
      this.#parked.delete(end);
      this.#schedule(end, this.#host.now + this.latencyMs);
    }
  }

  // ---- connections ---------------------------------------------------------------------------------------------------

  dial(machine: Machine, connection: number, address: Address): void {
    this.counts.dials += 1;
    const { run } = machine;
    machine.dials.add(connection);
    this.#later(this.latencyMs, () => {
      const target = this.#host.machineAt(addressText(address));
      if (target === undefined || !target.powered || this.isBlocked(machine, target) || this.isBlocked(target, machine))
        return this.#later(DIAL_MS, () => this.#dialFailed(machine, run, connection, 'ETIMEDOUT'));
      if (target.run === null) return this.#later(this.latencyMs, () => this.#dialFailed(machine, run, connection, 'ECONNREFUSED'));
      const mine: End = { machine, connection, other: null, open: false, paused: false, inbox: [], scheduled: false };
      const theirs: End = { machine: target, connection: target.nextAccepted, other: mine, open: true, paused: false, inbox: [], scheduled: false };
      target.nextAccepted += 1;
      mine.other = theirs;
      target.ends.set(theirs.connection, theirs);
      this.#host.input(target, { kind: 'accepted', connection: theirs.connection, remote: { host: machine.address.host, port: 40_000 + theirs.connection } });
      this.#later(this.latencyMs, () => {
        if (machine.run !== run || !machine.dials.delete(connection)) return this.#put(theirs, 'rst');
        mine.open = true;
        machine.ends.set(connection, mine);
        this.#host.input(machine, { kind: 'connected', connection, remote: address });
      });
    });
  }

  send(machine: Machine, connection: number, bytes: Uint8Array): void {
    const end = machine.ends.get(connection);
    if (end?.open !== true || end.other === null) return;
    this.counts.frames += 1;
    this.counts.bytes += bytes.length;
    this.#put(end.other, bytes);
  }

  /** In order, after what was written before. */
  close(machine: Machine, connection: number): void {
    const end = machine.ends.get(connection);
    if (end !== undefined) this.#closeEnd(end, 'fin');
  }

  pause(machine: Machine, connection: number, paused: boolean): void {
    const end = machine.ends.get(connection);
    if (end === undefined) return;
    end.paused = paused;
    if (!paused && end.inbox.length > 0) this.#schedule(end, this.#host.now);
  }

  /** The process ends: the system closes its connections, and says so. */
  closeAll(machine: Machine, how: 'fin' | 'rst'): void {
    machine.dials.clear();
    for (const end of [...machine.ends.values()]) this.#closeEnd(end, how);
  }

  /** The power goes: nobody says anything. */
  vanish(machine: Machine): void {
    machine.dials.clear();
    for (const end of machine.ends.values()) end.open = false;
    machine.ends.clear();
  }

  /** Something between two machines forgets a connection: both hear of it. */
  reset(end: End): void {
    this.counts.resets += 1;
    if (end.other !== null) this.#put(end.other, 'rst');
    this.#put(end, 'rst');
  }

  /** Most bytes on the way to any one end. */
  get waitingBytesMax(): number {
    let most = 0;
    for (const end of this.#parked) {
      let bytes = 0;
      for (const { item } of end.inbox) if (item instanceof Uint8Array) bytes += item.length;
      most = Math.max(most, bytes);
    }
    return most;
  }

  #closeEnd(end: End, how: 'fin' | 'rst'): void {
    end.open = false;
    end.machine.ends.delete(end.connection);
    if (end.other !== null) this.#put(end.other, how);
  }

  #dialFailed(machine: Machine, run: Run | null, connection: number, why: string): void {
    if (machine.run !== run || !machine.dials.delete(connection)) return;
    this.counts.dialsFailed += 1;
    this.#host.input(machine, { kind: 'dial-failed', connection, why });
  }

  #put(end: End, item: Arrival): void {
    const at = Math.max(this.#host.now + this.latencyMs, end.inbox.at(-1)?.at ?? 0);
    end.inbox.push({ at, item });
    if (!end.scheduled) this.#schedule(end, at);
  }

  #schedule(end: End, at: Millis): void {
    if (end.scheduled) return;
    end.scheduled = true;
    this.#host.queue.add(at, () => {
      end.scheduled = false;
      this.#arrive(end);
    });
  }

  #arrive(end: End): void {
    const { other, machine } = end;
    if (other !== null && this.isBlocked(other.machine, machine)) {
      this.counts.held += 1;
      this.#parked.add(end);
      return;
    }
    if (!end.open) return this.#arriveNowhere(end);
    while (end.open && !end.paused) {
      const next = end.inbox[0];
      if (next === undefined) return;
      if (next.at > this.#host.now) return this.#schedule(end, next.at);
      end.inbox.shift();
      if (next.item instanceof Uint8Array) {
        this.#host.input(machine, { kind: 'received', connection: end.connection, bytes: next.item });
        continue;
      }
      end.open = false;
      machine.ends.delete(end.connection);
      if (other?.open === true && next.item === 'fin') this.#closeEnd(other, 'fin');
      this.#host.input(machine, {
        kind: 'closed',
        connection: end.connection,
        why: next.item === 'rst' ? 'the connection was reset' : 'the connection was closed',
      });
    }
  }

  /** A connection that this machine knows nothing of, any more: it says so, if it is on. */
  #arriveNowhere(end: End): void {
    const spoken = end.inbox.some(({ item }) => item instanceof Uint8Array);
    end.inbox.length = 0;
    if (spoken && end.machine.powered && end.other?.open === true) this.#put(end.other, 'rst');
  }

  #later(delay: Millis, run: () => void): void {
    this.#host.queue.add(this.#host.now + delay, run);
  }
}
