/**
 * The trust score: `C · sqrt(S_len · S_time)` (protocol.md §2.12), as an integer number of ten-thousandths, rounded down.
 * What decides is that integer, never a floating-point number.
 */
import type { Millis } from '#core/time/time.ts';
import { decayed, expNegative, integerSquareRoot } from './exact-math.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import type { TrustProfile } from './profiles.ts';

declare const scoreBrand: unique symbol;
/** A score in ten-thousandths: 0 … 10 000. */
export type Score = number & { readonly [scoreBrand]?: never };

/** One, in {@link Score}s. */
export const SCORE_ONE: Score = 10_000;
/** A contested identity never scores above this. */
export const SCORE_CONTESTED_MAX: Score = 2_900;

/** What the score is computed from. */
export interface Scored {
  readonly lengthMilli: number;
  readonly timeMs: Millis;
  readonly debtMicros: number;
  readonly creditedSinceDebtMs: Millis;
  readonly absentMs: Millis;
  readonly standing: 'clear' | 'frozen' | 'contested' | 'convicted';
}

/** The score now. */
export function scoreOf(state: Scored, profile: TrustProfile): Score {
  if (state.standing === 'convicted') return 0;
  const beyond = state.absentMs - LIMITS.absenceGraceMs;
  const length = decayed(state.lengthMilli, beyond, LIMITS.absenceHalfLifeMs);
  const time = decayed(state.timeMs, beyond, LIMITS.absenceHalfLifeMs);
  const debt = decayed(state.debtMicros, state.creditedSinceDebtMs, LIMITS.debtHalfLifeMs) / 1_000_000;
  const score = combined(length / (profile.lengthScale * 1_000), time / profile.timeScaleMs, debt);
  return state.standing === 'contested' ? Math.min(SCORE_CONTESTED_MAX, score) : score;
}

/** The score of a peer that has been perfectly continuous for so long: S* of §2.13, and the curve of the table in §2.12. */
export function perfectScore(ageMs: Millis, profile: TrustProfile): Score {
  const slots = Math.floor(Math.max(0, ageMs) / LIMITS.slotMs);
  const length = Math.min(LIMITS.capScales, (slots * LIMITS.slotFramesMax) / profile.lengthScale);
  const time = Math.min(LIMITS.capScales, (slots * LIMITS.slotMs) / profile.timeScaleMs);
  return combined(length, time, 0);
}

/** exp(−D)·sqrt((1−exp(−a))·(1−exp(−b))), with the first factor inside the root so that one integer root rounds it all. */
function combined(a: number, b: number, debt: number): Score {
  const product = (1 - expNegative(a)) * (1 - expNegative(b)) * expNegative(2 * debt);
  return integerSquareRoot(Math.floor(product * SCORE_ONE * SCORE_ONE));
}

/** For people and for views: 0 … 1. */
export function scoreNumber(score: Score): number {
  return score / SCORE_ONE;
}
