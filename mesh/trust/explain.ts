/**
 * A trust score in plain sentences: what happened, what it changed, and the number after it, oldest first. Computed by the
 * same fold as the score itself, so the last step always names the number that is shown elsewhere.
 */
import type { Millis } from '#core/time/time.ts';
import { BREAK_RULES, type BreakClass } from '#mesh/hcth/breaks.ts';
import { BREAK_ADVICE } from './break-advice.ts';
import type { TrustEvent } from './event.ts';
import { applyEvent, presentCredits, presentDebtMicros, type TrustState } from './fold.ts';
import type { TrustHistory } from './history.ts';
import { LEVEL_NAMES, type TrustLevel } from './levels.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import { permits, type TrustAction } from './permissions.ts';
import type { TrustProfile } from './profiles.ts';
import { type Score, scoreNumber, scoreOf } from './score.ts';
import { spanText } from './span-text.ts';

/** One event, with what it did to the number. */
export interface TrustStep {
  readonly kind: TrustEvent['kind'];
  /** The observer's running time since first contact when the event began and ended; equal for what takes no time. */
  readonly fromMs: Millis;
  readonly untilMs: Millis;
  /** Wall clock, of breaks and settlements; the others have none that could be relied on. */
  readonly at: Millis | null;
  readonly class: BreakClass | null;
  /** What happened, without the numbers beside it. */
  readonly text: string;
  /** Score before and after, 0 … 1. */
  readonly before: number;
  readonly after: number;
  readonly levelBefore: TrustLevel;
  readonly levelAfter: TrustLevel;
  /** What the owner should do about it; null for nothing. */
  readonly next: string | null;
}

/** Every event of a history as a step. */
export function trustSteps(history: TrustHistory, profile: TrustProfile): readonly TrustStep[] {
  let state = history.base;
  return history.events.map((event) => {
    const before = state;
    state = applyEvent(state, event, profile);
    return {
      kind: event.kind,
      fromMs: before.elapsedMs,
      untilMs: state.elapsedMs,
      at: event.kind === 'break' || event.kind === 'settled' ? event.at : null,
      class: event.kind === 'break' ? event.class : null,
      text: sentence(event, before, state),
      before: scoreNumber(scoreOf(before, profile)),
      after: scoreNumber(scoreOf(state, profile)),
      levelBefore: before.level,
      levelAfter: state.level,
      next: event.kind === 'break' ? BREAK_ADVICE[event.class] : null,
    };
  });
}

/** The sentences; one per event, one before and three after. */
export function explainTrust(history: TrustHistory, profile: TrustProfile): readonly string[] {
  const steps = trustSteps(history, profile).map(
    ({ fromMs, text, before, after, levelBefore, levelAfter }) =>
      `After ${spanText(fromMs)}: ${text}; trust ${before.toFixed(4)} → ${after.toFixed(4)}${levelBefore === levelAfter ? '' : `, level T${levelBefore} → T${levelAfter}`}.`,
  );
  return [explainBeginning(history, profile), ...steps, ...explainResult(history, profile)];
}

/** Where the listed events begin. */
export function explainBeginning({ base }: TrustHistory, profile: TrustProfile): string {
  return base.elapsedMs === 0
    ? 'At first contact trust is 0.0000: it can be earned, never given.'
    : `The first ${spanText(base.elapsedMs)} are summed up: trust was ${number(scoreOf(base, profile))}.`;
}

/** What the number consists of, the number, and what it permits. */
export function explainResult(history: TrustHistory, profile: TrustProfile): readonly string[] {
  let state = history.base;
  for (const event of history.events) state = applyEvent(state, event, profile);
  const credits = presentCredits(state);
  return [
    `Length credit ${round(credits.lengthMilli / 1_000)} of a scale of ${profile.lengthScale} frames, time credit ${spanText(credits.timeMs)} of a scale of ${spanText(profile.timeScaleMs)}, debt ${round(presentDebtMicros(state) / 1_000_000)} (profile ${profile.name}).`,
    `Trust is now ${number(scoreOf(state, profile))}: level T${state.level}, ${LEVEL_NAMES[state.level]}${state.standing === 'clear' ? '' : `, ${state.standing}`}.`,
    permissionSentence(state.level),
  ];
}

/** What the level is good for, as far as people ask: work, calls, secrets, decisions (§2.13). */
const ASKED: readonly (readonly [TrustAction, string])[] = [
  ['receive-workloads', 'receive tasks'],
  ['call-standard', 'call others'],
  ['gossip', 'have its gossip passed on'],
  ['receive-secrets', 'receive secrets'],
  ['request-high-risk', 'request high-risk operations'],
  ['voter', 'become a voter'],
];

function permissionSentence(level: TrustLevel): string {
  const may = ASKED.filter(([action]) => permits(level, action)).map(([, words]) => words);
  const mayNot = ASKED.filter(([action]) => !permits(level, action)).map(([, words]) => words);
  const heartbeat = `At T${level} it may send heartbeats and status${may.length === 0 ? '' : `, ${may.join(', ')}`}`;
  return mayNot.length === 0 ? `${heartbeat}.` : `${heartbeat}; it may not ${mayNot.join(', ')}.`;
}

function sentence(event: TrustEvent, before: TrustState, after: TrustState): string {
  switch (event.kind) {
    case 'credited': {
      const idle = before.standing === 'frozen' || before.standing === 'convicted' ? ', which count for nothing while it is ' + before.standing : '';
      return `${event.slots} ${event.slots === 1 ? 'slot' : 'slots'} of ${spanText(event.slotMs)} with a fresh signed checkpoint and ${event.frames} counted ${event.frames === 1 ? 'frame' : 'frames'} each${idle}`;
    }
    case 'connected':
      return `linked for ${spanText(event.ms)} without earning anything`;
    case 'absent':
      return after.absentMs > LIMITS.absenceGraceMs
        ? `absent for ${spanText(event.ms)}, beyond the ${spanText(LIMITS.absenceGraceMs)} that cost nothing`
        : `absent for ${spanText(event.ms)}, which costs nothing yet`;
    case 'break':
      return breakSentence(event, before, after);
    case 'settled':
      return 'the question about its identity was settled';
  }
}

function breakSentence(event: Extract<TrustEvent, { kind: 'break' }>, before: TrustState, after: TrustState): string {
  const debt = after.debtMicros - presentDebtMicros(before);
  const free = after.debtMicros === before.debtMicros && after.creditedSinceDebtMs === before.creditedSinceDebtMs;
  const { historyTenths, title } = BREAK_RULES[event.class];
  const cost = [free ? 'no debt' : `debt +${round(debt / 1_000_000)}`, ...(historyTenths === 10 ? [] : [`credits ×0.${historyTenths}`])].join(', ');
  return `break ${event.class}, ${event.why === '' ? title : event.why} (${cost})`;
}

function number(score: Score): string {
  return scoreNumber(score).toFixed(4);
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
