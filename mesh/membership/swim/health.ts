/**
 * Whether the fault may be ours (Lifeguard §IV-A): a node that is slow, starved or badly connected sees everybody fail, so
 * it probes more slowly and more patiently with each sign that it is so, and less again with each answer that comes in time.
 */
import { SWIM_LIMITS as LIMITS } from './limits.ts';

/** Our own condition, 0 (good) to `healthMax`. */
export class LocalHealth {
  #score = 0;

  get score(): number {
    return this.#score;
  }

  /** Everything we wait for takes so many times as long. */
  get multiplier(): number {
    return 1 + this.#score;
  }

  /** A probe was answered in time. */
  good(): void {
    this.#score = Math.max(0, this.#score - 1);
  }

  /** A sign that it may be us: nobody at all answered, others had to hear from us that we live, our event loop stood still. */
  bad(): void {
    this.#score = Math.min(LIMITS.healthMax, this.#score + 1);
  }
}
