/**
 * From live facts, thresholds and what was known before to conditions with start, end and worst value. Pure: `now` is an input.
 * An open condition is judged against its lower (clearing) threshold, so that a value on the edge does not flap; one that returns
 * within a minute continues the same episode. A fact that is absent raises nothing and keeps nothing raised.
 */
import type { Millis } from '#core/time/time.ts';
import type { Condition, ConditionKind } from '#mesh/swarm/views.ts';
import type { LiveFacts } from '../facts/facts.ts';
import { limits } from '../limits.ts';
import type { HardwareProfile } from '../profiles/profile.ts';
import { judges, type Signal } from './signals.ts';

/** Everything one judgement depends on. */
export interface ConditionInput {
  readonly facts: LiveFacts;
  readonly profile: HardwareProfile;
  readonly previous: readonly Condition[];
  readonly now: Millis;
}

/** Open conditions first (in the order of `judges`, then those no sensor sees), then cleared ones, newest first, bounded. */
export function judgeConditions(input: ConditionInput): readonly Condition[] {
  const { facts, profile, previous, now } = input;
  const open: Condition[] = [];
  const cleared: Condition[] = [];
  for (const { kind, judge, worse } of judges) {
    const known = previous.filter((condition) => condition.kind === kind);
    const last = known.find((condition) => condition.until === null);
    const episode = last ?? known.find((condition) => condition.until !== null && now - condition.until < limits.sameEpisodeMs);
    const signal = judge(facts, profile, last !== undefined);
    const goes = signal !== null && !signal.past;
    if (goes) open.push(going(kind, signal, episode, worse, now));
    else if (last !== undefined) cleared.push({ ...last, until: now });
    // What the board remembers is news only where nothing of the kind has been seen.
    else if (signal !== null && known.length === 0) cleared.push(past(kind, signal, facts, now));
    cleared.push(...known.filter((condition) => condition !== last && !(goes && condition === episode)));
  }
  const foreign = previous.filter((condition) => !judges.some(({ kind }) => kind === condition.kind));
  const kept = cleared.filter((condition) => now - (condition.until ?? now) < limits.clearedConditionMs);
  kept.sort((a, b) => (b.until ?? 0) - (a.until ?? 0));
  return [...open, ...foreign, ...kept.slice(0, limits.clearedConditionsMax)];
}

function going(kind: ConditionKind, signal: Signal, before: Condition | undefined, worse: (a: number, b: number) => number, now: Millis): Condition {
  const values = [signal.value, before?.worst ?? null].filter((value) => value !== null);
  const worst = values.length === 0 ? null : values.reduce(worse);
  return { kind, severity: signal.severity, text: signal.text, value: signal.value, worst, unit: signal.unit, since: before?.since ?? now, until: null };
}

/** Something the board remembers from before anybody looked: over, and worth knowing. */
function past(kind: ConditionKind, signal: Signal, facts: LiveFacts, now: Millis): Condition {
  const since = now - (facts.uptimeSeconds ?? 0) * 1_000;
  return { kind, severity: signal.severity, text: signal.text, value: null, worst: null, unit: signal.unit, since, until: now };
}

/** What began, ended or got worse between two answers; each is worth an event. */
export function conditionChanges(
  before: readonly Condition[],
  after: readonly Condition[],
): { readonly started: readonly Condition[]; readonly ended: readonly Condition[]; readonly worsened: readonly Condition[] } {
  const openBefore = new Map(before.filter((condition) => condition.until === null).map((condition) => [condition.kind, condition]));
  const openAfter = new Map(after.filter((condition) => condition.until === null).map((condition) => [condition.kind, condition]));
  const rank = { notice: 0, warning: 1, critical: 2 } as const;
  return {
    started: [...openAfter.values()].filter((condition) => !openBefore.has(condition.kind)),
    ended: after.filter(
      (condition) =>
        condition.until !== null &&
        openBefore.has(condition.kind) &&
        !openAfter.has(condition.kind) &&
        openBefore.get(condition.kind)?.since === condition.since,
    ),
    worsened: [...openAfter.values()].filter((condition) => {
      const earlier = openBefore.get(condition.kind);
      return earlier !== undefined && rank[condition.severity] > rank[earlier.severity];
    }),
  };
}
