/**
 * Until when the leader may act alone (protocol.md §3.5): from the time at which it *sent* the newest heartbeat that a
 * quorum has answered, on its own monotonic clock. What it may be used for: reads, scheduling, the gateway. Never for
 * membership, approvals, secrets. A clock that jumped, a process that stalled, a transfer of leadership void it.
 */
import type { Instant, Millis } from '#core/time/time.ts';
import { clockJumpMsMax, type Timing } from '../config/timing.ts';
import { LEASE_LIMITS as LIMITS } from './limits.ts';

/** The heartbeats of one leader, numbered from 1, and what they are worth. Owned by the leader of one term. */
export class Lease {
  readonly #timing: Timing;
  readonly #sent = new Map<number, Instant>();
  #round = 0;
  /** Rounds up to this one count for nothing. */
  #voidRound = 0;
  #forfeited = false;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** Number of the newest heartbeat. */
  get round(): number {
    return this.#round;
  }

  /** A heartbeat goes out now; its number. */
  begin(now: Instant): number {
    this.#round += 1;
    this.#sent.set(this.#round, now);
    this.#sent.delete(this.#round - LIMITS.roundsMax);
    return this.#round;
  }

  /** Everything confirmed so far was confirmed to somebody whose clock cannot be believed. */
  voidNow(): void {
    this.#voidRound = this.#round;
  }

  /** For the rest of this term there is none: votes may be given past it (C-11). */
  forfeit(): void {
    this.#forfeited = true;
  }

  get isForfeited(): boolean {
    return this.#forfeited;
  }

  /** How much longer, given the newest round that a quorum has answered; 0 for not at all. */
  leftMs(quorumRound: number, now: Instant): Millis {
    if (this.#forfeited || quorumRound <= this.#voidRound) return 0;
    const sent = this.#sent.get(Math.min(quorumRound, this.#round));
    if (sent === undefined) return 0;
    const mono = now.mono - sent.mono;
    if (Math.abs(now.wall - sent.wall - mono) > clockJumpMsMax(this.#timing)) return 0;
    return Math.max(0, this.#timing.leaseMs - mono);
  }
}

/** Notices that the present does not follow from the past: a clock that was set, a machine that slept, a loop that stood still. */
export class PresenceWatch {
  readonly #timing: Timing;
  #last: Instant | null = null;

  constructor(timing: Timing) {
    this.#timing = timing;
  }

  /** What happened since the last step, given when a step was due; null for nothing. */
  look(now: Instant, dueAt: Millis): string | null {
    const last = this.#last;
    this.#last = now;
    if (last === null) return null;
    const jump = now.wall - last.wall - (now.mono - last.mono);
    if (Math.abs(jump) > clockJumpMsMax(this.#timing)) return `the wall clock moved ${Math.round(jump)} ms against the monotonic one`;
    const late = now.mono - dueAt;
    return late > this.#timing.leaseMs / 4 ? `the node stood still for ${Math.round(late)} ms` : null;
  }
}
