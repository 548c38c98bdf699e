/**
 * Whom we ask "are you there?", when, and what comes of it: all of the view in turn, in an order shuffled anew each time
 * round (SWIM §4.3), so that nobody waits longer than one round. A probe has four steps: directly, directly, with helpers,
 * with helpers; whoever answers none of them has failed. Broken links and other members' suspicions are looked into at once.
 */
import type { Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';

const STEPS = 4;

interface Round {
  readonly number: number;
  /** Steps done. */
  steps: number;
  nextAt: Millis;
  readonly helpers: Set<string>;
  /** Helpers that said that it answers them neither. */
  readonly nacks: Set<string>;
  /** Somebody else suspects it and has asked helpers: four direct questions, in half the time. */
  readonly confirms: boolean;
  /** Its connection broke and was refused again: helpers are asked at once, and their nacks suffice. */
  refused: boolean;
}

/** What a step asks for. */
export interface ProbeStep {
  readonly target: string;
  readonly number: number;
  /** Ask helpers, too. */
  readonly indirect: boolean;
}

/** What a round came to. */
export interface ProbeFailure {
  readonly target: string;
  /** Whether helpers were asked. */
  readonly wasIndirect: boolean;
  /** Helpers that do not reach it either. */
  readonly witnesses: readonly string[];
  readonly refused: boolean;
}

/** See the header. */
export class Prober {
  readonly #rng: Rng;
  readonly #rounds = new Map<string, Round>();
  #order: string[] = [];
  #view: ReadonlySet<string> = new Set();
  #nextAt: Millis;
  #number = 0;

  constructor(rng: Rng, now: Millis) {
    this.#rng = rng;
    // Nodes that start together do not probe together.
    this.#nextAt = now + rng.next() * LIMITS.probePeriodMs;
  }

  get wakeAt(): Millis {
    let earliest = this.#nextAt;
    for (const { nextAt } of this.#rounds.values()) earliest = Math.min(earliest, nextAt);
    return earliest;
  }

  /** Whether this member is being asked. */
  isProbing(target: string): boolean {
    return this.#rounds.has(target);
  }

  /** Look into this member now. @param confirms somebody else suspects it and has asked helpers */
  begin(target: string, now: Millis, confirms = false): void {
    if (this.#rounds.has(target) || this.#rounds.size >= LIMITS.roundsMax) return;
    // Rounds have even numbers, probes for others odd ones: an answer says which it is for.
    this.#number += 2;
    this.#rounds.set(target, { number: this.#number, steps: 0, nextAt: now, helpers: new Set(), nacks: new Set(), confirms, refused: false });
  }

  /** No longer of interest. */
  drop(target: string): void {
    this.#rounds.delete(target);
  }

  /** Asked on our behalf. */
  asked(target: string, helper: string): void {
    this.#rounds.get(target)?.helpers.add(helper);
  }

  /** Something came from the target itself; whether it was being probed. */
  heard(target: string): boolean {
    return this.#rounds.delete(target);
  }

  /** An answer to probe `number` from the target or from a helper; the target, where it settles a round. */
  answered(number: number, from: string): string | undefined {
    const target = this.#targetOf(number);
    const round = target === undefined ? undefined : this.#rounds.get(target);
    if (target === undefined || round === undefined || (from !== target && !round.helpers.has(from))) return undefined;
    this.#rounds.delete(target);
    return target;
  }

  nacked(number: number, from: string, now: Millis): void {
    const target = this.#targetOf(number);
    const round = target === undefined ? undefined : this.#rounds.get(target);
    if (round?.helpers.has(from) !== true) return;
    round.nacks.add(from);
    if (round.refused && round.nacks.size === round.helpers.size) end(round, now);
  }

  /** The target's host refuses connections: only others could still reach it. */
  refused(target: string, now: Millis): void {
    const round = this.#rounds.get(target);
    if (round === undefined || round.refused) return;
    round.refused = true;
    round.steps = Math.max(round.steps, STEPS / 2);
    round.nextAt = now;
  }

  /** All helpers there are have been asked; where there are none, a refusal is the last word. */
  askedAll(target: string, now: Millis): void {
    const round = this.#rounds.get(target);
    if (round?.refused === true && round.nacks.size >= round.helpers.size) end(round, now);
  }

  /** Due steps and failures. @param view whom to probe in turn @param multiplier of all waiting */
  tick(
    now: Millis,
    view: readonly string[],
    isProbed: (id: string) => boolean,
    multiplier: number,
  ): { steps: readonly ProbeStep[]; failures: readonly ProbeFailure[] } {
    if (now >= this.#nextAt) {
      this.#nextAt = now + LIMITS.probePeriodMs * multiplier;
      const target = this.#nextTarget(view, isProbed);
      if (target !== undefined) this.begin(target, now);
    }
    const steps: ProbeStep[] = [];
    const failures: ProbeFailure[] = [];
    for (const [target, round] of this.#rounds) {
      if (now < round.nextAt) continue;
      if (round.steps === STEPS) {
        this.#rounds.delete(target);
        failures.push({ target, wasIndirect: round.helpers.size > 0, witnesses: [...round.nacks], refused: round.refused });
        continue;
      }
      steps.push({ target, number: round.number, indirect: round.steps >= STEPS / 2 && (!round.confirms || round.refused) });
      round.steps += 1;
      round.nextAt = now + (LIMITS.probeStepMs * multiplier) / (round.confirms ? 2 : 1);
    }
    return { steps, failures };
  }

  /** The members changed: the order is drawn anew, nobody is asked who is gone. */
  viewChanged(view: readonly string[]): void {
    const known = this.#view;
    this.#view = new Set(view);
    this.#order = this.#order.filter((id) => this.#view.has(id));
    // A newcomer comes in at a random place of the present round (SWIM §4.3).
    for (const id of view) if (!known.has(id)) this.#order.splice(Math.floor(this.#rng.next() * (this.#order.length + 1)), 0, id);
  }

  #nextTarget(view: readonly string[], isProbed: (id: string) => boolean): string | undefined {
    for (let turn = 0; turn <= view.length; turn += 1) {
      if (this.#order.length === 0) this.#order = shuffled(view, this.#rng);
      const target = this.#order.pop();
      if (target === undefined) return undefined;
      if (isProbed(target)) return target;
    }
    return undefined;
  }

  #targetOf(number: number): string | undefined {
    for (const [target, round] of this.#rounds) if (round.number === number) return target;
    return undefined;
  }
}

function end(round: Round, now: Millis): void {
  round.steps = STEPS;
  round.nextAt = now;
}

/** A copy in random order. */
export function shuffled(ids: readonly string[], rng: Rng): string[] {
  const out = [...ids];
  for (let index = out.length - 1; index > 0; index -= 1) {
    const other = Math.floor(rng.next() * (index + 1));
    const [a, b] = [out[index], out[other]];
    if (a !== undefined && b !== undefined) [out[index], out[other]] = [b, a];
  }
  return out;
}

/** Probes made for others. */
export class Relays {
  readonly #relays = new Map<number, { readonly asker: string; readonly number: number; readonly target: string; nackAt: Millis; readonly until: Millis }>();
  #number = 1;

  get wakeAt(): Millis {
    let earliest: Millis = NEVER;
    for (const { nackAt, until } of this.#relays.values()) earliest = Math.min(earliest, nackAt, until);
    return earliest;
  }

  /** Take a question on; the number of our own probe. Undefined where there are too many. */
  add(asker: string, number: number, target: string, now: Millis, multiplier: number): number | undefined {
    for (const [own, relay] of this.#relays) if (relay.asker === asker && relay.number === number) return own;
    if (this.#relays.size >= LIMITS.relaysMax) return undefined;
    this.#number += 2;
    const wait = LIMITS.probeStepMs * multiplier;
    this.#relays.set(this.#number, { asker, number, target, nackAt: now + wait / 2, until: now + 2 * wait });
    return this.#number;
  }

  /** Whom to bring the good news of `from`, which answered `number` or said anything at all (undefined). */
  answered(from: string, number: number | undefined): readonly { readonly asker: string; readonly number: number }[] {
    const found = [...this.#relays].filter(([own, { target }]) => target === from && (number === undefined || own === number));
    for (const [own] of found) this.#relays.delete(own);
    return found.map(([, { asker, number: theirs }]) => ({ asker, number: theirs }));
  }

  /** It cannot be reached from here; whom to tell at once. */
  refused(target: string): readonly { readonly asker: string; readonly number: number }[] {
    const found = [...this.#relays].filter(([, relay]) => relay.target === target);
    for (const [own] of found) this.#relays.delete(own);
    return found.map(([, { asker, number }]) => ({ asker, number }));
  }

  /** Waiting for a link to this member. */
  numbersFor(target: string): readonly number[] {
    return [...this.#relays].filter(([, relay]) => relay.target === target).map(([own]) => own);
  }

  /** Askers to tell that there is no answer yet. */
  tick(now: Millis): readonly { readonly asker: string; readonly number: number }[] {
    const nacks: { readonly asker: string; readonly number: number }[] = [];
    for (const [own, relay] of this.#relays) {
      if (now >= relay.nackAt) {
        nacks.push({ asker: relay.asker, number: relay.number });
        relay.nackAt = NEVER;
      }
      if (now >= relay.until) this.#relays.delete(own);
    }
    return nacks;
  }
}
