import { describe, expect, test } from 'vitest';
import { Coverage } from './coverage.ts';
import { fuzz } from './fuzzer.ts';
import { maze } from './fixtures/maze.ts';
import type { FuzzTarget } from './target.ts';

/** Five bytes, one after another: chance alone needs 2^40 tries, one that sees branches a few thousand. */
const target: FuzzTarget = { name: 'maze', promise: 'nobody finds the way', seeds: () => [new Uint8Array(5)], run: (input) => maze(input) > 0, bytesMax: 16 };

describe('the search', () => {
  test('finds, guided by coverage, what chance does not, and makes the input small', () => {
    const coverage = new Coverage((url) => url.includes('/fixtures/maze'));
    const report = fuzz(target, coverage, { seed: 'one', ms: 15_000, corpus: [], about: () => undefined });
    coverage.close();
    expect(report.finding?.what).toContain('the way out');
    expect([...(report.finding?.input ?? [])]).toEqual([...Buffer.from('robon')]);
    expect(report.kept.length).toBeGreaterThan(3);
  });

  test('blind, the same search finds nothing', () => {
    const coverage = new Coverage(() => false);
    const report = fuzz(target, coverage, { seed: 'one', ms: 1_500, corpus: [], about: () => undefined });
    coverage.close();
    expect(report.finding).toBeNull();
    expect(report.runs).toBeGreaterThan(1_000);
  });
});
