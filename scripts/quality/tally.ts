/**
 * Adds up what the parts of `npm test` report. A part that ran nothing, or that ended badly without naming a failed test, counts as a failure:
 * a check must be able to fail.
 */
import { stripVTControlCharacters } from 'node:util';

/** How many tests of a part ended how. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** The tally of a test runner's report (the JSON that vitest writes) together with its exit code. */
export function tallyOfReport(report: unknown, exitCode: number): Tally {
  const count = (name: string): number => {
    const value = field(report, name);
    return typeof value === 'number' ? value : 0;
  };
  const passed = count('numPassedTests');
  const failed = count('numFailedTests');
  const skipped = count('numPendingTests') + count('numTodoTests');
  const isBad = exitCode !== 0 || passed + failed === 0;
  return { passed, failed: isBad ? Math.max(1, failed) : failed, skipped };
}

/** How much of a failure's message the recap repeats. */
const RECAP_LINES = 6;
const RECAP_WIDTH = 300;

/**
 * What failed in a test runner's report, for the end of the run: the file and the test, then the first lines of its message. Long evidence stays
 * where it was printed; whoever reads only the end still learns which tests failed and why.
 */
export function failuresOfReport(report: unknown): readonly string[] {
  return listIn(report, 'testResults').flatMap((file) => {
    const tests = listIn(file, 'assertionResults').filter((test) => field(test, 'status') === 'failed');
    const named = tests.map((test) => recap(`${shown(file, 'name')} > ${shown(test, 'fullName')}`, listIn(test, 'failureMessages').join('\n')));
    // A file that failed as a whole (an import, a set-up) has a message and no failed test.
    return named.length === 0 && field(file, 'status') === 'failed' ? [recap(shown(file, 'name'), shown(file, 'message'))] : named;
  });
}

function recap(name: string, message: string): string {
  const lines = stripVTControlCharacters(message)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, RECAP_LINES)
    .map((line) => `    ${line.slice(0, RECAP_WIDTH)}`);
  return [name, ...lines].join('\n');
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const list = field(value, name);
  return Array.isArray(list) ? list : [];
}

function shown(value: unknown, name: string): string {
  const text = field(value, name);
  return typeof text === 'string' ? text : '?';
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
