/**
 * "Properties a test can check" (protocol.md §2.12), each by its name. Properties of links and slots are checked on the
 * meter that turns a link into events; the rest on the fold of events.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, MINUTE } from '#core/time/time.ts';
import { BREAK_RULES, type BreakClass } from '#mesh/hcth/breaks.ts';
import type { TrustEvent } from './event.ts';
import { decodeHistory, encodeHistory } from './history-codec.ts';
import { NEW_HISTORY, type TrustHistory } from './history.ts';
import { nextLevel, TRUST_LEVELS } from './levels.ts';
import { PeerTrust } from './peer-trust.ts';
import { TRUST_PROFILES } from './profiles.ts';
import { SCORE_CONTESTED_MAX } from './score.ts';
import { SlotMeter } from './slot-meter.ts';

const { home } = TRUST_PROFILES;
const slots = (count: number, frames = 8): TrustEvent => ({ kind: 'credited', slots: count, frames, slotMs: MINUTE });
const broken = (breakClass: BreakClass): TrustEvent => ({ kind: 'break', class: breakClass, at: 0, why: '' });
const settled: TrustEvent = { kind: 'settled', at: 0 };

function after(events: readonly TrustEvent[], history: TrustHistory = NEW_HISTORY): PeerTrust {
  const trust = new PeerTrust(home, history);
  for (const event of events) trust.record(event);
  return trust;
}

const anySlots = fc.tuple(fc.integer({ min: 1, max: 3_000 }), fc.nat({ max: 8 })).map(([count, frames]) => slots(count, frames));
const anyBreak = fc.constantFrom<BreakClass>('B0', 'B1', 'PV', 'B2', 'B3', 'B4', 'SELF', 'SENT').map(broken);
const anyEvent = fc.oneof(
  { weight: 5, arbitrary: anySlots },
  { weight: 2, arbitrary: anyBreak },
  { weight: 1, arbitrary: fc.nat({ max: 60 * DAY }).map((ms): TrustEvent => ({ kind: 'absent', ms })) },
  { weight: 1, arbitrary: fc.nat({ max: DAY }).map((ms): TrustEvent => ({ kind: 'connected', ms })) },
  { weight: 1, arbitrary: fc.constant(settled) },
);
const anyPast = fc.array(anyEvent, { maxLength: 25 });

/** A peer that behaves as it likes on a link, slot by slot, through the meter. */
function linked(minutes: number, eachMinute: (meter: SlotMeter, minute: number) => void): PeerTrust {
  const trust = new PeerTrust(home);
  const meter = new SlotMeter(0);
  meter.setLinked(true);
  for (let minute = 0; minute < minutes; minute += 1) {
    eachMinute(meter, minute);
    for (const event of meter.advance((minute + 1) * MINUTE)) trust.record(event);
  }
  return trust;
}

describe('properties of trust', () => {
  test('T-1: it starts at exactly 0, whoever asks', () => {
    for (const profile of Object.values(TRUST_PROFILES)) expect([new PeerTrust(profile).score, new PeerTrust(profile).level]).toEqual([0, 0]);
  });

  test('T-3: a flooder of 10⁶ frames a minute has 0.012 after ten minutes, exactly like everybody else', () => {
    const flooder = linked(10, (meter) => {
      meter.onFrames(1_000_000);
      meter.onCheckpoint(true);
    });
    expect(flooder.score).toBe(after([slots(10)]).score);
    expect(Math.round(flooder.score / 10) / 1_000).toBe(0.012);
  });

  test('T-3: a grinder gains nothing by any choice of volumes: no day is better than one of eight frames a slot', () => {
    const best = after([slots(1_440)]).score;
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 1_000_000 }), { minLength: 48, maxLength: 48 }), (volumes) => {
        const grinder = linked(1_440, (meter, minute) => {
          meter.onFrames(volumes[minute % volumes.length]!);
          meter.onCheckpoint(true);
        });
        expect(grinder.score).toBeLessThanOrEqual(best);
      }),
      { numRuns: 10 },
    );
  });

  test('T-2: a chain made in advance earns nothing, however long it is: its checkpoints echo no fresh challenge', () => {
    const prepared = linked(3 * 1_440, (meter) => {
      meter.onFrames(8);
      meter.onCheckpoint(false);
    });
    expect([prepared.score, prepared.reading().lengthCredit, prepared.reading().timeCreditMs]).toEqual([0, 0, 0]);
    expect(prepared.history.events.every(({ kind }) => kind === 'connected')).toBe(true);
  });

  test('T-2: nor do frames without any checkpoint', () => {
    expect(linked(1_440, (meter) => meter.onFrames(8)).score).toBe(0);
  });

  test('T-12: equal after a restart of the observer, at any place of any history, for ever after', () => {
    fc.assert(
      fc.property(anyPast, anyPast, (past, future) => {
        const running = after([...past, ...future]);
        const stored = decodeHistory(encodeHistory(after(past).history));
        const restarted = after(future, stored!);
        expect(restarted.reading()).toEqual(running.reading());
        expect(restarted.history).toEqual(running.history);
      }),
    );
  });

  test('T-7: absence never raises it, costs nothing for seven days, then only falls, halving the credits in 30 days', () => {
    fc.assert(
      fc.property(anyPast, fc.nat({ max: 400 * DAY }), fc.nat({ max: 400 * DAY }), (past, short, more) => {
        const [here, away, longer] = [[], [short], [short, more]].map((spans) => after([...past, ...spans.map((ms): TrustEvent => ({ kind: 'absent', ms }))]));
        expect(away!.score).toBeLessThanOrEqual(here!.score);
        expect(longer!.score).toBeLessThanOrEqual(away!.score);
      }),
    );
    const days = (ms: number): { lengthCredit: number; timeCreditMs: number } => after([slots(1_440), { kind: 'absent', ms }]).reading();
    expect(days(7 * DAY).timeCreditMs).toBe(DAY);
    expect(days(37 * DAY)).toMatchObject({ timeCreditMs: DAY / 2, lengthCredit: (1_440 * 8) / 2 });
    expect(days(67 * DAY).timeCreditMs).toBe(DAY / 4);
  });

  test('T-11: contested it is never above 0.29, whatever came before and comes while it is', () => {
    fc.assert(
      fc.property(anyPast, fc.array(anySlots, { maxLength: 10 }), (past, meanwhile) => {
        expect(after([...past, broken('B4'), ...meanwhile]).score).toBeLessThanOrEqual(SCORE_CONTESTED_MAX);
      }),
    );
    expect(after([slots(10_080), broken('B4')]).score).toBe(SCORE_CONTESTED_MAX);
  });

  test('T-11: convicted it is 0 at T0 for ever, and nothing settles that', () => {
    fc.assert(
      fc.property(anyPast, anyPast, (past, future) => {
        const convicted = after([...past, broken('B5'), ...future, settled]);
        expect([convicted.score, convicted.level, convicted.standing]).toEqual([0, 0, 'convicted']);
      }),
    );
  });

  test('T-10: every break costs or is free, none gives; the rest of the record decides how much', () => {
    fc.assert(
      fc.property(anyPast, fc.constantFrom(...Object.keys(BREAK_RULES)), (past, breakClass) => {
        expect(after([...past, broken(breakClass as BreakClass)]).score).toBeLessThanOrEqual(after(past).score);
      }),
    );
  });

  test('T-14: hysteresis: a level once reached is kept down to 0.05 below, and left exactly there', () => {
    for (const level of TRUST_LEVELS.slice(2)) {
      const threshold = [0, 500, 3_000, 6_000, 8_500][level]!;
      for (let score = threshold - 600; score <= threshold; score += 1)
        expect(nextLevel(level, score, 'clear') >= level, `T${level} at ${score}`).toBe(score >= threshold - 500);
      expect(nextLevel((level - 1) as typeof level, threshold - 1, 'clear')).toBe(level - 1);
    }
  });

  test('T-20: there is no way up but credited slots: a history without them never rises', () => {
    const idle = fc.oneof(
      anyBreak,
      fc.nat({ max: 30 * DAY }).map((ms): TrustEvent => ({ kind: 'absent', ms })),
      fc.nat({ max: 30 * DAY }).map((ms): TrustEvent => ({ kind: 'connected', ms })),
    );
    fc.assert(
      fc.property(anyPast, fc.array(idle, { maxLength: 15 }), (past, idling) => {
        // What a contest hides may come back when it is settled; what was earned is then what it was.
        const before = after([...past, settled]);
        expect(after([...past, ...idling, settled]).score).toBeLessThanOrEqual(before.score);
      }),
    );
  });
});
