/**
 * The three functions that the score needs, computed so that every machine gets the same bits: only + − × ÷ on doubles,
 * which ECMAScript defines exactly, and an integer square root. `Math.exp` and friends are left to the implementation by
 * the language and must not decide who may do what (docs/adr/0006).
 */
import { assert } from '#core/errors/assert.ts';

const LN2 = 0.693_147_180_559_945_3;
/** Below e^-40 nothing is left of a score in ten-thousandths. */
const EXPONENT_MAX = 40;
const TAYLOR_TERMS = 12;

/** e^(−x) for x ≥ 0: halve the argument until a short Taylor series suffices, then square back. */
export function expNegative(x: number): number {
  assert(x >= 0, 'the exponent is not negative');
  if (x > EXPONENT_MAX) return 0;
  let halvings = 0;
  let y = x;
  while (y > 0.0625) {
    y /= 2;
    halvings += 1;
  }
  let sum = 1;
  let term = 1;
  for (let n = 1; n <= TAYLOR_TERMS; n += 1) {
    term = (term * -y) / n;
    sum += term;
  }
  for (let n = 0; n < halvings; n += 1) sum *= sum;
  return sum;
}

/** `value` after `elapsed` with this half-life, rounded to an integer. */
export function decayed(value: number, elapsed: number, halfLife: number): number {
  if (elapsed <= 0 || value === 0) return value;
  return Math.round(value * expNegative((elapsed / halfLife) * LN2));
}

/** The largest integer whose square is not above `value` (an integer below 2^50). */
export function integerSquareRoot(value: number): number {
  assert(Number.isSafeInteger(value) && value >= 0 && value < 2 ** 50, 'the argument is an integer in range');
  if (value < 2) return value;
  let root = value;
  let next = Math.floor((root + 1) / 2);
  while (next < root) {
    root = next;
    next = Math.floor((root + Math.floor(value / root)) / 2);
  }
  return root;
}
