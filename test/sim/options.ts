/**
 * What kind of trace a seed is: every choice that is made once, drawn from the seed and printed with it.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import type { Millis } from '#core/time/time.ts';
import { NODES_MAX } from './founding.ts';

/** Classes that a seed draws first; the order is part of what a seed means. */
const FIRST = ['power-cut', 'restore', 'clone', 'ram-fork', 'partition', 'mixed'] as const;
/** Classes that take some of the seeds away from those. */
const LATER = ['rotation', 'drift'] as const;
/** Part of the seeds that they take. */
const LATER_SHARE = 0.25;

/** Classes of traces: what is done to the machines. */
export const PROFILES = [...FIRST, ...LATER] as const;
export type Profile = (typeof PROFILES)[number];

export interface TraceOptions {
  readonly seed: string;
  readonly profile: Profile;
  readonly nodes: number;
  readonly steps: number;
  readonly latencyMs: Millis;
  /** A machine that is switched on hears at once where the others are, as with mDNS; or it has to remember. */
  readonly hints: boolean;
  /** Machines that are restored, cloned or forked: their numbers. */
  readonly victims: readonly number[];
}

/** Draw the options of a seed. What the caller has chosen is not drawn, and changes nothing else. */
export function drawOptions(seed: string, chosen: { readonly profile?: Profile | undefined; readonly nodes?: number | undefined } = {}): TraceOptions {
  const rng = createRng(`options/${seed}`);
  const first = FIRST[Math.floor(rng.next() * FIRST.length)] ?? 'mixed';
  const nodes = drawNodes(rng);
  const steps = 20 + Math.floor(rng.next() * 21) + Math.floor(rng.next() * 21);
  const latencyMs = [1, 1, 1, 5, 40][Math.floor(rng.next() * 5)] ?? 1;
  const hints = rng.next() < 0.7;
  const count = chosen.nodes ?? nodes;
  const victims = [Math.floor(rng.next() * count), Math.floor(rng.next() * count)];
  return {
    seed,
    profile: chosen.profile ?? laterClass(seed) ?? first,
    nodes: count,
    steps,
    latencyMs,
    hints,
    victims: rng.next() < 0.8 ? victims.slice(0, 1) : [...new Set(victims)],
  };
}

/** The later class that a seed belongs to, if any; by other dice, so that the traces of the first ones stay what they were. */
function laterClass(seed: string): Profile | undefined {
  const dice = createRng(`class/${seed}`).next() / LATER_SHARE;
  return LATER[Math.floor(dice * LATER.length)];
}

/** Most by which a clock of the class "drift" runs fast or slow: some hundred times what a bad crystal does, so that minutes show what months would. */
const DRIFT_MAX = 0.03;

/** How fast the monotonic clock of a machine runs. */
export function clockRate({ seed, profile }: TraceOptions, machine: number): number {
  return profile === 'drift' ? 1 + (2 * createRng(`rate/${seed}/${machine}`).next() - 1) * DRIFT_MAX : 1;
}

/** Three is where everything happens; the larger ones cost the square. */
function drawNodes(rng: Rng): number {
  const dice = rng.next();
  return Math.min(NODES_MAX, dice < 0.8 ? 3 : dice < 0.94 ? 4 : dice < 0.98 ? 5 : 6);
}
