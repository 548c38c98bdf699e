/**
 * Calls under way in both directions. Delivery is at most once (protocol.md §2.7): a call that lost its link is reported
 * as lost, never repeated here. Deadlines are swept in coarse steps, so that a call costs no timer of its own.
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import { SWARM_LIMITS as LIMITS } from './limits.ts';
import { SlotTable } from './slot-table.ts';

interface Outgoing {
  readonly request: number;
  readonly peer: string;
  readonly sentAt: Millis;
  readonly deadline: Millis;
}

/** An incoming call that a handler works on. */
export interface Serving {
  readonly connection: number;
  readonly peer: string;
  readonly wireId: number;
  /** Idempotency key as text, null where the caller gave none. */
  readonly key: string | null;
}

/** Calls we made and calls we serve. */
export class CallTable {
  readonly #outgoing = new SlotTable<Outgoing>();
  readonly #serving = new SlotTable<Serving>();
  #sweepAt: Millis = NEVER;

  /** Calls of ours without an answer. */
  get outgoingCount(): number {
    return this.#outgoing.size;
  }

  /** Whether no call is under way with this peer, in either direction. */
  isIdle(peer: string): boolean {
    for (const call of this.#outgoing.values()) if (call.peer === peer) return false;
    for (const serving of this.#serving.values()) if (serving.peer === peer) return false;
    return true;
  }

  /** Register a call of ours; returns its number on the wire. */
  open(request: number, peer: string, now: Millis, timeoutMs: Millis): number {
    const wireId = this.#outgoing.add({ request, peer, sentAt: now, deadline: now + timeoutMs });
    if (this.#sweepAt === NEVER) this.#sweepAt = now + LIMITS.callSweepMs;
    return wireId;
  }

  /** The answer came: the request it belongs to, or `undefined` where nobody waits any more. */
  settle(wireId: number, peer: string): number | undefined {
    const call = this.#outgoing.get(wireId);
    if (call === undefined || call.peer !== peer) return undefined;
    this.#outgoing.take(wireId);
    return call.request;
  }

  /** Requests whose deadline has passed, with their wire numbers for a CANCEL. */
  sweep(now: Millis): readonly { readonly request: number; readonly peer: string; readonly wireId: number; readonly waitedMs: Millis }[] {
    if (now < this.#sweepAt) return [];
    const expired: { request: number; peer: string; wireId: number; waitedMs: Millis }[] = [];
    for (const [wireId, call] of this.#outgoing.entries()) {
      if (call.deadline > now) continue;
      this.#outgoing.take(wireId);
      expired.push({ request: call.request, peer: call.peer, wireId, waitedMs: now - call.sentAt });
    }
    this.#sweepAt = this.#outgoing.size === 0 ? NEVER : now + LIMITS.callSweepMs;
    return expired;
  }

  /** The link to a peer is gone: our requests to it, and nothing more is owed to it. */
  drop(peer: string): readonly number[] {
    const lost: number[] = [];
    for (const [wireId, call] of this.#outgoing.entries()) {
      if (call.peer !== peer) continue;
      this.#outgoing.take(wireId);
      lost.push(call.request);
    }
    for (const [id, serving] of this.#serving.entries()) if (serving.peer === peer) this.#serving.take(id);
    return lost;
  }

  /** Register an incoming call; `undefined` when this peer has too many open. */
  serve(serving: Serving): number | undefined {
    if (this.#serving.size >= LIMITS.servingMax) return undefined;
    return this.#serving.add(serving);
  }

  /** A handler is done (or its caller cancelled): where the answer goes. */
  served(id: number): Serving | undefined {
    return this.#serving.take(id);
  }

  /** The caller no longer waits. */
  cancel(peer: string, wireId: number): void {
    for (const [id, serving] of this.#serving.entries()) {
      if (serving.peer === peer && serving.wireId === wireId) this.#serving.take(id);
    }
  }

  /** When {@link sweep} is next needed. */
  wakeAt(): Millis {
    return this.#sweepAt;
  }
}
