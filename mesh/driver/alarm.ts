/**
 * The one timer of a node: set to the swarm's earliest deadline, reviewed when deadlines may have moved. It also notices
 * what only a timer can: our own event loop standing still, and the wall clock jumping against the monotonic one.
 */
import { type Instant, type Millis, NEVER, SECOND } from '#core/time/time.ts';
import { type DriverClock, JumpDetector } from './clock.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

/** What the alarm asks and tells. */
export interface AlarmHost {
  /** The earliest deadline, or undefined while there is nothing to wake. */
  wakeAt(): Millis | undefined;
  /** Our event loop stood still. */
  stalled(lagMs: Millis): void;
  /** Wall against monotonic clock, in real milliseconds. */
  jumped(jumpMs: Millis): void;
  ring(now: Instant): void;
}

/** The alarm may be this late; finer deadlines do not exist. */
const ALARM_SLACK_MS = 20;
/** Clock jumps and stalls are looked for at least this often. */
const ALARM_MS_MAX = 5 * SECOND;

/** Invariant: at most one timer for the deadline and one for the review. */
export class Alarm {
  readonly #clock: DriverClock;
  readonly #host: AlarmHost;
  readonly #jumps: JumpDetector;
  #timer: NodeJS.Timeout | null = null;
  #at: Millis = NEVER;
  #reviewTimer: NodeJS.Timeout | null = null;
  #reviewAt: Millis = 0;

  constructor(clock: DriverClock, host: AlarmHost) {
    this.#clock = clock;
    this.#host = host;
    this.#jumps = new JumpDetector(clock.now());
  }

  /** Set it to the earliest deadline as it is now. */
  set(): void {
    const wakeAt = this.#host.wakeAt();
    if (wakeAt === undefined) return;
    const now = this.#clock.now().mono;
    const at = Math.min(wakeAt, now + ALARM_MS_MAX * this.#clock.rate);
    if (this.#timer !== null && this.#at <= at) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#at = at;
    this.#timer = setTimeout(this.#onTimer, Math.max(0, Math.ceil(this.#clock.realDelay(at - now))));
  }

  /**
   * New deadlines are looked for once per slack instead of once per turn: what the last turns of a burst set is found by a
   * timer. `now` is the present of the turn that ends.
   */
  review(now: Millis): void {
    if (this.#at - now <= ALARM_SLACK_MS || this.#reviewTimer !== null) return;
    if (now >= this.#reviewAt) {
      this.#reviewAt = now + ALARM_SLACK_MS;
      return this.set();
    }
    this.#reviewTimer = setTimeout(this.#onReview, this.#clock.realDelay(ALARM_SLACK_MS));
  }

  /** No more ringing. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#reviewTimer !== null) clearTimeout(this.#reviewTimer);
    this.#timer = null;
    this.#reviewTimer = null;
  }

  readonly #onReview = (): void => {
    this.#reviewTimer = null;
    this.set();
  };

  readonly #onTimer = (): void => {
    this.#timer = null;
    const due = this.#at;
    this.#at = NEVER;
    const now = this.#clock.now();
    if (this.#clock.realDelay(now.mono - due) > LIMITS.lagMsMin) this.#host.stalled(now.mono - due);
    const jump = this.#clock.realDelay(this.#jumps.look(now));
    if (Math.abs(jump) > LIMITS.jumpMsMax) this.#host.jumped(jump);
    this.#host.ring(now);
    this.set();
  };
}
