import { describe, expect, it } from 'vitest';
import { type Call, misfit } from './linearizable.ts';
import type { Operation, Result } from './settings.ts';

const NEVER = Number.POSITIVE_INFINITY;
const call = (operation: Operation, from: number, to: number, result: Result | null): Call => ({ operation, from, to, result });
const set = (value: number, from: number, to: number): Call => call({ kind: 'set', key: 'a', value }, from, to, to === NEVER ? null : true);
const get = (value: number, from: number, to: number): Call => call({ kind: 'get', key: 'a' }, from, to, value);
const swap = (was: number, value: number, from: number, to: number, took: boolean | null): Call =>
  call({ kind: 'swap', key: 'a', from: was, value }, from, to, took);

describe('histories that fit an order', () => {
  const good: readonly (readonly [string, readonly Call[]])[] = [
    ['nothing', []],
    ['one after the other', [set(1, 0, 1), get(1, 2, 3), set(2, 4, 5), get(2, 6, 7)]],
    ['a read during a write sees either', [set(1, 0, 1), set(2, 2, 9), get(1, 3, 4), get(2, 5, 6)]],
    ['two writes at once in either order', [set(1, 0, 9), set(2, 1, 8), get(1, 10, 11)]],
    ['an unanswered write that took effect late', [set(1, 0, 1), set(2, 2, NEVER), get(1, 3, 4), get(2, 50, 51)]],
    ['an unanswered write that never did', [set(1, 0, 1), set(2, 2, NEVER), get(1, 50, 51)]],
    ['a swap that found what it said', [set(1, 0, 1), swap(1, 2, 2, 3, true), swap(1, 3, 4, 5, false), get(2, 6, 7)]],
    ['an unanswered read', [set(1, 0, 1), call({ kind: 'get', key: 'a' }, 2, NEVER, null)]],
  ];
  it.each(good)('%s', (_, calls) => {
    expect(misfit(calls)).toBe(undefined);
  });
});

describe('histories that fit none', () => {
  const bad: readonly (readonly [string, readonly Call[]])[] = [
    ['a stale read', [set(1, 0, 1), set(2, 2, 3), get(1, 4, 5)]],
    ['a read of what nobody wrote', [set(1, 0, 1), get(7, 2, 3)]],
    ['back in time between two readers', [set(1, 0, 1), set(2, 2, 20), get(2, 3, 4), get(1, 5, 6)]],
    ['a lost write', [set(1, 0, 1), get(0, 2, 3)]],
    ['one of two swaps from the same value too many', [swap(0, 1, 0, 9, true), swap(0, 2, 0, 9, true)]],
    ['a write before it was asked for', [get(1, 0, 1), set(1, 2, 3)]],
    ['an unanswered write undone', [set(1, 0, 1), set(2, 2, NEVER), get(2, 3, 4), get(1, 5, 6)]],
    ['a swap applied twice', [set(1, 0, 1), swap(1, 2, 2, 3, true), set(1, 4, 5), get(2, 6, 7)]],
  ];
  it.each(bad)('%s', (_, calls) => {
    expect(misfit(calls)).toBe('a');
  });

  it('each setting is judged alone, and one that does not fit is named', () => {
    const other = get(1, 4, 5);
    expect(misfit([set(1, 0, 1), get(1, 2, 3), { ...other, operation: { kind: 'get', key: 'b' } }])).toBe('b');
  });
});

it('it agrees with trying all orders, on small random histories', () => {
  let seed = 1;
  const next = (bound: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (seed >> 8) % bound;
  };
  const verdicts = { good: 0, bad: 0 };
  for (let round = 0; round < 3_000; round += 1) {
    const calls = Array.from({ length: 5 }, (): Call => {
      const from = next(12);
      const to = next(8) === 0 ? NEVER : from + 1 + next(6);
      const kind = next(3);
      if (kind === 0) return set(1 + next(2), from, to);
      if (kind === 1) return swap(next(3), 1 + next(2), from, to, to === NEVER ? null : next(2) === 0);
      return to === NEVER ? set(1, from, to) : get(next(3), from, to);
    });
    const fits = misfit(calls) === undefined;
    expect(fits).toBe(fitsSomehow(calls, [], 0));
    verdicts[fits ? 'good' : 'bad'] += 1;
  }
  expect(Math.min(verdicts.good, verdicts.bad)).toBeGreaterThan(300);
});

/** The definition, tried out. */
function fitsSomehow(calls: readonly Call[], order: readonly Call[], value: number): boolean {
  const left = calls.filter((one) => !order.includes(one));
  if (left.every(({ to }) => to === NEVER)) return true;
  return left.some((one) => {
    if (left.some((other) => other.to < one.from)) return false;
    const { operation, result } = one;
    const takes = operation.kind === 'set' || (operation.kind === 'swap' && operation.from === value);
    if (operation.kind === 'get' && result !== value) return false;
    if (operation.kind === 'swap' && result !== null && result !== takes) return false;
    return fitsSomehow(calls, [...order, one], operation.kind !== 'get' && takes ? operation.value : value);
  });
}
