import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DAY, HOUR, MINUTE } from '#core/time/time.ts';
import vectors from '#test/vectors/trust/scores.json' with { type: 'json' };
import type { TrustEvent } from './event.ts';
import { decayed, expNegative, integerSquareRoot } from './exact-math.ts';
import { applyEvent } from './fold.ts';
import { appendEvent, foldHistory, NEW_HISTORY } from './history.ts';
import { decodeHistory, encodeHistory, eventLine, parseEventLine, parseEventLines } from './history-codec.ts';
import { PeerTrust } from './peer-trust.ts';
import { TRUST_PROFILES } from './profiles.ts';
import { perfectScore, type Score } from './score.ts';

const { home, lab } = TRUST_PROFILES;
const slots = (count: number, frames = 8): TrustEvent => ({ kind: 'credited', slots: count, frames, slotMs: MINUTE });
const broken = (breakClass: 'B0' | 'B1' | 'PV' | 'B2' | 'B3' | 'B4' | 'SELF' | 'B5' | 'SENT'): TrustEvent => ({
  kind: 'break',
  class: breakClass,
  at: 0,
  why: '',
});

function scored(...events: readonly TrustEvent[]): Score {
  const trust = new PeerTrust(home);
  for (const event of events) trust.record(event);
  return trust.score;
}
/** To two decimals, as the specification's tables give it. */
const rounded = (score: Score): number => Math.round(score / 100) / 100;

const anyEvent: fc.Arbitrary<TrustEvent> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('credited' as const),
      slots: fc.integer({ min: 1, max: 500 }),
      frames: fc.nat({ max: 8 }),
      slotMs: fc.constant(MINUTE),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('connected' as const), ms: fc.nat({ max: 3 * DAY }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('absent' as const), ms: fc.nat({ max: 20 * DAY }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('break' as const),
      class: fc.constantFrom('B0', 'B1', 'B1', 'PV', 'B2', 'B3', 'B4', 'SELF', 'SENT'),
      at: fc.nat(),
      why: fc.constantFrom('', 'because of this'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('settled' as const), at: fc.nat() }) },
);

describe('the trust score', () => {
  test('T-1: it starts at exactly 0 and stays within 0 and 1, whatever happens', () => {
    expect(new PeerTrust(home).score).toBe(0);
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), fc.constantFrom(home, lab, TRUST_PROFILES.fleet), (events, profile) => {
        const trust = new PeerTrust(profile);
        for (const event of events) {
          trust.record(event);
          expect(trust.score).toBeGreaterThanOrEqual(0);
          expect(trust.score).toBeLessThanOrEqual(10_000);
          expect(Number.isInteger(trust.score)).toBe(true);
        }
      }),
    );
  });

  test('T-4: a perfectly continuous peer follows the published table, in every profile', () => {
    const table: readonly (readonly [number, number])[] = [
      [10 / 60, 0.012],
      [1, 0.07],
      [5.1, 0.3],
      [14, 0.6],
      [24, 0.775],
      [32, 0.85],
      [48, 0.92],
      [72, 0.97],
      [168, 0.98],
    ];
    for (const [hours, expected] of table) {
      const digits = expected === 0.012 || expected === 0.775 ? 1_000 : 100;
      const minutes = Math.round(hours * 60);
      expect(Math.round((perfectScore(minutes * MINUTE, home) * digits) / 10_000) / digits).toBe(expected);
      expect(scored(slots(minutes))).toBe(perfectScore(minutes * MINUTE, home));
    }
    // The laboratory's curve is the same with hours read as minutes.
    for (const hours of [1, 5, 14, 24, 48]) expect(Math.abs(perfectScore(hours * MINUTE, lab) - perfectScore(hours * HOUR, home))).toBeLessThan(200);
  });

  test('T-3: frames beyond eight in a slot earn nothing, so volume cannot buy trust', () => {
    expect(scored(slots(10, 1_000_000))).toBe(scored(slots(10)));
    expect(rounded(scored(slots(24 * 60, 2)))).toBe(0.58);
  });

  test('T-5: credit stops at four scales, so that long service can still be lost', () => {
    expect(scored(slots(10_080))).toBe(scored(slots(100_000)));
    expect(scored(slots(100_000))).toBe(9_816);
  });

  test('T-10: rollback, reused incarnation and the others cost what the table says', () => {
    const day = slots(24 * 60);
    const week = slots(7 * 24 * 60);
    expect(rounded(scored(day, broken('B2')))).toBe(0.47);
    expect(scored(day, broken('B3'))).toBe(2_745);
    expect(rounded(scored(week, broken('B2')))).toBe(0.66);
    expect(rounded(scored(week, broken('B3')))).toBe(0.43);
    expect(scored(day, broken('SELF'))).toBe(2_745);
    expect(scored(day, broken('SENT'))).toBe(Math.floor(scored(day) * Math.exp(-0.5)));
  });

  test('T-8: six declared losses in 24 h are free, then each costs 0.05, at most 0.30 in the window', () => {
    const base = slots(10_080);
    const losses = (count: number): TrustEvent[] => Array.from({ length: count }, () => broken('B1'));
    const free = scored(base);
    expect(scored(base, ...losses(6))).toBe(free);
    expect(Math.abs(scored(base, ...losses(7)) - free * Math.exp(-0.05))).toBeLessThan(2);
    const most = scored(base, ...losses(12));
    expect(Math.abs(most - free * Math.exp(-0.3))).toBeLessThan(2);
    expect(scored(base, ...losses(50))).toBe(most);
    const twoWindows = scored(base, ...losses(6), { kind: 'connected', ms: DAY }, ...losses(6));
    expect(twoWindows).toBe(free);
  });

  test('T-9: each protocol violation in 24 h costs twice the one before', () => {
    const base = slots(10_080);
    const expected = [0.1, 0.3, 0.7, 1.5, 3.1, 4.7];
    for (const [index, debt] of expected.entries()) {
      const violations = Array.from({ length: index + 1 }, () => broken('PV'));
      expect(Math.abs(scored(base, ...violations) - scored(base) * Math.exp(-debt))).toBeLessThan(2);
    }
  });

  test('T-6: debt halves every seven days of credited time, and absence launders nothing', () => {
    const base = slots(20_000);
    const punished = [base, broken('SENT')] as const;
    const served = scored(...punished, slots(7 * 24 * 60));
    expect(Math.abs(served - scored(base) * Math.exp(-0.25))).toBeLessThan(2);
    for (const idle of [
      { kind: 'absent', ms: 7 * DAY },
      { kind: 'connected', ms: 70 * DAY },
    ] as const)
      expect(scored(...punished, idle)).toBe(scored(...punished));
  });

  test('T-7: seven days of absence cost nothing, then credits halve every thirty days', () => {
    const base = slots(10_080);
    expect(scored(base, { kind: 'absent', ms: 7 * DAY })).toBe(scored(base));
    const gone = scored(base, { kind: 'absent', ms: 37 * DAY });
    expect(gone).toBe(Math.floor(10_000 * (1 - Math.exp(-2))));
    // Coming back keeps what was lost, and begins a new grace.
    expect(Math.abs(scored(base, { kind: 'absent', ms: 37 * DAY }, slots(1), { kind: 'absent', ms: 6 * DAY }) - gone)).toBeLessThan(10);
  });

  test('T-11: a contested identity scores at most 0.29, a frozen one earns nothing, a convicted one is at 0 for ever', () => {
    const base = slots(10_080);
    expect(scored(base, broken('B4'))).toBe(2_900);
    expect(scored(base, broken('B4'), { kind: 'settled', at: 0 })).toBe(scored(base));
    expect(scored(base, broken('B3'), slots(1_000))).toBe(scored(base, broken('B3')));
    expect(scored(base, broken('B3'), { kind: 'settled', at: 0 }, slots(1_000))).toBeGreaterThan(scored(base, broken('B3')));
    expect(scored(base, broken('B5'), { kind: 'settled', at: 0 }, slots(10_000))).toBe(0);
  });

  test('T-19: it never falls while the peer is connected and keeps the protocol', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 20 }),
        fc.array(fc.tuple(fc.nat({ max: 200 }), fc.nat({ max: 8 })), { minLength: 1, maxLength: 20 }),
        (past, future) => {
          const trust = new PeerTrust(home);
          for (const event of past) trust.record(event);
          for (const [count, frames] of future) {
            const before = trust.score;
            trust.record(count === 0 ? { kind: 'connected', ms: MINUTE } : slots(count, frames));
            expect(trust.score).toBeGreaterThanOrEqual(before);
          }
        },
      ),
    );
  });

  test('T-10: it is strictly lower after every class from B2 on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 30, max: 20_000 }),
        fc.constantFrom('B2' as const, 'B3' as const, 'SELF' as const, 'SENT' as const, 'B5' as const),
        (count, breakClass) => {
          expect(scored(slots(count), broken(breakClass))).toBeLessThan(scored(slots(count)));
        },
      ),
    );
    expect(scored(slots(24 * 60), broken('B4'))).toBeLessThan(scored(slots(24 * 60)));
  });

  test('T-20: restarting, reconnecting or staying away never raises it', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), fc.constantFrom('B0' as const, 'B1' as const), fc.nat({ max: 60 * DAY }), (past, how, awayMs) => {
        const events: TrustEvent[] = [...past, broken(how), { kind: 'absent', ms: awayMs }];
        expect(scored(...events)).toBeLessThanOrEqual(scored(...past));
      }),
    );
  });

  test('T-12: it is a pure function of the history: however runs are cut, after storing, and after folding away the past', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 25 }), (events) => {
        const whole = new PeerTrust(home);
        const single = new PeerTrust(home);
        let state = NEW_HISTORY.base;
        for (const event of events) {
          whole.record(event);
          state = applyEvent(state, event, home);
          if (event.kind === 'credited') for (let index = 0; index < event.slots; index += 1) single.record({ ...event, slots: 1 });
          else single.record(event);
        }
        expect(single.history).toEqual(whole.history);
        expect(foldHistory(whole.history, home)).toEqual(state);
        expect(single.reading()).toEqual(whole.reading());
        const stored = decodeHistory(encodeHistory(whole.history));
        expect(stored).toEqual(whole.history);
        expect(new PeerTrust(home, stored).reading()).toEqual(whole.reading());
      }),
    );
  });

  test('T-12: a history is bounded; folding its older half away changes nothing', () => {
    let history = NEW_HISTORY;
    const endless = new PeerTrust(home);
    let state = NEW_HISTORY.base;
    for (let index = 0; index < 2_000; index += 1) {
      const event: TrustEvent = index % 50 === 49 ? ({ ...broken('PV'), why: 'x'.repeat(500) } as TrustEvent) : slots(1 + (index % 3), index % 9);
      history = appendEvent(history, event, home);
      endless.record(event);
      state = applyEvent(state, event, home);
    }
    expect(history.events.length).toBeLessThanOrEqual(512);
    expect(history.base.elapsedMs).toBeGreaterThan(0);
    expect(foldHistory(history, home)).toEqual(state);
    expect(foldHistory(decodeHistory(encodeHistory(history))!, home)).toEqual(state);
  });

  test('T-12: lines that are no events are refused', () => {
    for (const line of [
      '',
      'x 1',
      'c',
      'c 0 8',
      'c 1 9',
      'c 1 8 90001',
      'c 1 8 1 1',
      'c -1 8',
      'c 1e3 8',
      'n',
      'n 1 2',
      'b B9 1 x',
      'b B1 x y',
      's',
      'a 99999999999999999',
      `b PV 1 ${'x'.repeat(600)}`,
    ])
      expect(parseEventLine(line), line).toBeUndefined();
    fc.assert(
      fc.property(anyEvent, (event) => {
        expect(parseEventLine(eventLine(event))).toEqual(event);
      }),
    );
  });

  test('T-4, T-10, T-12: the frozen vectors', () => {
    expect(vectors.scores.length).toBeGreaterThan(20);
    for (const { name, profile, events, score, level, standing } of vectors.scores) {
      const parsed = parseEventLines(events);
      const trust = new PeerTrust(TRUST_PROFILES[profile as 'home'], { base: NEW_HISTORY.base, events: parsed! });
      expect({ name, score: trust.score, level: trust.level, standing: trust.standing }).toEqual({ name, score, level, standing });
    }
  });

  test('T-13: the exact functions agree with the real ones to far below a ten-thousandth', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 45, noNaN: true }), (x) => {
        expect(Math.abs(expNegative(x) - Math.exp(-x))).toBeLessThan(1e-12);
      }),
    );
    fc.assert(
      fc.property(fc.nat({ max: 100_000_000 }), (value) => {
        const root = integerSquareRoot(value);
        expect(root * root <= value && (root + 1) * (root + 1) > value).toBe(true);
      }),
    );
    expect(decayed(1_000, DAY, DAY)).toBe(500);
    expect(decayed(1_000, -5, DAY)).toBe(1_000);
    expect(expNegative(0)).toBe(1);
  });
});
