/**
 * What kind of trace a seed is: every choice that is made once, drawn from the seed and printed with it.
 */
import { createRng, type Rng } from '#core/random/random.ts';
import type { Millis } from '#core/time/time.ts';
import { NODES_MAX } from './founding.ts';

/** Classes of traces: what is done to the machines. */
export const PROFILES = ['power-cut', 'restore', 'clone', 'ram-fork', 'partition', 'mixed'] as const;
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
  const profile = PROFILES[Math.floor(rng.next() * PROFILES.length)] ?? 'mixed';
  const nodes = drawNodes(rng);
  const steps = 20 + Math.floor(rng.next() * 21) + Math.floor(rng.next() * 21);
  const latencyMs = [1, 1, 1, 5, 40][Math.floor(rng.next() * 5)] ?? 1;
  const hints = rng.next() < 0.7;
  const count = chosen.nodes ?? nodes;
  const first = Math.floor(rng.next() * count);
  const second = Math.floor(rng.next() * count);
  return {
    seed,
    profile: chosen.profile ?? profile,
    nodes: count,
    steps,
    latencyMs,
    hints,
    victims: rng.next() < 0.8 ? [first] : [...new Set([first, second])],
  };
}

/** Three is where everything happens; the larger ones cost the square. */
function drawNodes(rng: Rng): number {
  const dice = rng.next();
  return Math.min(NODES_MAX, dice < 0.8 ? 3 : dice < 0.94 ? 4 : dice < 0.98 ? 5 : 6);
}
