/** All invariants of a trace; each has a file of its own. */
import { allMeetAgain } from './all-meet-again.ts';
import { breaksHaveCauses } from './breaks-have-causes.ts';
import type { MakeChecker } from './checker.ts';
import { clonesAreContested } from './clones-are-contested.ts';
import { contestedMeansCopied } from './contested-means-copied.ts';
import { convictionsAreTrue } from './convictions-are-true.ts';
import { equivocationsAreProven } from './equivocations-are-proven.ts';
import { incarnationsNeverRepeat } from './incarnations-never-repeat.ts';
import { newsReachesEverybody } from './news-reaches-everybody.ts';
import { nothingGrows } from './nothing-grows.ts';
import { oldKeysAreRefused } from './old-keys-are-refused.ts';
import { scoresInRange } from './scores-in-range.ts';
import { trustSurvivesRotation } from './trust-survives-rotation.ts';

export const CHECKERS: readonly MakeChecker[] = [
  convictionsAreTrue,
  breaksHaveCauses,
  scoresInRange,
  contestedMeansCopied,
  incarnationsNeverRepeat,
  nothingGrows,
  allMeetAgain,
  clonesAreContested,
  equivocationsAreProven,
  newsReachesEverybody,
  oldKeysAreRefused,
  trustSurvivesRotation,
];
