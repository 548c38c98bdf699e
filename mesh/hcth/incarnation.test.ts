import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesFor } from '#test/kit/identities.ts';
import { decideStart, decodeIncarnation, encodeIncarnation, hearsayWaitMs, isClockJump, judgeSelfEvidence, type SlotReading } from './incarnation.ts';

const slot = (incarnation: number): SlotReading => ({ kind: 'stored', stored: { incarnation, nonce: bytesFor(`${incarnation}`, 16), why: 'start' } });
const absent: SlotReading = { kind: 'absent' };
const unreadable: SlotReading = { kind: 'unreadable' };

describe('incarnations', () => {
  test('H-8: the first start of a new identity is incarnation 1', () => {
    expect(decideStart({ slots: [absent, absent], spokenBefore: false, provenByOthers: null })).toEqual({
      kind: 'start',
      incarnation: 1,
      why: 'first',
      degraded: false,
    });
  });

  test('H-8: every start is larger than everything stored and everything proved by others', () => {
    const slots = fc.array(fc.oneof(fc.integer({ min: 1, max: 1_000_000 }).map(slot), fc.constant(absent), fc.constant(unreadable)), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(slots, fc.boolean(), fc.option(fc.nat({ max: 1_000_000 })), (readings, spokenBefore, provenByOthers) => {
        const decision = decideStart({ slots: readings, spokenBefore, provenByOthers });
        if (decision.kind !== 'start') return;
        for (const reading of readings) if (reading.kind === 'stored') expect(decision.incarnation).toBeGreaterThan(reading.stored.incarnation);
        expect(decision.incarnation).toBeGreaterThan(provenByOthers ?? 0);
      }),
    );
  });

  test('H-8: beside a damaged slot the sound one may be the older: the own boot events decide, else the step is a large one', () => {
    const start = (newestBoot: number) => decideStart({ slots: [slot(7), unreadable], spokenBefore: true, provenByOthers: null, newestBoot });
    expect(start(8)).toMatchObject({ incarnation: 10, why: 'start', degraded: false });
    expect(start(7)).toMatchObject({ incarnation: 9, why: 'start', degraded: false });
    expect(start(0)).toMatchObject({ incarnation: 1_007, why: 'unreadable', degraded: true });
    expect(start(3)).toMatchObject({ incarnation: 1_007, why: 'unreadable', degraded: true });
  });

  test('H-8: slots that are older than the own boot events were put back: the boot events count', () => {
    expect(decideStart({ slots: [slot(3), slot(2)], spokenBefore: true, provenByOthers: null, newestBoot: 6 })).toMatchObject({
      incarnation: 7,
      degraded: false,
    });
    expect(decideStart({ slots: [unreadable, unreadable], spokenBefore: true, provenByOthers: null, newestBoot: 6 })).toMatchObject({
      incarnation: 1_006,
      why: 'unreadable',
      degraded: true,
    });
  });

  test('H-9: without a readable incarnation a node that may have spoken asks peers before it starts', () => {
    expect(decideStart({ slots: [unreadable, unreadable], spokenBefore: true, provenByOthers: null })).toEqual({ kind: 'ask-peers' });
    expect(decideStart({ slots: [absent, absent], spokenBefore: true, provenByOthers: null })).toEqual({ kind: 'ask-peers' });
    expect(decideStart({ slots: [absent, unreadable], spokenBefore: true, provenByOthers: 40 })).toEqual({
      kind: 'start',
      incarnation: 1_040,
      why: 'unreadable',
      degraded: true,
    });
  });

  test('H-8: what peers prove is exceeded, and the node says it was restored', () => {
    expect(decideStart({ slots: [slot(3), slot(2)], spokenBefore: true, provenByOthers: 9 })).toEqual({
      kind: 'start',
      incarnation: 10,
      why: 'restore',
      degraded: false,
    });
  });

  test('H-8: a worn-out identity is refused rather than wrapped around', () => {
    expect(decideStart({ slots: [slot(0xffff_ffff), absent], spokenBefore: true, provenByOthers: null })).toMatchObject({
      kind: 'refuse',
      why: expect.stringContaining('4294967296'),
    });
  });

  test('H-10: an own newer signature advances a node that has just started and betrays a clone to one that has run', () => {
    const self = { incarnation: 5, nonce: bytesFor('me', 16) };
    const shown = (incarnation: number, label = 'other') => ({ incarnation, nonce: bytesFor(label, 16) });
    expect(judgeSelfEvidence({ ...self, justStarted: true }, shown(9))).toEqual({ kind: 'advance', incarnation: 10 });
    expect(judgeSelfEvidence({ ...self, justStarted: true }, shown(5))).toEqual({ kind: 'advance', incarnation: 6 });
    expect(judgeSelfEvidence({ ...self, justStarted: false }, shown(9))).toEqual({ kind: 'cloned' });
    expect(judgeSelfEvidence({ ...self, justStarted: false }, shown(5, 'me'))).toEqual({ kind: 'known' });
    expect(judgeSelfEvidence({ ...self, justStarted: false }, shown(4))).toEqual({ kind: 'known' });
  });

  test('H-11: a jump of wall clock against monotonic clock by more than 5 s demands a new incarnation', () => {
    expect(isClockJump({ wallMs: 65_001, monoMs: 60_000 })).toBe(true);
    expect(isClockJump({ wallMs: 0, monoMs: 5_001 })).toBe(true);
    expect(isClockJump({ wallMs: 65_000, monoMs: 60_000 })).toBe(false);
  });

  test('H-8: a slot reads back as it was written, and no other bytes do', () => {
    const stored = { incarnation: 7, nonce: bytesFor('7', 16), why: 'restore' } as const;
    const bytes = encodeIncarnation(stored);
    expect(decodeIncarnation(bytes)).toEqual(stored);
    for (let length = 0; length < bytes.length; length += 1) expect(decodeIncarnation(bytes.subarray(0, length))).toBeUndefined();
  });

  test('a start that others asked for says so, also where the number itself is not news', () => {
    const stored = { incarnation: 7, nonce: new Uint8Array(16), why: 'start' as const };
    expect(decideStart({ slots: [{ kind: 'stored', stored }], spokenBefore: true, provenByOthers: 7, reason: 'restore' })).toMatchObject({
      kind: 'start',
      incarnation: 8,
      why: 'restore',
    });
  });

  test('H-31: a bare word is followed at once by a run that began otherwise, then later each time, and once an hour in the end', () => {
    expect([0, 1, 2, 5, 10, 11, 4_000].map(hearsayWaitMs)).toEqual([0, 5_000, 10_000, 80_000, 2_560_000, 3_600_000, 3_600_000]);
  });
});
