/**
 * One trace: a mesh is founded, its machines are hurt for a while and all invariants are held against every change; then
 * everything is healed, and within a bound all must be well. Safety first, then liveness. The same seed gives the same
 * trace, to the byte.
 */
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { MINUTE, type Millis, SECOND } from '#core/time/time.ts';
import type { SwarmEffects } from '#mesh/swarm/step.ts';
import { CHECKERS } from './checkers/all.ts';
import type { Checker, Scene } from './checkers/checker.ts';
import { type CloneOutcome, clonePairs } from './checkers/clones-are-contested.ts';
import { provableEquivocations } from './checkers/equivocations-are-proven.ts';
import { KeyRegistry } from './crypto/sim-crypto.ts';
import { witnessed } from './crypto/witness.ts';
import { found } from './founding.ts';
import type { Machine } from './machine.ts';
import { clockRate, type TraceOptions } from './options.ts';
import { Truth } from './truth.ts';
import { type StepKind, wantsMemories, Workload } from './workload.ts';
import { World } from './world.ts';

/** After the healing, everything must be well within so much virtual time. */
const SETTLE_MS_MAX: Millis = 3 * MINUTE;
const SETTLE_STEP_MS: Millis = 5 * SECOND;

/** Something that must not be. */
export interface Violation {
  readonly checker: string;
  readonly text: string;
  readonly at: Millis;
}

/** What became of a trace. */
export interface TraceResult {
  readonly options: TraceOptions;
  readonly hash: string;
  readonly violations: readonly Violation[];
  /** Steps done to the machines, by kind. */
  readonly steps: Readonly<Partial<Record<StepKind, number>>>;
  readonly outcomes: Outcomes;
  readonly settleMs: Millis;
  readonly virtualMs: Millis;
  readonly machineSteps: number;
  readonly frames: number;
  readonly story: readonly string[];
}

/** Counted over all traces of a class. */
export interface Outcomes {
  /** Breaks that untouched machines hold against others at the end. */
  readonly breaks: Readonly<Record<string, number>>;
  readonly clonePairs: Readonly<Partial<Record<CloneOutcome, number>>>;
  /** Places at which two heads were signed; seen both by one untouched peer; convicted there. */
  readonly equivocations: number;
  readonly equivocationsCaught: number;
  readonly equivocationsProven: number;
  readonly writesLost: number;
  readonly framesHeld: number;
  readonly resets: number;
  readonly incarnations: number;
}

/** Run one trace; `crypto` is the simulated one unless a real one is given. */
export function runTrace(options: TraceOptions, crypto: CryptoPort = new KeyRegistry().port()): TraceResult {
  const truth = new Truth();
  const memories = wantsMemories(options.profile);
  const world = new World({
    seed: options.seed,
    cryptoOf: (index) => witnessed(crypto, truth.witness(index)),
    memories,
    rateOf: (index) => clockRate(options, index),
  });
  truth.watch(world);
  const scene: Scene = { world, truth, options };
  const checkers = CHECKERS.map((make) => make(scene));
  const violations: Violation[] = [];
  const watch = new Watch(world, checkers, violations);
  let workload: Workload | null = null;
  let settleMs: Millis = 0;
  try {
    world.onlookers.push(watch);
    const founded = found(world, options.nodes);
    world.network.latencyMs = options.latencyMs;
    workload = new Workload(world, founded, options);
    for (let step = 0; step < options.steps && violations.length === 0; step += 1) {
      workload.step();
      watch.lookAtAll();
    }
    workload.heal();
    settleMs = settle(world, checkers, violations);
    watch.lookAtAll();
  } catch (error) {
    violations.push({ checker: 'no-exception', text: error instanceof Error ? (error.stack ?? error.message) : String(error), at: world.now });
  }
  return {
    options,
    hash: world.hash.value,
    violations,
    steps: workload?.counts ?? {},
    outcomes: outcomesOf(scene),
    settleMs,
    virtualMs: world.now,
    machineSteps: world.hash.steps,
    frames: world.network.counts.frames,
    story: workload?.story ?? [],
  };
}

/** Wait until no checker misses anything; the time it took. */
function settle(world: World, checkers: readonly Checker[], violations: Violation[]): Millis {
  const start = world.now;
  for (;;) {
    world.run(SETTLE_STEP_MS);
    const missing = checkers.flatMap((checker) => {
      const text = checker.pending?.();
      return text === undefined ? [] : [{ checker: checker.name, text, at: world.now }];
    });
    if (missing.length === 0) return world.now - start;
    if (world.now - start >= SETTLE_MS_MAX) {
      violations.push(...missing);
      return world.now - start;
    }
  }
}

/** Shows every change to the checkers. */
class Watch {
  readonly #world: World;
  readonly #checkers: readonly Checker[];
  readonly #violations: Violation[];

  constructor(world: World, checkers: readonly Checker[], violations: Violation[]) {
    this.#world = world;
    this.#checkers = checkers;
    this.#violations = violations;
  }

  onRun(machine: Machine, how: 'started' | 'remembered'): void {
    for (const checker of this.#checkers) this.#note(checker, checker.onRun?.(machine, how));
  }

  /** Breaks, levels and standings are written down or told in the step in which they change. */
  onStep(machine: Machine, _input: unknown, effects: SwarmEffects): void {
    if (effects.events.some(({ severity }) => severity !== 'info') || effects.persist.some(({ kind }) => kind === 'peer')) this.#look(machine);
  }

  lookAtAll(): void {
    for (const machine of this.#world.machines) this.#look(machine);
  }

  #look(machine: Machine): void {
    const view = machine.run?.swarm.status();
    if (view === undefined) return;
    for (const checker of this.#checkers) this.#note(checker, checker.onView?.(machine, view));
  }

  #note(checker: Checker, text: string | undefined): void {
    if (text !== undefined && this.#violations.length < 20) this.#violations.push({ checker: checker.name, text, at: this.#world.now });
  }
}

function outcomesOf(scene: Scene): Outcomes {
  const { world, truth } = scene;
  const breaks: Record<string, number> = {};
  for (const machine of world.machines) {
    if (machine.tampered) continue;
    for (const node of machine.run?.swarm.status().nodes ?? [])
      for (const [breakClass, count] of Object.entries(node.trust?.breaks ?? {})) breaks[breakClass] = (breaks[breakClass] ?? 0) + count;
  }
  const pairs: Partial<Record<CloneOutcome, number>> = {};
  for (const { outcome } of clonePairs(scene)) pairs[outcome] = (pairs[outcome] ?? 0) + 1;
  const provable = provableEquivocations(scene);
  return {
    breaks,
    clonePairs: pairs,
    equivocations: truth.equivocations.length,
    equivocationsCaught: provable.length,
    equivocationsProven: provable.filter(({ proven }) => proven).length,
    writesLost: world.machines.reduce((sum, machine) => sum + machine.disk.lost, 0),
    framesHeld: world.network.counts.held,
    resets: world.network.counts.resets,
    incarnations: world.machines.reduce((sum, machine) => sum + machine.runs, 0),
  };
}
