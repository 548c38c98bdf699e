/**
 * The real clock of a node: monotonic and wall time together, optionally at another rate for laboratories. The
 * monotonic one stands still while a machine sleeps; a jump between the two is how that is noticed (protocol.md §2.0).
 */
import { performance } from 'node:perf_hooks';
import type { Instant, Millis } from '#core/time/time.ts';

/** Where the driver reads the present and how it waits. */
export interface DriverClock {
  now(): Instant;
  /** Real milliseconds to wait for a span of this clock. */
  realDelay(span: Millis): Millis;
  readonly rate: number;
}

/** The operating system's clocks; both run `rate` times as fast from the moment of creation on. */
export function createSystemClock(rate = 1): DriverClock {
  const monoStart = performance.now();
  const wallStart = Date.now();
  if (rate === 1) return { rate, now: () => ({ mono: performance.now(), wall: Date.now() }), realDelay: (span) => span };
  return {
    rate,
    now: () => {
      const mono = performance.now();
      return { mono: monoStart + (mono - monoStart) * rate, wall: Math.round(wallStart + (Date.now() - wallStart) * rate) };
    },
    realDelay: (span) => span / rate,
  };
}

/** Wall against monotonic time: tells how far they drifted apart between two looks (suspend, snapshot, clock step). */
export class JumpDetector {
  #last: Instant;

  constructor(now: Instant) {
    this.#last = now;
  }

  /** Signed jump in milliseconds since the last look. */
  look(now: Instant): Millis {
    const jump = now.wall - this.#last.wall - (now.mono - this.#last.mono);
    this.#last = now;
    return jump;
  }
}
