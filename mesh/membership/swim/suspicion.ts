/**
 * How long a suspicion lasts before it becomes a judgement: long while one member alone holds it, short once others that
 * looked for themselves say the same (Lifeguard §IV-B).
 */
import type { Millis } from '#core/time/time.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';

/** What there is against a member. */
export interface Case {
  /** Other members that say so. */
  readonly others: number;
  /** What we have seen ourselves: nothing, silence, or a connection broken and refused again. */
  readonly own: 'nothing' | 'silent' | 'refused';
  readonly unstable: boolean;
}

/** log(c + 1) / log(K + 1) for c confirmations of K = 3, in thousandths; no logarithm decides. */
const SHORTENED_THOUSANDTHS: readonly number[] = [0, 500, 792, 1_000];

/** Doublings that make a mesh of this size: the bit length. */
export function doublings(members: number): number {
  let count = 0;
  while (2 ** count <= members) count += 1;
  return count;
}

/** How long this suspicion lasts. @param members of the mesh */
export function suspicionMs(of: Case, members: number): Millis {
  const accusers = of.others + (of.own === 'nothing' ? 0 : 1);
  const least = Math.max(LIMITS.suspicionMsMin, LIMITS.suspicionMsPerDoubling * doublings(members));
  const most = least * LIMITS.suspicionSpread;
  const confirmations = Math.min(LIMITS.confirmationsMax, Math.max(0, accusers - 1));
  const shortened = Math.round(most - ((most - least) * (SHORTENED_THOUSANDTHS[confirmations] ?? 1_000)) / 1_000);
  const span = of.own === 'refused' && accusers >= LIMITS.accusersMin ? LIMITS.refusedMs : shortened;
  return span * (of.unstable ? LIMITS.unstablePatience : 1);
}

/** Whether there is reason enough to doubt a member: a lone voice on hearsay is none (M-7). */
export function isSuspicious(of: Pick<Case, 'others' | 'own'>): boolean {
  return of.own !== 'nothing' || of.others >= LIMITS.accusersMin;
}
