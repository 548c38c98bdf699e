/** Collects what one step asks of the world; the common case of "nothing" costs nothing. */
import type { Address } from '#mesh/membership/address-policy.ts';
import type { ConnectionId, IncomingCall, Persist, Reply, SwarmEffects } from './step.ts';
import type { EventRecord } from './views.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Every list of which nothing was asked; most of them, in most steps. */
const NONE: readonly never[] = [];

/** Nothing asked for yet. */
const nothing = (): Mutable<SwarmEffects> => ({
  persist: NONE,
  send: NONE,
  close: NONE,
  dial: NONE,
  pause: NONE,
  events: NONE,
  replies: NONE,
  calls: NONE,
  neighbours: NONE,
  recheck: NONE,
  reincarnate: null,
  flushWanted: false,
});

/** The list with one item more. */
function and<Item>(list: readonly Item[], item: Item): readonly Item[] {
  if (list === NONE) return [item];
  (list as Item[]).push(item); // not NONE, so it was made here
  return list;
}

const QUIET: SwarmEffects = nothing();
const QUIET_FLUSH: SwarmEffects = { ...QUIET, flushWanted: true };

/** Whether a step asked for nothing but a flush: the common case, told without looking at each list. */
export function isQuiet(effects: SwarmEffects): boolean {
  return effects === QUIET || effects === QUIET_FLUSH;
}

/** Effects of the step under way; owned by the swarm, emptied by {@link take}. */
export class EffectCollector {
  #effects: Mutable<SwarmEffects> | null = null;
  flushWanted = false;
  /** Answers to commands that run here for other members: their numbers are negative. */
  served: Reply[] = [];

  send(connection: ConnectionId, bytes: Uint8Array): void {
    const now = this.#now();
    now.send = and(now.send, { connection, bytes });
  }

  close(connection: ConnectionId): void {
    const now = this.#now();
    now.close = and(now.close, { connection });
  }

  /** Close at once: nobody is waited for. */
  abort(connection: ConnectionId): void {
    const now = this.#now();
    now.close = and(now.close, { connection, abort: true });
  }

  dial(connection: ConnectionId, address: Address): void {
    const now = this.#now();
    now.dial = and(now.dial, { connection, address });
  }

  pause(connection: ConnectionId, paused: boolean): void {
    const now = this.#now();
    now.pause = and(now.pause, { connection, paused });
  }

  call(call: IncomingCall): void {
    const now = this.#now();
    now.calls = and(now.calls, call);
  }

  neighbour(host: string): void {
    const now = this.#now();
    now.neighbours = and(now.neighbours, host);
  }

  recheck(key: string): void {
    const now = this.#now();
    now.recheck = and(now.recheck, key);
  }

  reincarnate(atLeast: number): void {
    this.#now().reincarnate = { atLeast, why: 'restore' };
  }

  persist(record: Persist): void {
    const now = this.#now();
    now.persist = and(now.persist, record);
  }

  event(event: EventRecord): void {
    const now = this.#now();
    now.events = and(now.events, event);
  }

  reply(reply: Reply): void {
    if (reply.id < 0) {
      this.served.push(reply);
      return;
    }
    const now = this.#now();
    now.replies = and(now.replies, reply);
  }

  /** Everything collected; the collector is empty afterwards. */
  take(): SwarmEffects {
    const effects = this.#effects;
    const flushWanted = this.flushWanted;
    this.#effects = null;
    this.flushWanted = false;
    if (effects === null) return flushWanted ? QUIET_FLUSH : QUIET;
    effects.flushWanted = flushWanted;
    return effects;
  }

  /** The effects of this step, made on first use. */
  #now(): Mutable<SwarmEffects> {
    this.#effects ??= nothing();
    return this.#effects;
  }
}
