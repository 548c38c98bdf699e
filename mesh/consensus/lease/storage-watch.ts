/**
 * What the disk does: which writes it has confirmed, since when the oldest is waiting, how full it is. A leader whose
 * disk hangs goes on sending heartbeats and does no good; so it writes something now and then, and steps down when that
 * does not come back (protocol.md §3.2, §3.10 no. 3).
 */
import { type Millis, NEVER } from '#core/time/time.ts';

/** How full a disk is: from 90 % no snapshots and no bulk, from 95 % (or ENOSPC) no votes and no leader (§3.3 rule 14). */
export type Fullness = 'ample' | 'high' | 'full';

/** The same from a measurement. */
export function fullnessOf(usedPercent: number, noSpace: boolean): Fullness {
  if (noSpace || usedPercent >= 95) return 'full';
  return usedPercent >= 90 ? 'high' : 'ample';
}

interface Waiting {
  readonly id: number;
  readonly at: Millis;
}

/** See the header. */
export class StorageWatch {
  fullness: Fullness = 'ample';
  #waiting: Waiting[] = [];
  #issued = 0;
  #confirmed = 0;
  /** When the newest confirmed write was issued. */
  #freshAt: Millis;

  constructor(now: Millis) {
    this.#freshAt = now;
  }

  /** Id of the newest write, confirmed or not. */
  get issued(): number {
    return this.#issued;
  }

  /** Every write up to this one is on the disk. */
  get confirmed(): number {
    return this.#confirmed;
  }

  get freshAt(): Millis {
    return this.#freshAt;
  }

  /** Since when the oldest unconfirmed write is waiting; NEVER for none. */
  get waitingSince(): Millis {
    return this.#waiting[0]?.at ?? NEVER;
  }

  /** A write goes out. */
  issue(now: Millis): number {
    this.#issued += 1;
    this.#waiting.push({ id: this.#issued, at: now });
    return this.#issued;
  }

  /** The disk has confirmed every write up to this one. */
  confirm(upTo: number): void {
    for (const { id, at } of this.#waiting) if (id <= upTo) this.#freshAt = Math.max(this.#freshAt, at);
    this.#waiting = this.#waiting.filter(({ id }) => id > upTo);
    this.#confirmed = Math.max(this.#confirmed, Math.min(upTo, this.#issued));
  }
}
