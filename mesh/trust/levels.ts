/**
 * Trust levels T0…T4 (protocol.md §2.13): reached at a threshold, left 0.05 below it, so that a score at the border does
 * not flap. Nobody under a cloud profits from that: a frozen, contested or convicted peer has the level of its bare score.
 */
import type { Score } from './score.ts';

/** T0 stranger … T4 core. */
export type TrustLevel = 0 | 1 | 2 | 3 | 4;

/** Score from which a level is reached. */
export const LEVEL_SCORE_MIN: readonly [Score, Score, Score, Score, Score] = [0, 500, 3_000, 6_000, 8_500];
/** How far below its threshold a level is kept … */
export const LEVEL_HYSTERESIS: Score = 500;
/** … but T1 is left at half its threshold, since 0.05 below 0.05 would keep it for ever. */
export const LEVEL_ONE_KEPT: Score = 250;

/** All levels, lowest first. */
export const TRUST_LEVELS: readonly TrustLevel[] = [0, 1, 2, 3, 4];

/** What the levels are called. */
export const LEVEL_NAMES: readonly [string, string, string, string, string] = ['stranger', 'newcomer', 'member', 'trusted', 'core'];

/** The level that a score gives by itself. */
export function bareLevel(score: Score): TrustLevel {
  let level: TrustLevel = 0;
  for (const candidate of TRUST_LEVELS) if (score >= LEVEL_SCORE_MIN[candidate]) level = candidate;
  return level;
}

/** The level after the score has changed. */
export function nextLevel(present: TrustLevel, score: Score, standing: 'clear' | 'frozen' | 'contested' | 'convicted'): TrustLevel {
  const bare = bareLevel(score);
  if (bare >= present || standing !== 'clear') return bare;
  let level = bare;
  for (const candidate of TRUST_LEVELS) if (candidate <= present && candidate > level && score >= keptFrom(candidate)) level = candidate;
  return level;
}

function keptFrom(level: TrustLevel): Score {
  return level === 1 ? LEVEL_ONE_KEPT : LEVEL_SCORE_MIN[level] - LEVEL_HYSTERESIS;
}
