/**
 * What kind of trace a seed is in the consensus world: every choice that is made once, drawn from the seed and printed
 * with it.
 */
import { createRng } from '#core/random/random.ts';
import type { TimingProfile } from '#mesh/consensus/config/timing.ts';
import type { Weather } from './network.ts';

/** What is done to the servers. */
export const CLASSES = ['calm', 'crash', 'churn', 'partition', 'disk', 'clock', 'change', 'amnesia', 'mixed'] as const;
export type TraceClass = (typeof CLASSES)[number];

export interface ConsensusTrace {
  readonly seed: string;
  readonly class: TraceClass;
  readonly voters: number;
  readonly learners: number;
  readonly quorum: number | null;
  readonly timing: TimingProfile;
  readonly weather: Weather;
  readonly clients: number;
  readonly steps: number;
  /** Clock rates differ by up to so much, both ways; two clocks by twice that, which is what a lease allows for. */
  readonly rateError: number;
}

/** Two thousand and four hundred millionths: 2 · 0.024 < 0.05. */
const RATE_ERROR_MAX = 0.024;

export function drawConsensusTrace(seed: string, chosen?: TraceClass): ConsensusTrace {
  const rng = createRng(`consensus/${seed}`);
  const upTo = (count: number): number => Math.floor(rng.next() * count);
  const drawn = CLASSES[upTo(CLASSES.length)] ?? 'mixed';
  const kind = chosen ?? drawn;
  const dice = rng.next();
  const drawnVoters = dice < 0.5 ? 3 : dice < 0.8 ? 5 : dice < 0.9 ? 4 : dice < 0.95 ? 6 : 7;
  const amnesic = kind === 'amnesia';
  const voters = kind === 'churn' ? 5 : amnesic ? ([3, 3, 4, 5][upTo(4)] ?? 3) : drawnVoters;
  const strict = rng.next() < 0.12;
  const majority = Math.floor(voters / 2) + 1;
  const timing = rng.next() < 0.75 ? 'lan' : 'sdcard';
  const rough = rng.next();
  const scale = timing === 'lan' ? 1 : 5;
  return {
    seed,
    class: kind,
    voters,
    learners: upTo(3),
    quorum: strict && majority < voters ? majority + 1 : null,
    timing,
    weather: {
      latencyMs: 1 + upTo(8) * scale,
      jitterMs: 1 + upTo(12) * scale,
      lostPerMille: kind === 'calm' ? 0 : amnesic ? 250 : rough < 0.4 ? 0 : rough < 0.8 ? 20 : 120,
      doubledPerMille: rng.next() < 0.5 ? 0 : 20,
      latePerMille: rng.next() < 0.5 ? 0 : 15,
    },
    clients: 2 + upTo(3),
    steps: 12 + upTo(18),
    rateError: rng.next() < 0.6 ? RATE_ERROR_MAX : 0,
  };
}
