import { describe, expect, test } from 'vitest';
import { failuresOfReport, sumOf, tallyLine, tallyOfReport } from '#scripts/quality/tally.ts';

describe('the tally of npm test', () => {
  test('sums passed, failed and skipped over the parts', () => {
    const unit = tallyOfReport({ numPassedTests: 10, numFailedTests: 0, numPendingTests: 2, numTodoTests: 0 }, 0);
    const lan = tallyOfReport({ numPassedTests: 3, numFailedTests: 1, numPendingTests: 0, numTodoTests: 1 }, 1);
    expect(tallyLine(sumOf([unit, lan]))).toBe('13 passed, 1 failed, 3 skipped');
  });

  test('a runner that ends badly without a failed test counts as one failure', () => {
    expect(tallyOfReport({ numPassedTests: 10, numFailedTests: 0 }, 1).failed).toBe(1);
  });

  test('a part that ran nothing counts as one failure', () => {
    expect(tallyOfReport({ numPassedTests: 0, numFailedTests: 0, numPendingTests: 4 }, 0).failed).toBe(1);
  });

  test('a missing report counts as one failure', () => {
    expect(tallyOfReport(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  test('the recap names each failed test with the first lines of its message', () => {
    const long = ['first', '', ...Array.from({ length: 50 }, (_, index) => `line ${index}`)].join('\n');
    const report = {
      testResults: [
        {
          name: 'a.test.ts',
          status: 'failed',
          assertionResults: [
            { fullName: 'a works', status: 'passed', failureMessages: [] },
            { fullName: 'a fails', status: 'failed', failureMessages: [`\u001B[31m${long}\u001B[39m`] },
          ],
        },
        { name: 'b.test.ts', status: 'failed', message: 'cannot be imported', assertionResults: [] },
        { name: 'c.test.ts', status: 'passed', message: '', assertionResults: [] },
      ],
    };
    const [test, file, ...rest] = failuresOfReport(report);
    expect(test?.split('\n').slice(0, 3)).toEqual(['a.test.ts > a fails', '    first', '    line 0']);
    expect(test?.split('\n')).toHaveLength(7);
    expect(file).toBe('b.test.ts\n    cannot be imported');
    expect(rest).toEqual([]);
  });
});
