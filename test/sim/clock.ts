/**
 * The clocks of one machine against the time of the world. The monotonic one stands still while a machine exists as a
 * snapshot only, starts anywhere and runs at its own rate; the wall clock is what somebody has set it to.
 */
import type { Instant, Millis } from '#core/time/time.ts';

/** Wall clock at time zero of the world. */
const WALL_START: Millis = 1_700_000_000_000;
/** Rounding on the way to the world's time and back must not make a clock ring a moment too early. */
const ROUNDING_MS = 1e-3;

export class MachineClock {
  /** Monotonic clock minus time of the world, at time zero of the world. */
  readonly monoAhead: Millis;
  /** Wall clock minus the right one, at time zero of the world. */
  wallAhead: Millis;
  /** What passes on it while one millisecond of the world passes. */
  readonly rate: number;

  constructor(monoAhead: Millis = 0, wallAhead: Millis = 0, rate = 1) {
    this.monoAhead = monoAhead;
    this.wallAhead = wallAhead;
    this.rate = rate;
  }

  /** What the machine's clocks show. */
  at(now: Millis): Instant {
    return { mono: now * this.rate + this.monoAhead, wall: WALL_START + now * this.rate + this.wallAhead };
  }

  /** The time of the world at which the monotonic clock shows so much. */
  worldTime(mono: Millis): Millis {
    const at = (mono - this.monoAhead) / this.rate;
    return this.rate === 1 && at + this.monoAhead >= mono ? at : at + ROUNDING_MS;
  }

  /** The clock of a machine that has existed as a snapshot only since `takenAt`: for it no time has passed. */
  stoodStill(takenAt: Millis, now: Millis): MachineClock {
    return new MachineClock(this.monoAhead - (now - takenAt) * this.rate, this.wallAhead, this.rate);
  }
}
