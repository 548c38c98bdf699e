/**
 * Histories as text lines: one event each, a letter and its numbers. The same lines are stored, exported and read by
 * people and by the offline checker; there is no second form that could say something else.
 *
 *   c SLOTS FRAMES [SLOT-MS]   credited        n MS   connected without credit        a MS   absent
 *   b CLASS AT WHY…            break           s AT   settled
 */
import { textOf, utf8 } from '#core/bytes/bytes.ts';
import { BREAK_CLASSES, type BreakClass } from '#mesh/hcth/breaks.ts';
import { encodeFields, type Fields, readFields } from '#mesh/hcth/fields.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import type { TrustEvent } from './event.ts';
import type { BreakWindow, TrustState } from './fold.ts';
import type { TrustHistory } from './history.ts';
import { TRUST_LEVELS } from './levels.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';

const STANDINGS = ['clear', 'frozen', 'contested', 'convicted'] as const;
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;
/** Length of one line: a break with its reason. */
const LINE_CHARACTERS_MAX = 64 + LIMITS.whyCharactersMax;

/** One event as a line. */
export function eventLine(event: TrustEvent): string {
  switch (event.kind) {
    case 'credited':
      return event.slotMs === LIMITS.slotMs ? `c ${event.slots} ${event.frames}` : `c ${event.slots} ${event.frames} ${event.slotMs}`;
    case 'connected':
      return `n ${event.ms}`;
    case 'absent':
      return `a ${event.ms}`;
    case 'break':
      return `b ${event.class} ${event.at} ${oneLine(event.why)}`;
    case 'settled':
      return `s ${event.at}`;
  }
}

/** The event of a line; `undefined` where it is none. */
export function parseEventLine(line: string): TrustEvent | undefined {
  if (line.length > LINE_CHARACTERS_MAX) return undefined;
  const [letter, first = '', second = '', ...rest] = line.split(' ');
  const a = count(first);
  const b = count(second);
  switch (letter) {
    case 'c': {
      const slotMs = rest.length === 0 ? LIMITS.slotMs : count(rest[0] ?? '');
      if (
        a === undefined ||
        a < 1 ||
        b === undefined ||
        b > LIMITS.slotFramesMax ||
        slotMs === undefined ||
        slotMs < 1 ||
        slotMs > LIMITS.slotMsMax ||
        rest.length > 1
      )
        return undefined;
      return { kind: 'credited', slots: a, frames: b, slotMs };
    }
    case 'n':
    case 'a':
      return a === undefined || second !== '' ? undefined : { kind: letter === 'n' ? 'connected' : 'absent', ms: a };
    case 'b': {
      const breakClass = BREAK_CLASSES.find((candidate) => candidate === first);
      return breakClass === undefined || b === undefined ? undefined : { kind: 'break', class: breakClass, at: b, why: rest.join(' ') };
    }
    case 's':
      return a === undefined || second !== '' ? undefined : { kind: 'settled', at: a };
    default:
      return undefined;
  }
}

/** Bytes for a peer record. */
export function encodeHistory(history: TrustHistory): Uint8Array {
  return encodeFields({ v: 1, b: encodeState(history.base), e: utf8(history.events.map(eventLine).join('\n')) });
}

/** Read back what {@link encodeHistory} wrote. */
export function decodeHistory(bytes: Uint8Array): TrustHistory | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const base = decodeState(fields.nested('b'));
  const text = textOf(fields.blob('e', LIMITS.historyEventsMax * LINE_CHARACTERS_MAX * 4));
  const events = text === undefined ? undefined : parseEventLines(text === '' ? [] : text.split('\n'));
  return fields.sound && base !== undefined && events !== undefined ? { base, events } : undefined;
}

/** All events of the lines, or `undefined` when one of them is none or there are too many. */
export function parseEventLines(lines: readonly string[]): readonly TrustEvent[] | undefined {
  if (lines.length > LIMITS.historyEventsMax) return undefined;
  const events: TrustEvent[] = [];
  for (const line of lines) {
    const event = parseEventLine(line);
    if (event === undefined) return undefined;
    events.push(event);
  }
  return events;
}

/** A state as a map of integers. */
export function encodeState(state: TrustState): RmpInput & { readonly [key: string]: RmpInput | undefined } {
  return {
    lengthMilli: state.lengthMilli,
    timeMs: state.timeMs,
    debtMicros: state.debtMicros,
    creditedSinceDebtMs: state.creditedSinceDebtMs,
    absentMs: state.absentMs,
    elapsedMs: state.elapsedMs,
    standing: state.standing,
    level: state.level,
    violations: { openedAt: state.violations.openedAt, count: state.violations.count },
    losses: { openedAt: state.losses.openedAt, count: state.losses.count },
    counts: { ...state.counts },
  };
}

/** The state of such a map. */
export function decodeState(fields: Fields): TrustState | undefined {
  const level = fields.integer('level', 0, 4);
  const state: TrustState = {
    lengthMilli: fields.integer('lengthMilli', 0, NUMBER_MAX),
    timeMs: fields.integer('timeMs', 0, NUMBER_MAX),
    debtMicros: fields.integer('debtMicros', 0, NUMBER_MAX),
    creditedSinceDebtMs: fields.integer('creditedSinceDebtMs', 0, NUMBER_MAX),
    absentMs: fields.integer('absentMs', 0, NUMBER_MAX),
    elapsedMs: fields.integer('elapsedMs', 0, NUMBER_MAX),
    standing: fields.oneOf('standing', STANDINGS),
    level: TRUST_LEVELS.find((candidate) => candidate === level) ?? 0,
    violations: decodeWindow(fields, 'violations'),
    losses: decodeWindow(fields, 'losses'),
    counts: decodeCounts(fields),
  };
  return fields.sound ? state : undefined;
}

function decodeWindow(outer: Fields, name: string): BreakWindow {
  const fields = outer.nested(name);
  const window = { openedAt: fields.integer('openedAt', 0, NUMBER_MAX), count: fields.integer('count', 0, NUMBER_MAX) };
  outer.require(fields.sound, `${name} is malformed`);
  return window;
}

function decodeCounts(outer: Fields): TrustState['counts'] {
  const fields = outer.nested('counts');
  const counts: Partial<Record<BreakClass, number>> = {};
  for (const breakClass of BREAK_CLASSES) if (fields.has(breakClass)) counts[breakClass] = fields.integer(breakClass, 0, NUMBER_MAX);
  outer.require(fields.sound, 'counts are malformed');
  return counts;
}

function count(text: string): number | undefined {
  if (!/^\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

function oneLine(why: string): string {
  const cut = why.replace(/\s+/g, ' ').trim().slice(0, LIMITS.whyCharactersMax);
  return cut.replace(/[\ud800-\udbff]$/, '').trim(); // the cut may have split a character in two
}
