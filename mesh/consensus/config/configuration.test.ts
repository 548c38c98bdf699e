import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeConfiguration } from './change.ts';
import { type Configuration, configurationFault, decodeConfiguration, encodeConfiguration, majority, quorumFault, quorumOf } from './configuration.ts';
import { clockJumpMsMax, TIMING_PROFILES, timingFaults } from './timing.ts';

const of = (count: number, quorum: number | null = null): Configuration => ({
  voters: Array.from({ length: count }, (_, index) => `v${index}`),
  learners: [],
  quorum,
});

describe('quorums', () => {
  test('C-16: a quorum is a majority at least and everybody at most; what is outside is refused with the range', () => {
    expect(quorumFault(1, 3)).toBe('a quorum of 1 is out of range: with 3 voters it can be 2 to 3');
    expect(quorumFault(4, 3)).toBe('a quorum of 4 is out of range: with 3 voters it can be 2 to 3');
    expect(quorumFault(2, 1)).toBe('a quorum of 2 is out of range: with 1 voter it can only be 1');
    expect(quorumFault(2.5, 4)).toMatch(/out of range/);
    for (const quorum of [2, 3, null]) expect(quorumFault(quorum, 3)).toBe(undefined);
  });

  test('C-16: it is refused where it is asked for, and not read where it was written', () => {
    expect(changeConfiguration(of(5), { kind: 'set-quorum', quorum: 2 })).toEqual({
      kind: 'bad',
      why: 'a quorum of 2 is out of range: with 5 voters it can be 3 to 5',
    });
    // The quorum of three voters is none of five: growth waits until it is raised.
    const grown = changeConfiguration({ ...of(3, 2), learners: [{ id: 'new', promote: true, incarnation: 1 }] }, { kind: 'promote', id: 'new' });
    expect(grown).toEqual({ kind: 'bad', why: 'a quorum of 2 is out of range: with 4 voters it can be 3 to 4' });
    expect(decodeConfiguration(encodeConfiguration({ ...of(3), quorum: 1 }))).toBe(undefined);
    expect(decodeConfiguration(encodeConfiguration(of(8)))).toBe(undefined);
  });

  test('C-16: any two quorums of one configuration meet, and so do those of two that follow each other', () => {
    const config = fc.integer({ min: 1, max: 7 }).chain((count) => fc.record({ count: fc.constant(count), quorum: fc.option(fc.integer({ min: 1, max: 7 })) }));
    let changed = 0;
    fc.assert(
      fc.property(config, fc.constantFrom('remove', 'promote', 'quorum'), fc.integer({ min: 1, max: 7 }), ({ count, quorum }, kind, number) => {
        const before = { ...of(count, quorum), learners: [{ id: 'new', promote: false, incarnation: 0 }] };
        fc.pre(configurationFault(before) === undefined);
        expect(2 * quorumOf(before)).toBeGreaterThan(count);
        const change = kind === 'quorum' ? ({ kind: 'set-quorum', quorum: number } as const) : ({ kind, id: kind === 'promote' ? 'new' : 'v0' } as const);
        const verdict = changeConfiguration(before, change);
        if (verdict.kind === 'bad') return;
        changed += 1;
        const all = new Set([...before.voters, ...verdict.config.voters]).size;
        expect(quorumOf(before) + quorumOf(verdict.config)).toBeGreaterThan(all);
      }),
      { numRuns: 500 },
    );
    expect(changed).toBeGreaterThan(100);
  });
});

describe('configurations', () => {
  test('one survives its encoding; cut bytes decode to nothing', () => {
    const config: Configuration = { voters: ['a', 'b', 'c'], learners: [{ id: 'd', promote: true, incarnation: 7 }], quorum: 3 };
    const bytes = encodeConfiguration(config);
    expect(decodeConfiguration(bytes)).toEqual(config);
    for (let length = 0; length < bytes.length; length += 1) expect(decodeConfiguration(bytes.subarray(0, length))).toBe(undefined);
    expect(decodeConfiguration(encodeConfiguration({ ...config, learners: [{ id: 'a', promote: true, incarnation: 7 }] }))).toBe(undefined);
  });

  test('nobody is made a voter without having been a learner, and nobody is named twice', () => {
    expect(changeConfiguration(of(3), { kind: 'promote', id: 'new' }).kind).toBe('bad');
    expect(changeConfiguration(of(3), { kind: 'add-learner', id: 'v0', promote: true }).kind).toBe('bad');
    expect(changeConfiguration(of(1), { kind: 'remove', id: 'v0' }).kind).toBe('bad');
    expect(majority(4)).toBe(3);
  });
});

describe('times', () => {
  test('C-27: both profiles fit together; every constraint that is broken is named with its numbers', () => {
    for (const profile of Object.values(TIMING_PROFILES)) expect(timingFaults(profile)).toEqual([]);
    expect(timingFaults(TIMING_PROFILES.sdcard, { roundTripMs: 60, fsyncMs: 300 })).toEqual([]);
    const { lan } = TIMING_PROFILES;
    const faults = timingFaults({ ...lan, heartbeatMs: 300, leaseMs: 900, electionMsMax: 1_100, probeMs: 10 });
    expect(faults).toEqual([
      'electionMsMin 1000 is below 5 × heartbeatMs = 1500',
      'electionMsMax 1100 is below 1.5 × electionMsMin = 1500: votes would split',
      'leaseMs 900 is above electionMsMin · (1 − 5 %) − heartbeatMs = 650: two leaders could hold it at once',
      'probeMs 10 is below electionMsMin 1000: the disk would be written to for nothing',
    ]);
    expect(timingFaults(lan, { roundTripMs: 80, fsyncMs: 150 })).toEqual([
      'heartbeatMs 100 is below 2 × the round trip of 80 ms (p99)',
      'electionMsMin 1000 is below 10 × the fsync of 150 ms (p99)',
    ]);
    expect(timingFaults({ ...lan, heartbeatMs: Number.NaN })).toEqual(['heartbeatMs is NaN: it must be above 0']);
  });

  test('C-13: what a clock may jump is less than what the lease leaves of the promise', () => {
    for (const profile of Object.values(TIMING_PROFILES))
      expect(profile.leaseMs + clockJumpMsMax(profile)).toBeLessThanOrEqual((profile.electionMsMin * (100 - profile.clockErrorPercent)) / 100);
  });
});
