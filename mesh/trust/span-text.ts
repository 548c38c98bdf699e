/** A span of time with its two largest units, for sentences that must not lose an hour in a week: `6 d 23 h`. */
import { DAY, HOUR, MINUTE, SECOND, type Millis } from '#core/time/time.ts';

const UNITS: readonly (readonly [string, Millis])[] = [
  ['d', DAY],
  ['h', HOUR],
  ['min', MINUTE],
  ['s', SECOND],
];

/** `16 h 40 min`, `1 min`, `0 s`. */
export function spanText(ms: Millis): string {
  const parts: string[] = [];
  let rest = ms;
  for (const [unit, size] of UNITS) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0) parts.push(`${whole} ${unit}`);
  }
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
}
