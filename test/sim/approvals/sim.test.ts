import { describe, expect, test } from 'vitest';
import { KeyRegistry } from '../crypto/sim-crypto.ts';
import { runApprovalsTrace } from './world.ts';

/** A few seconds' worth; `node test/sim/approvals/run-traces.ts` runs as many as one wants. */
const TRACES = 40;

describe('approvals in a mesh that goes wrong', () => {
  test('Q-2, Q-3, Q-7, Q-12: in many traces nothing runs that was not approved, nothing runs twice, and everything is settled', () => {
    const sum = { certified: 0, ran: 0, vetoed: 0, expired: 0, voided: 0 };
    for (let seed = 1; seed <= TRACES; seed += 1) {
      const result = runApprovalsTrace(new KeyRegistry().port(), seed, 60);
      expect({ seed, violations: result.violations }).toEqual({ seed, violations: [] });
      for (const key of ['certified', 'ran', 'vetoed', 'expired', 'voided'] as const) sum[key] += result[key];
    }
    // The traces must have been worth looking at.
    for (const count of Object.values(sum)) expect(count).toBeGreaterThan(TRACES);
  });

  test('a seed gives the same trace again', () => {
    for (const seed of [1, 77]) expect(runApprovalsTrace(new KeyRegistry().port(), seed)).toEqual(runApprovalsTrace(new KeyRegistry().port(), seed));
  });
});
