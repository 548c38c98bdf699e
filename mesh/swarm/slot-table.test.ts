import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SlotTable } from './slot-table.ts';

describe('the slot table', () => {
  test('behaves like a map whose keys it gives itself, whatever is taken in whatever order', () => {
    const action = fc.oneof(
      { weight: 3, arbitrary: fc.record({ kind: fc.constant('add' as const), at: fc.constant(0) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant('take' as const), at: fc.nat(1_000) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant('get' as const), at: fc.nat(1_000) }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 600 }), (actions) => {
        const table = new SlotTable<string>();
        const model = new Map<number, string>();
        for (const [index, { kind, at }] of actions.entries()) {
          const number = [...model.keys()][at % Math.max(1, model.size)] ?? at;
          if (kind === 'add') {
            const given = table.add(`item ${index}`);
            expect(model.has(given)).toBe(false);
            model.set(given, `item ${index}`);
          } else if (kind === 'take') {
            expect(table.take(number)).toBe(model.get(number));
            model.delete(number);
          } else expect(table.get(number)).toBe(model.get(number));
          expect(table.size).toBe(model.size);
        }
        expect(new Map(table.entries())).toEqual(model);
        expect([...table.takeAll()].sort()).toEqual([...model.values()].sort());
        expect(table.size).toBe(0);
      }),
    );
  });

  test('an item that stays does not stop the others from coming and going', () => {
    const table = new SlotTable<number>();
    const first = table.add(0);
    for (let round = 1; round < 10_000; round += 1) expect(table.take(table.add(round))).toBe(round);
    expect(table.get(first)).toBe(0);
  });

  test('numbers that were never given have nothing', () => {
    const table = new SlotTable<string>();
    table.add('one');
    for (const number of [0, -1, 65, 1.5, 2 ** 32 + 1, 2 ** 52, Number.NaN]) expect(table.get(number)).toBeUndefined();
  });
});
