/**
 * Begins and finishes the report of measured times for one run of the `lan` project. The tests themselves only append.
 */
import { assertInsideLab } from './lab/outer-namespace.ts';
import { beginReport, finishReport } from './lab/report.ts';

/** Called by vitest before the first test file; what it returns is called after the last. */
export function setup(): () => void {
  assertInsideLab();
  beginReport();
  return finishReport;
}
