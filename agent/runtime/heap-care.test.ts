import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import { HeapCare, type HeapReading, lastResort } from '#agent/runtime/heap-care.ts';

setFlagsFromString('--expose-gc');
const collector = runInNewContext('gc') as NodeJS.GCFunction;

/** Objects that live long enough to be moved to the old space, and are then dropped. */
function waste(megabytes: number): void {
  let held: unknown[] = Array.from({ length: megabytes * 10_000 }, (_, index) => ({ index, text: `${index}`, list: [index] }));
  collector();
  held = [];
  void held;
}

test('what only the start needed is given back', () => {
  const care = new HeapCare(lastResort(collector));
  waste(32);
  const before = process.memoryUsage();
  care.look();
  care.stop();
  const after = process.memoryUsage();
  expect(before.heapUsed - after.heapUsed).toBeGreaterThan(16 * 1024 * 1024);
  expect(after.heapTotal).toBeLessThan(before.heapTotal);
});

test('a heap about as small as after the last collection is left alone, and so is a busy agent', () => {
  let collections = 0;
  let reading: HeapReading = { heapTotal: 20_000_000, heapUsed: 10_000_000, busyShare: 0.5 };
  const care = new HeapCare(
    () => {
      collections += 1;
    },
    () => reading,
  );
  care.look();
  expect(collections).toBe(1);
  reading = { heapTotal: 13_000_000, heapUsed: 12_000_000, busyShare: 0 };
  care.look();
  expect(collections).toBe(1);
  reading = { heapTotal: 30_000_000, heapUsed: 29_000_000, busyShare: 0.5 };
  care.look();
  expect(collections).toBe(1);
  reading = { heapTotal: 15_000_000, heapUsed: 14_000_000, busyShare: 0.01 };
  care.look();
  care.stop();
  expect(collections).toBe(2);
});
