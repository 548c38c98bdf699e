/** A rate limit that fills with time and is emptied by use; the present is an argument. */
import type { Millis } from '#core/time/time.ts';

/** Tokens come back at a steady rate up to a bound; what is not there yet can be waited for. */
export class TokenBucket {
  #perSecond: number;
  #burst: number;
  #level: number;
  #at: Millis;

  constructor(perSecond: number, burst: number, now: Millis) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#level = burst;
    this.#at = now;
  }

  /** Take when enough is there. */
  take(amount: number, now: Millis): boolean {
    this.#fill(now);
    if (this.#level < amount) return false;
    this.#level -= amount;
    return true;
  }

  /** Take in any case; the debt delays what comes after. */
  charge(amount: number, now: Millis): void {
    this.#fill(now);
    this.#level -= amount;
  }

  /** How long until the level is positive again; 0 when it is. */
  waitMs(now: Millis): Millis {
    this.#fill(now);
    return this.#level >= 0 ? 0 : Math.ceil((-this.#level * 1_000) / this.#perSecond);
  }

  /** Change the rate; a raise gives the difference in burst at once. */
  resize(perSecond: number, burst: number, now: Millis): void {
    this.#fill(now);
    this.#level = Math.min(burst, this.#level + Math.max(0, burst - this.#burst));
    this.#perSecond = perSecond;
    this.#burst = burst;
  }

  /** Whether nothing has been taken for so long that the bucket need not be remembered. */
  isFull(now: Millis): boolean {
    this.#fill(now);
    return this.#level >= this.#burst;
  }

  /** Whether at least half of the burst is there. */
  isHalfFull(now: Millis): boolean {
    this.#fill(now);
    return this.#level * 2 >= this.#burst;
  }

  #fill(now: Millis): void {
    if (now <= this.#at) return;
    this.#level = Math.min(this.#burst, this.#level + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
  }
}
