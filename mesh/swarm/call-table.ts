/**
 * Calls under way in both directions. Delivery is at most once (protocol.md §2.7): a call that lost its link is reported
 * as lost, never repeated here. Deadlines are swept in coarse steps, so that a call costs no timer of its own.
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import { SWARM_LIMITS as LIMITS } from './limits.ts';

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
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #serving = new Map<number, Serving>();
  #nextWireId = 1;
  #nextServing = 1;
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
    const wireId = this.#nextWireId;
    this.#nextWireId = wireId >= 0x7fff_ffff ? 1 : wireId + 1;
    this.#outgoing.set(wireId, { request, peer, sentAt: now, deadline: now + timeoutMs });
    if (this.#sweepAt === NEVER) this.#sweepAt = now + LIMITS.callSweepMs;
    return wireId;
  }

  /** The answer came: the request it belongs to, or `undefined` where nobody waits any more. */
  settle(wireId: number, peer: string): number | undefined {
    const call = this.#outgoing.get(wireId);
    if (call === undefined || call.peer !== peer) return undefined;
    this.#outgoing.delete(wireId);
    return call.request;
  }

  /** Requests whose deadline has passed, with their wire numbers for a CANCEL. */
  sweep(now: Millis): readonly { readonly request: number; readonly peer: string; readonly wireId: number; readonly waitedMs: Millis }[] {
    if (now < this.#sweepAt) return [];
    const expired: { request: number; peer: string; wireId: number; waitedMs: Millis }[] = [];
    for (const [wireId, call] of this.#outgoing) {
      if (call.deadline > now) continue;
      this.#outgoing.delete(wireId);
      expired.push({ request: call.request, peer: call.peer, wireId, waitedMs: now - call.sentAt });
    }
    this.#sweepAt = this.#outgoing.size === 0 ? NEVER : now + LIMITS.callSweepMs;
    return expired;
  }

  /** The link to a peer is gone: our requests to it, and nothing more is owed to it. */
  drop(peer: string): readonly number[] {
    const lost: number[] = [];
    for (const [wireId, call] of this.#outgoing) {
      if (call.peer !== peer) continue;
      this.#outgoing.delete(wireId);
      lost.push(call.request);
    }
    for (const [id, serving] of this.#serving) if (serving.peer === peer) this.#serving.delete(id);
    return lost;
  }

  /** Register an incoming call; `undefined` when this peer has too many open. */
  serve(serving: Serving): number | undefined {
    if (this.#serving.size >= LIMITS.servingMax) return undefined;
    const id = this.#nextServing;
    this.#nextServing += 1;
    this.#serving.set(id, serving);
    return id;
  }

  /** A handler is done (or its caller cancelled): where the answer goes. */
  served(id: number): Serving | undefined {
    const serving = this.#serving.get(id);
    this.#serving.delete(id);
    return serving;
  }

  /** The caller no longer waits. */
  cancel(peer: string, wireId: number): void {
    for (const [id, serving] of this.#serving) {
      if (serving.peer === peer && serving.wireId === wireId) this.#serving.delete(id);
    }
  }

  /** When {@link sweep} is next needed. */
  wakeAt(): Millis {
    return this.#sweepAt;
  }
}
