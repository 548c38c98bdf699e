/**
 * What the leader knows of one other server: how far its log agrees, what is on the way to it, when it was last heard.
 * Owned by the leader of one term.
 */
import type { Millis } from '#core/time/time.ts';

/** `probe`: one message at a time until the logs meet; `stream`: as many as may be in flight; `snapshot`: in pieces. */
export type Pace = 'probe' | 'stream' | 'snapshot';

/** See the header. */
export class Progress {
  pace: Pace = 'probe';
  /** Agreed and on its disk. */
  match = 0;
  /** Next to send. */
  next: number;
  /** Newest heartbeat that it has answered. */
  round = 0;
  heardAt: Millis;
  incarnation = 0;
  /** It lost what it had promised to keep: it counts for nothing (C-22). */
  damaged = false;
  /** Since when it has been close behind; null while it is not. */
  caughtUpSince: Millis | null = null;
  /** Which snapshot it is being sent, and how much of it has arrived. */
  snapshot: { readonly index: number; offset: number } | null = null;
  #inflight = 0;

  constructor(next: number, now: Millis) {
    this.next = next;
    this.heardAt = now;
  }

  /** Whether entries may be sent now; heartbeats always may. */
  maySend(inflightMax: number): boolean {
    return this.pace === 'stream' ? this.#inflight < inflightMax : this.#inflight === 0;
  }

  sent(): void {
    this.#inflight += 1;
  }

  answered(): void {
    this.#inflight = Math.max(0, this.#inflight - 1);
  }

  /** A heartbeat has passed: what was not answered may be lost. */
  forgive(): void {
    this.#inflight = 0;
  }

  /** It agrees up to here. */
  accept(match: number): void {
    this.match = Math.max(this.match, match);
    this.next = Math.max(this.next, this.match + 1);
    if (this.pace !== 'snapshot') this.pace = 'stream';
  }

  /** It does not agree at `at`; it may at `hint`. False for an answer that is out of date. */
  refuse(at: number, hint: number): boolean {
    if (at <= this.match) return false;
    this.pace = 'probe';
    this.#inflight = 0;
    this.next = Math.max(this.match, Math.min(hint, at - 1)) + 1;
    return true;
  }

  /** It speaks as a new incarnation: what the old one said is void. */
  begin(incarnation: number, next: number): void {
    this.incarnation = incarnation;
    this.match = 0;
    this.next = next;
    this.pace = 'probe';
    this.snapshot = null;
    this.caughtUpSince = null;
    this.#inflight = 0;
  }
}
