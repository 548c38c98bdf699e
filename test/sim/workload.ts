/**
 * What happens to the machines of a trace: steps drawn from the seed, by class. The generator counts what it did, so that
 * a run can show that there were faults at all. Nothing here looks at what the nodes make of it.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import { DAY, HOUR, type Millis, MINUTE } from '#core/time/time.ts';
import type { DiskImage } from './disk.ts';
import type { Founded } from './founding.ts';
import type { Machine, RamSnapshot } from './machine.ts';
import type { Profile, TraceOptions } from './options.ts';
import type { World } from './world.ts';

/** Everything that a step may be. */
export const STEPS = [
  'wait',
  'wait-slot',
  'call',
  'invite',
  'latency',
  'power-cut',
  'crash',
  'stop',
  'start',
  'reset-connection',
  'network-changed',
  'back-up',
  'restore',
  'clone',
  'clone-of-back-up',
  'remember',
  'fork',
  'fork-late',
  'fork-noticed',
  'roll-back-memory',
  'partition',
  'partition-one-way',
  'flap',
  'heal',
  'rotate',
  'rotate-untold',
  'recover',
  'set-clock',
] as const;
export type StepKind = (typeof STEPS)[number];

type Weights = Partial<Record<StepKind, number>>;

const ORDINARY: Weights = { wait: 10, 'wait-slot': 1.2, call: 3, latency: 0.5, 'reset-connection': 1, 'network-changed': 0.5 };
const POWER: Weights = { 'power-cut': 4, crash: 1.5, stop: 1.5, start: 7 };
const CABLES: Weights = { partition: 3, 'partition-one-way': 2, flap: 1, heal: 4 };

/** How often each step comes, by class of trace. */
const WEIGHTS: Readonly<Record<Profile, Weights>> = {
  'power-cut': { ...ORDINARY, ...POWER, invite: 0.5 },
  restore: { ...ORDINARY, 'power-cut': 1.5, stop: 0.7, start: 5, 'back-up': 3, restore: 3, partition: 0.5, heal: 2 },
  clone: { ...ORDINARY, 'power-cut': 1, stop: 0.5, start: 4, 'back-up': 1.5, clone: 2, 'clone-of-back-up': 1, partition: 0.7, heal: 2 },
  'ram-fork': {
    ...ORDINARY,
    'power-cut': 0.5,
    start: 3,
    remember: 3,
    fork: 1.2,
    'fork-late': 1.2,
    'fork-noticed': 0.6,
    'roll-back-memory': 1.2,
    partition: 0.7,
    heal: 2,
  },
  partition: { ...ORDINARY, ...CABLES },
  mixed: {
    ...ORDINARY,
    ...POWER,
    ...CABLES,
    'back-up': 1.5,
    restore: 1,
    clone: 0.7,
    'clone-of-back-up': 0.4,
    remember: 1,
    fork: 0.4,
    'fork-late': 0.4,
    'fork-noticed': 0.3,
    'roll-back-memory': 0.4,
  },
  rotation: {
    ...ORDINARY,
    ...POWER,
    'back-up': 1,
    restore: 0.6,
    clone: 0.6,
    'clone-of-back-up': 0.3,
    partition: 1,
    heal: 2,
    rotate: 2,
    'rotate-untold': 0.7,
    recover: 1,
  },
  drift: { ...ORDINARY, ...POWER, 'back-up': 0.5, restore: 0.4, partition: 0.7, heal: 2, 'wait-slot': 4, 'set-clock': 2, rotate: 0.2 },
};

/** Whether memories of machines are taken in traces of this class. */
export function wantsMemories(profile: Profile): boolean {
  const weights = WEIGHTS[profile];
  return (weights.remember ?? 0) + (weights.fork ?? 0) > 0;
}

/** Copies of one identity, the original included. */
const COPIES_MAX = 3;
/** Rotations of one identity: its log goes over the wire in more than one way from here on. */
const ROTATIONS_MAX = 8;
/** Machines of one world. */
const MACHINES_MAX = 8;

/** Draws and performs the steps of one trace. */
export class Workload {
  readonly counts: Partial<Record<StepKind, number>> = {};
  /** What was done, for people. */
  readonly story: string[] = [];
  readonly #world: World;
  readonly #options: TraceOptions;
  readonly #tag: string;
  readonly #rng: Rng;
  readonly #kinds: readonly StepKind[];
  readonly #weights: readonly number[];
  readonly #total: number;
  readonly #backUps: { readonly of: Machine; readonly image: DiskImage; readonly at: Millis }[] = [];
  readonly #memories: { readonly of: Machine; readonly snapshot: RamSnapshot }[] = [];

  constructor(world: World, founded: Founded, options: TraceOptions) {
    this.#world = world;
    this.#options = options;
    this.#tag = founded.tag;
    this.#rng = createRng(`workload/${options.seed}`);
    const weights = WEIGHTS[options.profile];
    this.#kinds = STEPS.filter((kind) => (weights[kind] ?? 0) > 0);
    this.#weights = this.#kinds.map((kind) => weights[kind] ?? 0);
    this.#total = this.#weights.reduce((sum, weight) => sum + weight, 0);
  }

  /** One step, and a little time after it. */
  step(): void {
    const kind = this.#drawKind();
    const what = this.#perform(kind);
    if (what === null) {
      this.#wait(1_500);
      return;
    }
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.story.push(`${(this.#world.now / 1_000).toFixed(3)} s  ${kind}${what === '' ? '' : `: ${what}`}`);
    // Half of the faults come while the last one is still being dealt with.
    if (kind !== 'wait' && kind !== 'wait-slot') this.#wait(this.#rng.next() < 0.5 ? 300 : 4_000);
  }

  /** The weather is over: everything is whole, everything is on. */
  heal(): void {
    const world = this.#world;
    this.story.push(`${(world.now / 1_000).toFixed(3)} s  all is healed`);
    world.network.heal();
    world.network.latencyMs = 1;
    for (const machine of world.machines) if (machine.run === null) this.#start(machine);
    this.#sightings();
  }

  #drawKind(): StepKind {
    let dice = this.#rng.next() * this.#total;
    for (const [index, weight] of this.#weights.entries()) {
      dice -= weight;
      if (dice < 0) return this.#kinds[index] ?? 'wait';
    }
    return 'wait';
  }

  /** What was done, or null where it made no sense now. */
  #perform(kind: StepKind): string | null {
    const world = this.#world;
    switch (kind) {
      case 'wait':
        this.#wait(5_000);
        return '';
      case 'wait-slot':
        world.run(10_000 + Math.floor(this.#rng.next() * 40_000));
        return '';
      case 'call': {
        const [from, to] = [this.#pick((machine) => machine.run !== null), this.#pick(() => true)];
        if (from === null || to === null || from.lineage === to.lineage) return null;
        const count = 1 + Math.floor(this.#rng.next() * 12);
        for (let index = 0; index < count; index += 1) world.request(from, to.lineage.name, new Uint8Array(1 + Math.floor(this.#rng.next() * 60)).fill(index));
        return `${from.name} calls ${to.lineage.name} ${count} times`;
      }
      case 'invite': {
        const founder = world.machines[0];
        if (founder?.run == null) return null;
        world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
        return '';
      }
      case 'latency':
        world.network.latencyMs = [1, 5, 40, 200][Math.floor(this.#rng.next() * 4)] ?? 1;
        return `${world.network.latencyMs} ms`;
      case 'power-cut':
        return this.#onRunning((machine) => world.cutPower(machine));
      case 'crash':
        return this.#onRunning((machine) => world.crash(machine));
      case 'stop':
        return this.#onRunning((machine) => world.stop(machine));
      case 'start': {
        const machine = this.#pick((candidate) => candidate.run === null);
        if (machine === null) return null;
        this.#start(machine);
        return machine.name;
      }
      case 'reset-connection': {
        const machine = this.#pick((candidate) => candidate.ends.size > 0);
        const ends = machine === null ? [] : [...machine.ends.values()];
        const end = ends[Math.floor(this.#rng.next() * ends.length)];
        if (end === undefined) return null;
        world.network.reset(end);
        return `between ${end.machine.name} and ${end.other?.machine.name ?? 'nobody'}`;
      }
      case 'network-changed':
        return this.#onRunning((machine) => world.input(machine, { kind: 'network-changed' }));
      case 'back-up': {
        const machine = this.#victim(() => true);
        if (machine === null) return null;
        this.#backUps.push({ of: machine, image: machine.disk.image(), at: world.now });
        return machine.name;
      }
      case 'restore': {
        const backUp = this.#backUps[Math.floor(this.#rng.next() * this.#backUps.length)];
        if (backUp === undefined) return null;
        const { of: machine, image } = backUp;
        if (machine.run !== null) world.cutPower(machine);
        machine.disk = machine.diskFrom(image);
        machine.lineage.restored = true;
        machine.tampered = true;
        if (this.#rng.next() < 0.7) {
          this.#wait(2_000);
          this.#start(machine);
        }
        return `${machine.name} to its state ${Math.round((world.now - backUp.at) / 1_000)} s ago`;
      }
      case 'clone': {
        const machine = this.#victim((candidate) => candidate.lineage.machines.length < COPIES_MAX);
        return machine === null ? null : this.#clone(machine, machine.disk.image());
      }
      case 'clone-of-back-up': {
        const backUp = this.#backUps[Math.floor(this.#rng.next() * this.#backUps.length)];
        if (backUp === undefined || backUp.of.lineage.machines.length >= COPIES_MAX) return null;
        return this.#clone(backUp.of, backUp.image);
      }
      case 'remember': {
        const machine = this.#victim((candidate) => candidate.run !== null);
        if (machine === null) return null;
        this.#memories.push({ of: machine, snapshot: world.remember(machine) });
        return machine.name;
      }
      case 'fork': {
        const machine = this.#victim((candidate) => candidate.run !== null && candidate.lineage.machines.length < COPIES_MAX);
        return machine === null ? null : this.#fork(machine, world.remember(machine), false);
      }
      case 'fork-late':
      case 'fork-noticed': {
        const memory = this.#memories[Math.floor(this.#rng.next() * this.#memories.length)];
        if (memory === undefined || memory.of.lineage.machines.length >= COPIES_MAX) return null;
        return this.#fork(memory.of, memory.snapshot, kind === 'fork-noticed');
      }
      case 'roll-back-memory': {
        const memory = this.#memories[Math.floor(this.#rng.next() * this.#memories.length)];
        if (memory === undefined) return null;
        const { of: machine, snapshot } = memory;
        if (machine.run !== null) world.cutPower(machine);
        machine.disk = machine.diskFrom(snapshot.image);
        machine.lineage.forked = true;
        machine.tampered = true;
        world.wake(machine, snapshot, this.#rng.next() < 0.5);
        return `${machine.name} to its memory ${Math.round((world.now - snapshot.takenAt) / 1_000)} s ago`;
      }
      case 'partition': {
        const machine = this.#pick(() => true);
        if (machine === null) return null;
        const others = world.machines.filter((other) => other !== machine && this.#rng.next() < 0.7);
        for (const other of others) this.#cut(machine, other, true);
        return `${machine.name} from ${others.map((other) => other.name).join(', ')}`;
      }
      case 'partition-one-way': {
        const [from, to] = [this.#pick(() => true), this.#pick(() => true)];
        if (from === null || to === null || from === to) return null;
        this.#cut(from, to, false);
        return `from ${from.name} to ${to.name}`;
      }
      case 'flap': {
        const [a, b] = [this.#pick(() => true), this.#pick(() => true)];
        if (a === null || b === null || a === b) return null;
        for (let round = 0; round < 4; round += 1) {
          this.#cut(a, b, true);
          world.run(200 + this.#rng.next() * 2_000);
          world.network.heal();
          world.run(200 + this.#rng.next() * 2_000);
        }
        return `${a.name} and ${b.name}`;
      }
      case 'rotate':
        return this.#rotate({ recovery: false, untold: false });
      case 'rotate-untold':
        return this.#rotate({ recovery: this.#rng.next() < 0.3, untold: true });
      case 'recover':
        return this.#rotate({ recovery: true, untold: false });
      case 'set-clock': {
        const machine = this.#pick(() => true);
        if (machine === null) return null;
        machine.clock.wallAhead = [0, -400 * DAY, 400 * DAY, -1 * HOUR, 5 * MINUTE][Math.floor(this.#rng.next() * 5)] ?? 0;
        return `${machine.name} is ${machine.clock.wallAhead / HOUR} h ahead`;
      }
      case 'heal':
        if (world.network.isWhole) return null;
        world.network.heal();
        if (this.#options.hints) this.#sightings();
        return '';
    }
  }

  #cut(a: Machine, b: Machine, both: boolean): void {
    this.#world.network.block(a, b);
    if (both) this.#world.network.block(b, a);
  }

  #clone(machine: Machine, image: DiskImage): string | null {
    const world = this.#world;
    if (world.machines.length >= MACHINES_MAX) return null;
    const copy = world.addOf(machine.lineage, image);
    copy.tampered = true;
    machine.lineage.cloned = true;
    for (const sibling of machine.lineage.machines) sibling.tampered = true;
    // The original may be off while its copy begins to speak, and come back later.
    const originalOff = this.#rng.next() < 0.3;
    if (originalOff && machine.run !== null) world.cutPower(machine);
    if (this.#rng.next() < 0.8) this.#start(copy);
    return `${copy.name}${originalOff ? `, ${machine.name} is off` : ''}`;
  }

  #fork(machine: Machine, snapshot: RamSnapshot, noticed: boolean): string | null {
    const world = this.#world;
    if (world.machines.length >= MACHINES_MAX) return null;
    const copy = world.addOf(machine.lineage, snapshot.image);
    machine.lineage.forked = true;
    for (const sibling of machine.lineage.machines) sibling.tampered = true;
    // The driver compares its two clocks before it signs anything (H-11): whoever slept begins a new incarnation.
    if (noticed) world.start(copy, 'clock-jump');
    else world.wake(copy, snapshot, this.#rng.next() < 0.5);
    this.#sightingsOf(copy);
    return `${copy.name}, the memory is ${Math.round((world.now - snapshot.takenAt) / 1_000)} s old`;
  }

  /** The owner asks for it where he may: the program refuses while it cannot know whether the key is still the newest. */
  #rotate(how: { readonly recovery: boolean; readonly untold: boolean }): string | null {
    const may = (machine: Machine): boolean => machine.run?.swarm.rotationFault() === undefined && machine.identity.established.rotations < ROTATIONS_MAX;
    const machine = this.#pick((candidate) => candidate.run !== null && may(candidate));
    if (machine === null) return null;
    this.#world.rotate(machine, how);
    if (!how.untold) this.#sightingsOf(machine);
    return `${machine.name}, rotation ${machine.identity.established.rotations}${how.recovery ? ' by recovery' : ''}`;
  }

  #start(machine: Machine): void {
    this.#world.start(machine);
    this.#sightingsOf(machine);
  }

  /** Who is switched on sees the others on the LAN, and is seen. */
  #sightingsOf(machine: Machine): void {
    if (!this.#options.hints) return;
    for (const other of this.#world.machines) {
      if (other === machine || other.run === null || !this.#sees(machine, other)) continue;
      this.#world.input(machine, { kind: 'hint', address: other.address, meshTag: this.#tag, origin: 'mdns' });
      this.#world.input(other, { kind: 'hint', address: machine.address, meshTag: this.#tag, origin: 'mdns' });
    }
  }

  /** Everybody sees everybody, as after a while on any LAN. */
  #sightings(): void {
    for (const machine of this.#world.machines)
      for (const other of this.#world.machines)
        if (machine !== other && machine.run !== null && other.run !== null && this.#sees(machine, other))
          this.#world.input(machine, { kind: 'hint', address: other.address, meshTag: this.#tag, origin: 'mdns' });
  }

  #sees(a: Machine, b: Machine): boolean {
    return !this.#world.network.isBlocked(a, b) && !this.#world.network.isBlocked(b, a);
  }

  #wait(most: Millis): void {
    this.#world.run(Math.floor(this.#rng.next() * most));
  }

  #onRunning(act: (machine: Machine) => void): string | null {
    const machine = this.#pick((candidate) => candidate.run !== null);
    if (machine === null) return null;
    act(machine);
    return machine.name;
  }

  #pick(fits: (machine: Machine) => boolean): Machine | null {
    const candidates = this.#world.machines.filter(fits);
    return candidates[Math.floor(this.#rng.next() * candidates.length)] ?? null;
  }

  #victim(fits: (machine: Machine) => boolean): Machine | null {
    const lineages = this.#options.victims.map((index) => this.#world.lineages[index]);
    const candidates = this.#world.machines.filter((machine) => lineages.includes(machine.lineage) && fits(machine));
    return candidates[Math.floor(this.#rng.next() * candidates.length)] ?? null;
  }
}
