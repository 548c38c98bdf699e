/**
 * The three profiles of trust (protocol.md §2.12): how many frames (Λ) and how much time (Θ) make about two thirds of each
 * factor. Fixed in the genesis of a mesh.
 */
import { DAY, HOUR, MINUTE, type Millis } from '#core/time/time.ts';

/** Names of the profiles. */
export type TrustProfileName = 'lab' | 'home' | 'fleet';

/** One profile. */
export interface TrustProfile {
  readonly name: TrustProfileName;
  /** Λ, in frames. */
  readonly lengthScale: number;
  /** Θ. */
  readonly timeScaleMs: Millis;
}

/** All profiles. */
export const TRUST_PROFILES: Readonly<Record<TrustProfileName, TrustProfile>> = {
  lab: { name: 'lab', lengthScale: 64, timeScaleMs: 24 * MINUTE },
  home: { name: 'home', lengthScale: 3_840, timeScaleMs: 24 * HOUR },
  fleet: { name: 'fleet', lengthScale: 26_880, timeScaleMs: 7 * DAY },
};
