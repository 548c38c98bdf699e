/**
 * One step of the trust score: what an event does to a peer's standing (protocol.md §2.11, §2.12). All quantities are
 * integers, and decay is applied only where an event ends a span, so a run of slots gives the same state whether it is
 * folded at once or slot by slot.
 */
import type { Millis } from '#core/time/time.ts';
import { BREAK_RULES, BREAK_WINDOW_MS, type BreakClass, type BreakStanding, DECLARED_LOSS_DEBT_MICROS_MAX, violationDebtMicros } from '#mesh/hcth/breaks.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { TrustEvent } from './event.ts';
import { decayed } from './exact-math.ts';
import { nextLevel, type TrustLevel } from './levels.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import type { TrustProfile } from './profiles.ts';
import { scoreOf } from './score.ts';

/** Breaks of one class within the present window. */
export interface BreakWindow {
  /** Observer's running time when the window was opened by its first break. */
  readonly openedAt: Millis;
  readonly count: number;
}

/** Where a peer stands. */
export type Standing = 'clear' | 'frozen' | 'contested' | 'convicted';

/** Everything that the score and later events depend on. */
export interface TrustState {
  /** ℓ in thousandths of a frame, before decay by the present absence. */
  readonly lengthMilli: number;
  /** A, before decay by the present absence. */
  readonly timeMs: Millis;
  /** D in millionths as of the last break … */
  readonly debtMicros: number;
  /** … and the credited time since, over which it decays. */
  readonly creditedSinceDebtMs: Millis;
  /** Length of the present absence; 0 after any credited slot. */
  readonly absentMs: Millis;
  /** Observer's running time since first contact. */
  readonly elapsedMs: Millis;
  readonly standing: Standing;
  readonly level: TrustLevel;
  readonly violations: BreakWindow;
  readonly losses: BreakWindow;
  /** Breaks ever, by class. */
  readonly counts: Readonly<Partial<Record<BreakClass, number>>>;
}

/** A stranger. */
export const NEW_STATE: TrustState = {
  lengthMilli: 0,
  timeMs: 0,
  debtMicros: 0,
  creditedSinceDebtMs: 0,
  absentMs: 0,
  elapsedMs: 0,
  standing: 'clear',
  level: 0,
  violations: { openedAt: 0, count: 0 },
  losses: { openedAt: 0, count: 0 },
  counts: {},
};

/** The state after an event. */
export function applyEvent(state: TrustState, event: TrustEvent, profile: TrustProfile): TrustState {
  const after = step(state, event, profile);
  return { ...after, level: nextLevel(after.level, scoreOf(after, profile), after.standing) };
}

function step(state: TrustState, event: TrustEvent, profile: TrustProfile): TrustState {
  switch (event.kind) {
    case 'credited':
      return credit(state, event.slots, event.frames, event.slotMs, profile);
    case 'connected':
      return { ...state, elapsedMs: state.elapsedMs + event.ms };
    case 'absent':
      return { ...state, elapsedMs: state.elapsedMs + event.ms, absentMs: state.absentMs + event.ms };
    case 'break':
      return punish(state, event.class);
    case 'settled':
      return state.standing === 'frozen' || state.standing === 'contested' ? { ...state, standing: 'clear' } : state;
  }
}

function credit(state: TrustState, slots: number, frames: number, slotMs: Millis, profile: TrustProfile): TrustState {
  const elapsedMs = state.elapsedMs + slots * slotMs;
  if (state.standing === 'frozen' || state.standing === 'convicted') return { ...state, elapsedMs };
  const counted = slots * Math.min(slotMs, LIMITS.slotMsMax);
  const { lengthMilli, timeMs } = presentCredits(state);
  return {
    ...state,
    elapsedMs,
    lengthMilli: Math.min(LIMITS.capScales * profile.lengthScale * 1_000, lengthMilli + slots * Math.min(LIMITS.slotFramesMax, frames) * 1_000),
    timeMs: Math.min(LIMITS.capScales * profile.timeScaleMs, timeMs + counted),
    creditedSinceDebtMs: state.creditedSinceDebtMs + counted,
    absentMs: 0,
  };
}

function punish(state: TrustState, breakClass: BreakClass): TrustState {
  const rule = BREAK_RULES[breakClass];
  const counted: TrustState = { ...state, counts: { ...state.counts, [breakClass]: (state.counts[breakClass] ?? 0) + 1 } };
  const violations = breakClass === 'PV' ? nextInWindow(state.violations, state.elapsedMs) : state.violations;
  const losses = breakClass === 'B1' ? nextInWindow(state.losses, state.elapsedMs) : state.losses;
  const debt = breakClass === 'PV' ? violationDebtMicros(violations.count) : breakClass === 'B1' ? lossDebtMicros(losses.count) : rule.debtMicros;
  return {
    ...counted,
    lengthMilli: Math.floor((state.lengthMilli * rule.historyTenths) / 10),
    timeMs: Math.floor((state.timeMs * rule.historyTenths) / 10),
    ...(debt === 0 ? {} : { debtMicros: presentDebtMicros(state) + debt, creditedSinceDebtMs: 0 }),
    standing: worse(state.standing, rule.standing),
    violations,
    losses,
  };
}

/** The first few declared losses of a window are free, then each costs, up to a limit per window. */
function lossDebtMicros(count: number): number {
  const charged = count - HCTH_LIMITS.declaredLossesFree;
  const each = BREAK_RULES.B1.debtMicros;
  return charged >= 1 && charged * each <= DECLARED_LOSS_DEBT_MICROS_MAX ? each : 0;
}

function nextInWindow(window: BreakWindow, elapsedMs: Millis): BreakWindow {
  const open = window.count > 0 && elapsedMs - window.openedAt < BREAK_WINDOW_MS;
  return open ? { openedAt: window.openedAt, count: window.count + 1 } : { openedAt: elapsedMs, count: 1 };
}

const STANDINGS: readonly Standing[] = ['clear', 'frozen', 'contested', 'convicted'];

function worse(present: Standing, change: BreakStanding): Standing {
  const next: Standing = change === 'unchanged' ? 'clear' : change;
  return STANDINGS.indexOf(next) > STANDINGS.indexOf(present) ? next : present;
}

/** D now: decayed over the credited time since the last break. */
export function presentDebtMicros(state: Pick<TrustState, 'debtMicros' | 'creditedSinceDebtMs'>): number {
  return decayed(state.debtMicros, state.creditedSinceDebtMs, LIMITS.debtHalfLifeMs);
}

/** ℓ and A now: decayed by the absence beyond its grace. */
export function presentCredits(state: Pick<TrustState, 'lengthMilli' | 'timeMs' | 'absentMs'>): { readonly lengthMilli: number; readonly timeMs: Millis } {
  const beyond = state.absentMs - LIMITS.absenceGraceMs;
  return { lengthMilli: decayed(state.lengthMilli, beyond, LIMITS.absenceHalfLifeMs), timeMs: decayed(state.timeMs, beyond, LIMITS.absenceHalfLifeMs) };
}
