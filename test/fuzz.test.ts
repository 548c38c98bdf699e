import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { hex } from '#core/bytes/bytes.ts';
import { readCorpus } from '#scripts/fuzz/corpus.ts';
import { judge } from '#scripts/fuzz/judge.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { fuzzTargets } from './fuzz/targets.ts';

/** The corpus must stay small enough to be read again at every commit. */
const ENTRIES_MAX = 400;

describe('the corpus of every fuzz target, replayed', () => {
  test.each(fuzzTargets.map((target) => [target.name, target.promise, target] as const))('W-2 %s: %s', (name, _promise, target) => {
    const entries = readCorpus(name);
    const inputs = [...entries.map(({ input }) => input), ...target.seeds()];
    const verdicts = inputs.map((input) => ({ input: hex(input).slice(0, 400), verdict: judge(target, input) }));
    expect(verdicts.filter(({ verdict }) => verdict.kind === 'broken')).toEqual([]);
    // A target that only ever refuses, or only ever accepts, would prove nothing.
    expect(verdicts.some(({ verdict }) => verdict.kind === 'accepted')).toBe(true);
    expect(verdicts.some(({ verdict }) => verdict.kind === 'refused')).toBe(true);
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThan(ENTRIES_MAX);
  });

  test('has one file for each target, and no other', () => {
    const files = readdirSync(join(import.meta.dirname, 'fuzz', 'corpus')).toSorted();
    expect(files).toEqual(fuzzTargets.map(({ name }) => `${name}.json`).toSorted());
  });
});

describe('the judge of a run', () => {
  const target: FuzzTarget = {
    name: 'toy',
    promise: 'none',
    seeds: () => [],
    msMax: 2,
    run: (input) => {
      if (input[0] === 1) throw new TypeError('a bug');
      if (input[0] === 2) for (const until = process.threadCpuUsage().user + 8_000; process.threadCpuUsage().user < until;);
      return input[0] === 3;
    },
  };

  test('tells a broken promise, a slow run, an accepted and a refused input apart', () => {
    expect(judge(target, Uint8Array.of(1))).toEqual({ kind: 'broken', what: 'TypeError: a bug' });
    expect(judge(target, Uint8Array.of(2))).toMatchObject({ kind: 'broken', what: expect.stringContaining('took') });
    expect(judge(target, Uint8Array.of(3)).kind).toBe('accepted');
    expect(judge(target, Uint8Array.of(4)).kind).toBe('refused');
  });
});
