/**
 * Collects the measured times of the use cases into `dist/lan-report.json`: the product promises bounds, the tests wait
 * generously, and this file says how long it really took. Lines are appended, so several test processes may write.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** One measured time. */
export interface Measurement {
  /** `PHYS-03` … */
  readonly useCase: string;
  readonly what: string;
  readonly measuredMs: number;
  /** The product's promise; null where the catalogue gives none. */
  readonly promisedMs: number | null;
}

const DIST = join(import.meta.dirname, '../../../dist');
const LINES = join(DIST, 'lan-report.ndjson');
const REPORT = join(DIST, 'lan-report.json');

/** Adds one measured time. */
export function record(measurement: Measurement): void {
  mkdirSync(DIST, { recursive: true });
  appendFileSync(LINES, `${JSON.stringify(measurement)}\n`);
}

/** Forgets earlier runs. */
export function beginReport(): void {
  rmSync(LINES, { force: true });
  rmSync(REPORT, { force: true });
}

/** Writes the report of everything recorded since `beginReport`. */
export function finishReport(): void {
  if (!existsSync(LINES)) return;
  const measurements = readFileSync(LINES, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): unknown => JSON.parse(line));
  writeFileSync(REPORT, `${JSON.stringify({ v: 1, type: 'lan-report', measurements }, null, 2)}\n`);
  rmSync(LINES);
}
