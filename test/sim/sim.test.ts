import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { drawOptions, PROFILES, type Profile } from './options.ts';
import { Report } from './report.ts';
import { runTrace } from './run-trace.ts';
import { STEPS } from './workload.ts';

/** Per class; each is run twice. `npm run sim` runs as many as one likes. */
const SEEDS = 9;
const total = new Report();

for (const profile of PROFILES) {
  describe(`traces of the class ${profile}`, () => {
    for (let seed = 1; seed <= SEEDS; seed += 1) {
      it(`seed ${seed}: everything holds, and a second run is the same to the byte`, () => {
        const options = drawOptions(String(seed), { profile });
        const result = runTrace(options);
        expect(result.violations).toEqual([]);
        expect(runTrace(options).hash).toBe(result.hash);
        total.add(result);
      });
    }
  });
}

it('there were faults of every kind, and consequences of every kind that should have any', () => {
  const sum = (part: 'steps' | 'breaks' | 'clonePairs' | 'sums', name: string, profile?: Profile): number =>
    Object.entries(total.classes).reduce((count, [of, report]) => count + (profile === undefined || of === profile ? (report[part][name] ?? 0) : 0), 0);
  expect(STEPS.filter((kind) => sum('steps', kind) === 0)).toEqual([]);
  expect(sum('sums', 'writesLost')).toBeGreaterThan(0);
  expect(sum('sums', 'framesHeld', 'partition')).toBeGreaterThan(0);
  expect(sum('breaks', 'B1', 'power-cut')).toBeGreaterThan(0);
  expect(sum('breaks', 'B2', 'restore') + sum('breaks', 'B3', 'restore')).toBeGreaterThan(0);
  expect(sum('breaks', 'B4', 'clone')).toBeGreaterThan(0);
  expect(sum('clonePairs', 'contested-at-peer', 'clone')).toBeGreaterThan(0);
  // In these classes nobody has ever said two things in one place, and nobody was convicted of it.
  for (const profile of ['power-cut', 'restore', 'clone', 'partition'] as const) {
    expect(sum('sums', 'equivocations', profile)).toBe(0);
    expect(sum('breaks', 'B5', profile)).toBe(0);
  }
});

it('reports of two runs add up to that of both', () => {
  const [first, second, both] = [new Report(), new Report(), new Report()];
  for (const seed of ['1', '2', '3', '4']) {
    const result = runTrace(drawOptions(seed, { nodes: 3 }));
    both.add(result);
    (Number(seed) < 3 ? first : second).add(result);
  }
  first.include(second);
  expect(first.traces).toBe(4);
  expect(first.lines()).toEqual(both.lines());
});

describe('seeds that failed once', () => {
  const lines = readFileSync(new URL('seeds.txt', import.meta.url), 'utf8').split('\n');
  for (const line of lines) {
    const [, name, seed, story] = /^(\S+) (\d+) {2}(.+)$/.exec(line) ?? [];
    const profile = PROFILES.find((known) => known === name);
    if (line === '' || line.startsWith('#')) continue;
    it(`${name} ${seed}: ${story}`, () => {
      expect(profile).toBeDefined();
      expect(runTrace(drawOptions(seed ?? '', { profile })).violations).toEqual([]);
    });
  }
});

describe('the real cryptography in the place of the simulated', () => {
  for (const profile of PROFILES) {
    it(`${profile}: everything holds as well, and copies are noticed as well`, () => {
      const options = drawOptions('11', { profile, nodes: 3 });
      const [simulated, real] = [runTrace(options), runTrace(options, createNodeCrypto())];
      expect(real.violations).toEqual([]);
      expect(Object.keys(real.steps).length).toBeGreaterThan(5);
      expect(real.outcomes.equivocations > 0).toBe(simulated.outcomes.equivocations > 0);
      expect(Object.keys(real.outcomes.clonePairs).length > 0).toBe(Object.keys(simulated.outcomes.clonePairs).length > 0);
      expect('B5' in real.outcomes.breaks).toBe('B5' in simulated.outcomes.breaks);
    });
  }
});
