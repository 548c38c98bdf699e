/**
 * `npm run sim -- --world membership`: one mesh of membership machines in virtual time, measured; docs/SCALE.md explains
 * the figures. The heap is exact only where the garbage collector can be called (`node --expose-gc scripts/sim.ts …`).
 */
import { EXIT } from '#core/errors/exit-codes.ts';
import { measure } from '#test/sim/membership/measure.ts';

/** Largest world that was tried. */
export const MEMBERSHIP_NODES_MAX = 10_000;
const NODES_DEFAULT = 100;

/** Measure one world and print it; the exit code. */
export function runMembershipWorld(
  wish: { readonly seed: string; readonly nodes: number | undefined; readonly json: boolean },
  print: (text: string) => void,
): number {
  const measured = measure(wish.nodes ?? NODES_DEFAULT, wish.seed, {
    nowMs: () => performance.now(),
    heapBytes: () => {
      globalThis.gc?.();
      return process.memoryUsage().heapUsed;
    },
  });
  const holds = measured.falseSuspicions === 0 && measured.spreads.every(({ allMs }) => allMs !== null);
  if (wish.json) print(JSON.stringify(measured, null, 2));
  else {
    print(`${measured.nodes} members, seed ${measured.seed}`);
    print(`  links per member: ${measured.linksMean.toFixed(1)}, at most ${measured.linksMax}`);
    print(`  messages per member and second: ${measured.idlePerSecond.toFixed(2)} idle, ${measured.failingPerSecond.toFixed(2)} while 1 % fail in each minute`);
    for (const { event, firstMs, allMs } of measured.spreads)
      print(`  ${event}: the first knows after ${firstMs.toFixed(0)} ms, all ${allMs === null ? 'did not in time' : `after ${allMs.toFixed(0)} ms`}`);
    print(`  members suspected that were there: ${measured.falseSuspicions}`);
    print(`  heap per member: ${(measured.heapBytesPerNode / 1_024).toFixed(1)} KiB; ${measured.speed.toFixed(0)} times real time while idle`);
  }
  return holds ? EXIT.ok : EXIT.failed;
}
