/**
 * The world of the simulator: several real nodes (`Swarm`, nothing of them is modelled) on a virtual clock, with a network
 * in memory and simulated disks. One seed, one story: everything that happens is decided by it. This file lets time pass
 * and performs what nodes ask for, in the driver's order; what is done to them stands in the workload, what must hold in
 * the checkers.
 */
import { assert } from '#core/errors/assert.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createRng, type Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { rotateIdentity, ROTATION_RANDOM_BYTES } from '#mesh/hcth/rotate-identity.ts';
import { addressText } from '#mesh/membership/address-policy.ts';
import type { Command, SwarmEffects, SwarmInput } from '#mesh/swarm/step.ts';
import { type DiskImage, EMPTY_DISK } from './disk.ts';
import { EventQueue } from './event-queue.ts';
import { type Lineage, Machine, type RamSnapshot, seededEntropy } from './machine.ts';
import { MachineClock } from './clock.ts';
import { Network } from './network.ts';
import { TraceHash } from './trace-hash.ts';

/** Ticks at one instant, by all machines together. */
const TICKS_MAX = 1_000;

/** Who looks on. */
export interface Onlooker {
  /** After every step of every machine. */
  onStep?(machine: Machine, input: SwarmInput, effects: SwarmEffects): void;
  /** A machine began a run: a new incarnation, or a memory that woke up. */
  onRun?(machine: Machine, how: 'started' | 'remembered'): void;
}

/** What a world is made with. */
export interface WorldOptions {
  readonly seed: string;
  /** The port of one machine, by its number; all ports of a world understand each other. */
  readonly cryptoOf: (machine: number) => CryptoPort;
  /** How fast the clock of a machine runs, by its number; all run alike without it. */
  readonly rateOf?: (machine: number) => number;
  /** Whether memories will be asked for ({@link World.remember}): all that goes into every machine is kept then. */
  readonly memories?: boolean;
}

export class World {
  readonly queue = new EventQueue();
  readonly network: Network;
  readonly machines: Machine[] = [];
  readonly lineages: Lineage[] = [];
  readonly hash = new TraceHash();
  readonly onlookers: Onlooker[] = [];
  readonly seed: string;
  now: Millis = 1_000;
  readonly #cryptoOf: (machine: number) => CryptoPort;
  readonly #memories: boolean;
  readonly #rateOf: (machine: number) => number;
  readonly #byAddress = new Map<string, Machine>();
  readonly #rng: Rng;
  #command = 0;

  constructor(options: WorldOptions) {
    this.seed = options.seed;
    this.#cryptoOf = options.cryptoOf;
    this.#memories = options.memories ?? true;
    this.#rateOf = options.rateOf ?? (() => 1);
    this.#rng = createRng(`${options.seed}/world`);
    this.network = new Network(this);
  }

  // ---- machines ------------------------------------------------------------------------------------------------------

  /** A machine with an identity of its own; off. */
  add(name: string, makeIdentity: (crypto: CryptoPort) => Identity, image: DiskImage = EMPTY_DISK): Machine {
    const identity = makeIdentity(this.#cryptoOf(this.machines.length));
    const lineage: Lineage = {
      name,
      text: aidText(identity.established.aid),
      identity,
      rotations: 0,
      machines: [],
      restored: false,
      cloned: false,
      forked: false,
    };
    this.lineages.push(lineage);
    return this.addOf(lineage, image);
  }

  /** One more machine with an identity that exists already; off. */
  addOf(lineage: Lineage, image: DiskImage): Machine {
    const index = this.machines.length;
    const machine = new Machine({
      index,
      name: lineage.machines.length === 0 ? lineage.name : `${lineage.name}-${lineage.machines.length + 1}`,
      address: { host: `10.0.0.${index + 1}`, port: 7_411 },
      lineage,
      crypto: this.#cryptoOf(index),
      image,
    });
    // Nobody's monotonic clock starts where another's does.
    machine.clock = new MachineClock(index * 12_345, 0, this.#rateOf(index));
    lineage.machines.push(machine);
    this.machines.push(machine);
    this.#byAddress.set(addressText(machine.address), machine);
    return machine;
  }

  machineAt(address: string): Machine | undefined {
    return this.#byAddress.get(address);
  }

  /** Switch on, or start the agent again. */
  start(machine: Machine, reason: 'start' | 'clock-jump' | 'restore' = 'start', atLeast = 0): void {
    assert(machine.run === null, `${machine.name} runs already`);
    machine.powered = true;
    machine.run = machine.begin(this.#nextSeed(machine), this.now, { reason, atLeast, recorded: this.#memories });
    machine.nextAccepted = 1;
    for (const onlooker of this.onlookers) onlooker.onRun?.(machine, 'started');
    this.input(machine, { kind: 'listening', addresses: [machine.address] });
  }

  /** The plug is pulled. */
  cutPower(machine: Machine): void {
    machine.powered = false;
    machine.run = null;
    machine.wakeAt = NEVER;
    this.network.vanish(machine);
    machine.disk.powerCut(this.#rng);
  }

  /** The process is killed; the system around it lives, closes its connections and keeps its writes. */
  crash(machine: Machine): void {
    machine.run = null;
    machine.wakeAt = NEVER;
    this.network.closeAll(machine, 'rst');
  }

  /** The agent is stopped in an orderly way. */
  stop(machine: Machine): void {
    this.input(machine, { kind: 'stop' });
    machine.run = null;
    machine.wakeAt = NEVER;
    this.network.closeAll(machine, 'fin');
  }

  /**
   * The owner has a key replaced, as the driver does it (mesh/driver/identity-keeper.ts): the new one is on the disk, then
   * everybody is told, then the next run begins. `untold`: the power goes between the two.
   */
  rotate(machine: Machine, how: { readonly recovery: boolean; readonly untold: boolean }): void {
    const { signKey, nextSeed, established } = machine.identity;
    assert(nextSeed !== null, 'the next key is at hand');
    const random = seededEntropy(`${this.#nextSeed(machine)}/rotation`)(ROTATION_RANDOM_BYTES);
    const rotated = rotateIdentity(machine.crypto, established, nextSeed, how.recovery ? null : signKey, random);
    assert(rotated.kind === 'rotated', 'the next key fits');
    machine.disk.writeIdentity(rotated.identity);
    const { rotations } = rotated.identity.established;
    machine.lineage.rotations = Math.max(machine.lineage.rotations, rotations);
    if (how.untold) return this.cutPower(machine);
    this.input(machine, { kind: 'rotated', event: rotated.event, number: rotations });
    machine.run = null;
    machine.wakeAt = NEVER;
    this.network.closeAll(machine, 'fin');
    this.start(machine);
  }

  /** A snapshot of the machine with its memory. */
  remember(machine: Machine): RamSnapshot {
    const { run } = machine;
    assert(run !== null, 'only what runs has a memory');
    return {
      run,
      inputCount: run.inputCount,
      sent: run.sent,
      image: machine.disk.image(),
      connections: [...machine.ends.keys()],
      dials: [...machine.dials],
      takenAt: this.now,
      clock: new MachineClock(machine.clock.monoAhead, machine.clock.wallAhead, machine.clock.rate),
    };
  }

  /**
   * A memory wakes up in a machine that is off: it believes that no time has passed. Its connections are gone.
   * @param sameChance whether the generator of its random bytes was in the snapshot, too
   */
  wake(machine: Machine, snapshot: RamSnapshot, sameChance: boolean): void {
    assert(machine.run === null, `${machine.name} runs already`);
    machine.powered = true;
    machine.clock = snapshot.clock.stoodStill(snapshot.takenAt, this.now);
    const run = snapshot.run.remembered(machine.crypto, snapshot, sameChance ? null : this.#nextSeed(machine));
    machine.run = run;
    machine.nextAccepted = 10_000 * (machine.runs + 1);
    for (const onlooker of this.onlookers) onlooker.onRun?.(machine, 'remembered');
    for (const connection of snapshot.connections) this.input(machine, { kind: 'closed', connection, why: 'the connection was reset' });
    for (const connection of snapshot.dials) this.input(machine, { kind: 'dial-failed', connection, why: 'ETIMEDOUT' });
    this.input(machine, { kind: 'listening', addresses: [machine.address] });
  }

  #nextSeed(machine: Machine): string {
    machine.runs += 1;
    return `${this.seed}/${machine.name}/${machine.runs}`;
  }

  // ---- inputs --------------------------------------------------------------------------------------------------------

  /** One input to one machine, what it asks for, and the end of its turn. */
  input(machine: Machine, input: SwarmInput): void {
    const { run } = machine;
    if (run === null) return;
    const effects = run.step(input, machine.clock.at(this.now));
    this.#perform(machine, effects);
    for (const onlooker of this.onlookers) onlooker.onStep?.(machine, input, effects);
    if (machine.run !== run) return;
    for (const call of effects.calls) this.input(machine, { kind: 'respond', call: call.call, result: { kind: 'ok', body: call.body } });
    for (const key of effects.recheck) this.input(machine, { kind: 'stored-record', key, record: machine.disk.image().peers.get(key) ?? null });
    if (effects.reincarnate !== null) return this.#reincarnate(machine, effects.reincarnate.atLeast);
    if (effects.flushWanted && input.kind !== 'flush') return this.input(machine, FLUSH);
    machine.wakeAt = machine.clock.worldTime(run.swarm.wakeAt);
  }

  /** Ask something of a machine; the number under which its reply will be found. */
  command(machine: Machine, command: Command): number {
    this.#command += 1;
    this.input(machine, { kind: 'command', id: this.#command, command });
    return this.#command;
  }

  /** Call a verb on a peer. */
  request(machine: Machine, who: string, body: Uint8Array): void {
    this.#command += 1;
    this.input(machine, { kind: 'request', id: this.#command, who, verb: 'echo', body, timeoutMs: 5_000 });
  }

  #perform(machine: Machine, effects: SwarmEffects): void {
    this.hash.effects(this.now, machine.index, effects, machine.run?.sent ?? 0);
    if (effects.persist.length > 0) machine.disk.write(effects.persist);
    for (const { connection, bytes } of effects.send) this.network.send(machine, connection, bytes);
    for (const { connection } of effects.close) this.network.close(machine, connection);
    for (const { connection, address } of effects.dial) this.network.dial(machine, connection, address);
    for (const { connection, paused } of effects.pause) this.network.pause(machine, connection, paused);
    if (effects.events.length > 0) machine.events.push(...effects.events);
    for (const reply of effects.replies) machine.replies.set(reply.id, reply);
  }

  /** As the driver does it: what is still to be said goes out, then the next run begins. */
  #reincarnate(machine: Machine, atLeast: number): void {
    this.stop(machine);
    this.start(machine, 'restore', atLeast);
  }

  // ---- time ----------------------------------------------------------------------------------------------------------

  /** Let virtual time pass. */
  run(span: Millis): void {
    const until = this.now + span;
    const { queue, machines } = this;
    let ticks = 0;
    let ticksAt: Millis = -1;
    for (;;) {
      let sleeper: Machine | null = null;
      let wakeAt: Millis = NEVER;
      for (const machine of machines) {
        if (machine.wakeAt >= wakeAt) continue;
        wakeAt = machine.wakeAt;
        sleeper = machine;
      }
      const nextAt = queue.nextAt ?? NEVER;
      const at = Math.min(nextAt, wakeAt);
      if (at > until) break;
      this.now = Math.max(this.now, at);
      if (nextAt <= wakeAt) {
        queue.take()?.();
      } else if (sleeper !== null) {
        // A machine that wants to be woken at once, again and again, would stop the world.
        ticks = this.now > ticksAt ? 0 : ticks + 1;
        ticksAt = this.now;
        assert(ticks < TICKS_MAX, `${sleeper.name} wants a tick at ${wakeAt} again and again`);
        this.input(sleeper, TICK);
      }
    }
    this.now = until;
  }
}

const FLUSH: SwarmInput = { kind: 'flush' };
const TICK: SwarmInput = { kind: 'tick' };
