/**
 * What a trust history is made of. Times are spans of the observer's monotonic clock.
 */
import type { Millis } from '#core/time/time.ts';
import type { BreakClass } from '#mesh/hcth/breaks.ts';

/** One entry of a history. */
export type TrustEvent =
  /** So many slots with a fresh checkpoint and no break, each with so many frames (capped at 8). */
  | { readonly kind: 'credited'; readonly slots: number; readonly frames: number; readonly slotMs: Millis }
  /** Linked, but nothing was earned. */
  | { readonly kind: 'connected'; readonly ms: Millis }
  | { readonly kind: 'absent'; readonly ms: Millis }
  /** `at` (wall clock) and `why` are for people; nothing is computed from them. */
  | { readonly kind: 'break'; readonly class: BreakClass; readonly at: Millis; readonly why: string }
  /** Somebody with authority has settled what froze or contested it. */
  | { readonly kind: 'settled'; readonly at: Millis };
