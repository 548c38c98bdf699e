/**
 * θ_eff, the threshold for approving in a young mesh (protocol.md §2.13): nobody can have earned 0.60 in a mesh that is an
 * hour old, so it grows with the mesh: min(0.60, 0.8·S*(age)). Founders can work from minute one, and a later newcomer is
 * always behind them.
 */
import type { Millis } from '#core/time/time.ts';
import type { TrustProfile } from './profiles.ts';
import { perfectScore, type Score } from './score.ts';

/** The threshold in a mesh of some age. */
export const APPROVE_SCORE_MIN: Score = 6_000;

/** θ_eff. */
export function thetaEffective(meshAgeMs: Millis, profile: TrustProfile): Score {
  return Math.min(APPROVE_SCORE_MIN, Math.floor((perfectScore(meshAgeMs, profile) * 4) / 5));
}
