/**
 * A trust score in plain sentences: what happened, and what the number was after it, oldest first. Computed by the same
 * fold as the score itself, so the last sentence always names the number that is shown elsewhere.
 */
import { DAY, HOUR, MINUTE, type Millis } from '#core/time/time.ts';
import { BREAK_RULES } from '#mesh/hcth/breaks.ts';
import type { TrustEvent } from './event.ts';
import { applyEvent, presentCredits, presentDebtMicros, type TrustState } from './fold.ts';
import type { TrustHistory } from './history.ts';
import { LEVEL_NAMES, type TrustLevel } from './levels.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import { permits, type TrustAction } from './permissions.ts';
import type { TrustProfile } from './profiles.ts';
import { scoreNumber, scoreOf } from './score.ts';

/** The sentences; at most one per event, one before and three after. */
export function explainTrust(history: TrustHistory, profile: TrustProfile): readonly string[] {
  const lines: string[] = [];
  let state = history.base;
  lines.push(
    state.elapsedMs === 0
      ? 'At first contact trust is 0.0000: it can be earned, never given.'
      : `The first ${span(state.elapsedMs)} are summed up: trust was ${number(state, profile)}.`,
  );
  for (const event of history.events) {
    const before = state;
    state = applyEvent(state, event, profile);
    lines.push(
      `After ${span(before.elapsedMs)}: ${sentence(event, before, state)}; trust ${number(before, profile)} → ${number(state, profile)}${levelChange(before, state)}.`,
    );
  }
  const credits = presentCredits(state);
  lines.push(
    `Length credit ${round(credits.lengthMilli / 1_000)} of a scale of ${profile.lengthScale} frames, time credit ${span(credits.timeMs)} of a scale of ${span(profile.timeScaleMs)}, debt ${round(presentDebtMicros(state) / 1_000_000)} (profile ${profile.name}).`,
  );
  lines.push(
    `Trust is now ${number(state, profile)}: level T${state.level}, ${LEVEL_NAMES[state.level]}${state.standing === 'clear' ? '' : `, ${state.standing}`}.`,
  );
  lines.push(permissionSentence(state.level));
  return lines;
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
      return `${event.slots} ${event.slots === 1 ? 'slot' : 'slots'} of ${span(event.slotMs)} with a fresh signed checkpoint and ${event.frames} counted ${event.frames === 1 ? 'frame' : 'frames'} each${idle}`;
    }
    case 'connected':
      return `linked for ${span(event.ms)} without earning anything`;
    case 'absent':
      return after.absentMs > LIMITS.absenceGraceMs
        ? `absent for ${span(event.ms)}, beyond the ${span(LIMITS.absenceGraceMs)} that cost nothing`
        : `absent for ${span(event.ms)}, which costs nothing yet`;
    case 'break': {
      const debt = after.debtMicros - presentDebtMicros(before);
      const cost =
        after.debtMicros === before.debtMicros && after.creditedSinceDebtMs === before.creditedSinceDebtMs ? 'no debt' : `debt +${round(debt / 1_000_000)}`;
      const { historyTenths } = BREAK_RULES[event.class];
      return `break ${event.class}, ${event.why === '' ? BREAK_RULES[event.class].title : event.why} (${cost}${historyTenths === 10 ? '' : `, credits ×0.${historyTenths}`})`;
    }
    case 'settled':
      return 'the question about its identity was settled';
  }
}

function levelChange(before: TrustState, after: TrustState): string {
  return before.level === after.level ? '' : `, level T${before.level} → T${after.level}`;
}

function number(state: TrustState, profile: TrustProfile): string {
  return scoreNumber(scoreOf(state, profile)).toFixed(4);
}

function round(value: number): string {
  return String(Math.round(value * 1_000) / 1_000);
}

/** A span with its two largest units. */
function span(ms: Millis): string {
  const units: readonly (readonly [string, number])[] = [
    ['d', DAY],
    ['h', HOUR],
    ['min', MINUTE],
    ['s', 1_000],
  ];
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of units) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
}
