/**
 * How new a word about a member is: the incarnation of its run (HCTH, §2.8), and inside it the number of times it had to
 * say that it is still there. Only the member itself raises either.
 */
import { SWIM_LIMITS as LIMITS } from './limits.ts';

/** A point in a member's life. */
export interface Version {
  /** Not less than the member's HCTH incarnation, and equal to it unless somebody spoke of a larger one. */
  readonly incarnation: number;
  /** Refutations in this incarnation. */
  readonly counter: number;
}

/** Before anything was heard. */
export const VERSION_NONE: Version = { incarnation: 0, counter: 0 };

/** Negative where `a` is older than `b`, positive where newer. */
export function compareVersions(a: Version, b: Version): number {
  return a.incarnation === b.incarnation ? a.counter - b.counter : a.incarnation - b.incarnation;
}

/** Whether a rise from `known` to `told` may be believed on hearsay (M-14). */
export function isPlausibleRise(known: Version, told: Version): boolean {
  const sameRun = told.incarnation === known.incarnation;
  const incarnationMax = known.incarnation === 0 ? LIMITS.incarnationMax : known.incarnation + LIMITS.riseMax;
  return told.incarnation <= incarnationMax && told.counter - (sameRun ? known.counter : 0) <= LIMITS.riseMax;
}

/** The version with which a member contradicts what was said of it. */
export function versionAbove(said: Version): Version {
  return { incarnation: said.incarnation, counter: said.counter + 1 };
}
