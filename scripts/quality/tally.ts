/**
 * Adds up what the parts of `npm test` report. A part that ran nothing, or that ended badly without naming a failed test, counts as a failure:
 * a check must be able to fail.
 */

/** How many tests of a part ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The tally of a test runner's report (the JSON that vitest writes) together with its exit code. */
export function tallyOfReport(report: unknown, exitCode: number): Tally {
  const fields = new Map<string, unknown>(typeof report === 'object' && report !== null ? Object.entries(report) : []);
  const count = (name: string): number => {
    const value = fields.get(name);
    return typeof value === 'number' ? value : 0;
  };
  const passed = count('numPassedTests');
  const failed = count('numFailedTests');
  const skipped = count('numPendingTests') + count('numTodoTests');
  const isBad = exitCode !== 0 || passed + failed === 0;
  return { passed, failed: isBad ? Math.max(1, failed) : failed, skipped };
}

/** The sum over parts. */
export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce((sum, part) => ({ passed: sum.passed + part.passed, failed: sum.failed + part.failed, skipped: sum.skipped + part.skipped }), {
    passed: 0,
    failed: 0,
    skipped: 0,
  });
}

/** The last line of `npm test`. */
export function tallyLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
