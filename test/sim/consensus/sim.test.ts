import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLASSES, drawConsensusTrace } from './options.ts';
import { type ConsensusResult, runConsensusTrace } from './run.ts';

/** Per class; each is run twice. `npm run sim -- --world consensus` runs as many as one likes. */
const SEEDS = 2;
const results: ConsensusResult[] = [];

for (const kind of CLASSES) {
  describe(`consensus traces of the class ${kind}`, () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      it(`seed ${seed}: everything holds, and a second run is the same`, () => {
        const options = drawConsensusTrace(String(seed), kind);
        const result = runConsensusTrace(options);
        expect(result.violations).toEqual([]);
        expect(runConsensusTrace(options).hash).toBe(result.hash);
        results.push(result);
      });
    }
  });
}

it('there were faults of every kind that was asked for, and consequences that they should have', () => {
  const sum = (name: string): number =>
    results.reduce((total, { counts, faults }) => total + (counts[name] ?? 0) + (faults[name as keyof typeof faults] ?? 0), 0);
  const expected = ['elections', 'commits', 'leases', 'lost', 'doubled', 'late', 'cut', 'discarded', 'stepped-down', 'lease-voided', 'snapshot-taken'];
  const faults = ['crash', 'crash-all', 'blink', 'fade', 'fell', 'isolate', 'split', 'sleep', 'change', 'transfer', 'vote-forgotten', 'hung-disk', 'full-disk'];
  expect([...expected, ...faults, 'writesLost', 'damaged', 'restored', 'configuration', 'snapshot-installed'].filter((name) => sum(name) === 0)).toEqual([]);
  expect(sum('answered')).toBeGreaterThan(1_000);
});

describe('seeds that failed once', () => {
  const lines = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8').split('\n');
  for (const line of lines) {
    const [, name, seed, story] = /^(\S+) (\d+) {2}(.+)$/.exec(line) ?? [];
    if (line === '' || line.startsWith('#')) continue;
    it(`${name} ${seed}: ${story}`, () => {
      const kind = CLASSES.find((known) => known === name);
      expect(kind).toBeDefined();
      expect(runConsensusTrace(drawConsensusTrace(seed ?? '', kind)).violations).toEqual([]);
    });
  }
});
