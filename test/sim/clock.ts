/**
 * The clocks of one machine against the time of the world. The monotonic one stands still while a machine exists as a
 * snapshot only, and starts anywhere; the wall clock is that of the world (somebody sets it) unless it slept as well.
 */
import type { Instant, Millis } from '#core/time/time.ts';

/** Wall clock at time zero of the world. */
const WALL_START: Millis = 1_700_000_000_000;

export class MachineClock {
  /** Monotonic clock minus time of the world. */
  monoAhead: Millis;
  /** Wall clock minus the right one. */
  wallAhead: Millis;

  constructor(monoAhead: Millis = 0, wallAhead: Millis = 0) {
    this.monoAhead = monoAhead;
    this.wallAhead = wallAhead;
  }

  /** What the machine's clocks show. */
  at(now: Millis): Instant {
    return { mono: now + this.monoAhead, wall: WALL_START + now + this.wallAhead };
  }

  /** The time of the world at which the monotonic clock shows so much. */
  worldTime(mono: Millis): Millis {
    return mono - this.monoAhead;
  }
}
