import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '#core/time/time.ts';
import { bareLevel, nextLevel, TRUST_LEVELS, type TrustLevel } from './levels.ts';
import { LEVEL_PERMISSIONS, mayApprove, permits } from './permissions.ts';
import { PeerTrust } from './peer-trust.ts';
import { TRUST_PROFILES } from './profiles.ts';
import { SlotMeter } from './slot-meter.ts';
import { thetaEffective } from './young-mesh.ts';

describe('trust levels', () => {
  test('T-14: a level is reached at its threshold and kept down to 0.05 below it', () => {
    expect([0, 499, 500, 2_999, 3_000, 5_999, 6_000, 8_499, 8_500, 10_000].map(bareLevel)).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    expect(nextLevel(2, 2_999, 'clear')).toBe(2);
    expect(nextLevel(2, 2_500, 'clear')).toBe(2);
    expect(nextLevel(2, 2_499, 'clear')).toBe(1);
    expect(nextLevel(4, 5_600, 'clear')).toBe(3);
    expect(nextLevel(4, 0, 'clear')).toBe(0);
    expect(nextLevel(1, 250, 'clear')).toBe(1);
    expect(nextLevel(1, 249, 'clear')).toBe(0);
  });

  test('T-14: a score that wanders by less than 0.05 around a threshold changes level at most once', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2 as TrustLevel, 3 as TrustLevel, 4 as TrustLevel),
        fc.array(fc.integer({ min: -499, max: 499 }), { minLength: 2, maxLength: 50 }),
        (level, offsets) => {
          const threshold = [0, 500, 3_000, 6_000, 8_500][level]!;
          let present = nextLevel(0, threshold - 499, 'clear');
          let changes = 0;
          for (const offset of offsets) {
            const next = nextLevel(present, threshold + offset, 'clear');
            if (next !== present) changes += 1;
            present = next;
          }
          expect(changes).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  test('T-14: a contested or convicted peer keeps nothing by hysteresis', () => {
    expect(nextLevel(4, 2_900, 'contested')).toBe(1);
    expect(nextLevel(4, 0, 'convicted')).toBe(0);
    const trust = new PeerTrust(TRUST_PROFILES.home);
    trust.record({ kind: 'credited', slots: 10_080, frames: 8, slotMs: MINUTE });
    expect(trust.level).toBe(4);
    expect(trust.record({ kind: 'break', class: 'B4', at: 0, why: '' })).toBe(true);
    expect(trust.level).toBe(1);
  });

  test('T-15: every level permits all that the one below does, and sends no less', () => {
    for (const level of TRUST_LEVELS.slice(1)) {
      const [below, here] = [LEVEL_PERMISSIONS[(level - 1) as TrustLevel], LEVEL_PERMISSIONS[level]];
      expect(here.level).toBe(level);
      expect(here.actions).toEqual(expect.arrayContaining([...below.actions]));
      expect(here.framesPerSecondMax).toBeGreaterThanOrEqual(below.framesPerSecondMax);
      expect(here.bytesPerSecondMax).toBeGreaterThanOrEqual(below.bytesPerSecondMax);
    }
  });

  test('T-15: the table of rates and of what begins where', () => {
    expect(LEVEL_PERMISSIONS.map((row) => [row.framesPerSecondMax, row.bytesPerSecondMax])).toEqual([
      [2, 8 << 10],
      [20, 256 << 10],
      [200, 4 << 20],
      [1_000, 32 << 20],
      [1_000, 32 << 20],
    ]);
    const from = (action: Parameters<typeof permits>[1]): number => TRUST_LEVELS.findIndex((level) => permits(level, action));
    expect([
      from('heartbeat'),
      from('see-names'),
      from('call-read-only'),
      from('receive-workloads'),
      from('receive-secrets'),
      from('request-high-risk'),
      from('learner'),
      from('accuse'),
      from('voter'),
      from('gateway'),
    ]).toEqual([0, 1, 1, 2, 2, 2, 2, 3, 3, 4]);
  });

  test('T-16: the approval threshold grows with a young mesh up to 0.60, always below a founder that was there from the start', () => {
    const { home } = TRUST_PROFILES;
    expect(thetaEffective(0, home)).toBe(0);
    expect(thetaEffective(30 * DAY, home)).toBe(6_000);
    fc.assert(
      fc.property(fc.nat({ max: 30 * DAY }), fc.nat({ max: 30 * DAY }), (a, b) => {
        expect(thetaEffective(Math.min(a, b), home)).toBeLessThanOrEqual(thetaEffective(Math.max(a, b), home));
      }),
    );
    const founder = { level: 1 as TrustLevel, score: 700, voter: true };
    expect(mayApprove(founder, thetaEffective(HOUR, home))).toBe(true);
    expect(mayApprove({ ...founder, voter: false }, thetaEffective(HOUR, home))).toBe(false);
    expect(mayApprove({ level: 4, score: 9_000, voter: false }, 6_000)).toBe(true);
  });
});

describe('slots', () => {
  test('T-2: a slot is credited exactly when a fresh checkpoint arrived in it and no break', () => {
    const cases: readonly (readonly [boolean | null, boolean, string])[] = [
      [true, false, 'credited'],
      [false, false, 'connected'],
      [null, false, 'connected'],
      [true, true, 'connected'],
    ];
    for (const [fresh, broke, expected] of cases) {
      const meter = new SlotMeter(0);
      meter.setLinked(true);
      meter.onFrames(5);
      if (fresh !== null) meter.onCheckpoint(fresh);
      if (broke) meter.onBreak();
      expect(meter.advance(MINUTE).map((event) => event.kind)).toEqual([expected]);
    }
  });

  test('T-2: what happened in one slot does not count for the next', () => {
    const meter = new SlotMeter(1_000);
    meter.setLinked(true);
    meter.onFrames(20);
    meter.onCheckpoint(true);
    expect(meter.advance(60_999)).toEqual([]);
    expect(meter.advance(61_000)).toEqual([{ kind: 'credited', slots: 1, frames: 8, slotMs: MINUTE }]);
    expect(meter.advance(121_000)).toEqual([{ kind: 'connected', ms: MINUTE }]);
  });

  test('T-21: slots lie on the observer’s grid: reconnecting does not make more of them', () => {
    const meter = new SlotMeter(0);
    let credited = 0;
    for (let now = 0; now < 10 * MINUTE; now += 1_000) {
      for (const event of meter.advance(now)) if (event.kind === 'credited') credited += event.slots;
      meter.setLinked(now % 2_000 === 0);
      meter.onCheckpoint(true);
      meter.onFrames(1);
    }
    expect(credited).toBe(9);
    expect(meter.slotAt(9.5 * MINUTE)).toBe(9);
  });

  test('T-21: long absence is one event, and an unlinked meter does not wake anybody', () => {
    const meter = new SlotMeter(0);
    expect(meter.wakeAt).toBe(Number.POSITIVE_INFINITY);
    expect(meter.advance(3 * HOUR + 1)).toEqual([
      { kind: 'absent', ms: MINUTE },
      { kind: 'absent', ms: 179 * MINUTE },
    ]);
    meter.setLinked(true);
    expect(meter.wakeAt).toBe(181 * MINUTE);
  });
});
