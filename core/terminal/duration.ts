/** Spans of time as people write and read them: `90s`, `1h30m`, "3 min", "2 days ago". */
import { parsed, type Parsed, problem } from '#core/terminal/parsed.ts';
import { DAY, HOUR, MINUTE, SECOND, type Millis } from '#core/time/time.ts';

const UNITS: ReadonlyMap<string, Millis> = new Map([
  ['ms', 1],
  ['s', SECOND],
  ['m', MINUTE],
  ['min', MINUTE],
  ['h', HOUR],
  ['d', DAY],
  ['w', 7 * DAY],
]);

/** Milliseconds of `30s`, `15m`, `1h30m`, `7d`; a bare number counts seconds. */
export function parseDuration(text: string): Parsed<Millis> {
  const trimmed = text.trim().toLowerCase();
  const expected = `'${text}' is not a duration; write a number with ms, s, m, h, d or w, for example 90s, 15m, 1h30m or 7d`;
  if (/^\d+(\.\d+)?$/.test(trimmed)) return parsed(Math.round(Number(trimmed) * SECOND));
  if (!/^(\d+(\.\d+)?(ms|s|min|m|h|d|w))+$/.test(trimmed)) return problem(expected);
  let total = 0;
  for (const [, number, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)(ms|s|min|m|h|d|w)/g)) total += Number(number) * (UNITS.get(unit ?? '') ?? 0);
  return Number.isSafeInteger(Math.round(total)) ? parsed(Math.round(total)) : problem(expected);
}

/** A short span for tables: `0.4 s`, `12 s`, `3 min`, `5 h`, `2 d`. */
export function formatDuration(span: Millis): string {
  if (!Number.isFinite(span)) return 'never';
  const ms = Math.max(0, span);
  if (ms < SECOND) return `${String(Math.round(ms))} ms`;
  if (ms < 10 * SECOND) return `${(Math.round(ms / 100) / 10).toString()} s`;
  if (ms < 2 * MINUTE) return `${String(Math.round(ms / SECOND))} s`;
  if (ms < 2 * HOUR) return `${String(Math.round(ms / MINUTE))} min`;
  if (ms < 2 * DAY) return `${String(Math.round(ms / HOUR))} h`;
  return `${String(Math.round(ms / DAY))} d`;
}

/** A past or coming moment in relation to now: "just now", "12 s ago", "in 3 min". */
export function formatRelative(at: Millis, now: Millis): string {
  const age = now - at;
  if (Math.abs(age) < SECOND) return 'just now';
  return age > 0 ? `${formatDuration(age)} ago` : `in ${formatDuration(-age)}`;
}
