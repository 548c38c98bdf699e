/** Collects what one step asks of the world; the common case of "nothing" costs nothing. */
import type { Persist, Reply, SwarmEffects } from './step.ts';
import type { EventRecord } from './views.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] extends readonly (infer Item)[] ? Item[] : T[Key] };

/** Nothing asked for yet. */
const nothing = (): Mutable<SwarmEffects> => ({
  persist: [],
  send: [],
  close: [],
  dial: [],
  pause: [],
  events: [],
  replies: [],
  calls: [],
  neighbours: [],
  reincarnate: null,
  flushWanted: false,
});

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

  /** The effects of this step, made on first use. */
  get now(): Mutable<SwarmEffects> {
    this.#effects ??= nothing();
    return this.#effects;
  }

  persist(record: Persist): void {
    this.now.persist.push(record);
  }

  event(event: EventRecord): void {
    this.now.events.push(event);
  }

  reply(reply: Reply): void {
    this.now.replies.push(reply);
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
}
