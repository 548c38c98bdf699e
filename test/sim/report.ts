/**
 * What many traces amount to, by class: counts that add up, so that a long run can be put down and taken up again, and a
 * table for people.
 */
import { renderTable } from '#core/terminal/table.ts';
import { PROFILES, type Profile } from './options.ts';
import type { Outcomes, TraceResult } from './run-trace.ts';

type Counts = Record<string, number>;

/** All traces of one class. */
export interface ClassReport {
  traces: number;
  violating: number;
  virtualMs: number;
  machineSteps: number;
  frames: number;
  settleMsMax: number;
  /** Faults and other steps, by kind. */
  steps: Counts;
  /** Breaks that untouched machines held at the end, by class. */
  breaks: Counts;
  /** Pairs of copies alive at the end, by what became of them. */
  clonePairs: Counts;
  /** Everything else that is counted. */
  sums: Counts;
}

/** A trace in which something did not hold. */
export interface Failure {
  readonly seed: string;
  readonly profile: Profile;
  readonly checker: string;
  readonly text: string;
}

/** Failures remembered; all are counted. */
const FAILURES_MAX = 200;

export class Report {
  readonly classes: Partial<Record<Profile, ClassReport>>;
  readonly failures: Failure[];

  /** Empty, or what an earlier run had written. */
  constructor(stored?: { readonly classes: Partial<Record<Profile, ClassReport>>; readonly failures: readonly Failure[] }) {
    this.classes = stored?.classes ?? {};
    this.failures = [...(stored?.failures ?? [])];
  }

  add(result: TraceResult): void {
    const { profile, seed } = result.options;
    const sum = (this.classes[profile] ??= emptyClass());
    sum.traces += 1;
    sum.virtualMs += result.virtualMs;
    sum.machineSteps += result.machineSteps;
    sum.frames += result.frames;
    sum.settleMsMax = Math.max(sum.settleMsMax, result.settleMs);
    addAll(sum.steps, result.steps);
    const { breaks, clonePairs, ...sums } = result.outcomes;
    addAll(sum.breaks, breaks);
    addAll(sum.clonePairs, clonePairs);
    addAll(sum.sums, sums);
    const [first] = result.violations;
    if (first === undefined) return;
    sum.violating += 1;
    if (this.failures.length < FAILURES_MAX) this.failures.push({ seed, profile, checker: first.checker, text: first.text.split('\n')[0] ?? '' });
  }

  /** Add what another run has counted. */
  include(other: Report): void {
    for (const profile of PROFILES) {
      const theirs = other.classes[profile];
      if (theirs === undefined) continue;
      const sum = (this.classes[profile] ??= emptyClass());
      sum.traces += theirs.traces;
      sum.violating += theirs.violating;
      sum.virtualMs += theirs.virtualMs;
      sum.machineSteps += theirs.machineSteps;
      sum.frames += theirs.frames;
      sum.settleMsMax = Math.max(sum.settleMsMax, theirs.settleMsMax);
      for (const part of ['steps', 'breaks', 'clonePairs', 'sums'] as const) addAll(sum[part], theirs[part]);
    }
    this.failures.push(...other.failures.slice(0, FAILURES_MAX - this.failures.length));
  }

  get traces(): number {
    return this.#each((sum) => sum.traces);
  }

  get violating(): number {
    return this.#each((sum) => sum.violating);
  }

  get virtualMs(): number {
    return this.#each((sum) => sum.virtualMs);
  }

  /** For people. */
  lines(): readonly string[] {
    const profiles = PROFILES.filter((profile) => this.classes[profile] !== undefined);
    const head = [{ heading: '' }, ...profiles.map((profile) => ({ heading: profile, align: 'right' as const }))];
    const row = (name: string, of: (sum: ClassReport) => number): string[] => [
      name,
      ...profiles.map((profile) => {
        const sum = this.classes[profile];
        return sum === undefined ? '' : of(sum).toLocaleString('en');
      }),
    ];
    const rowsOf = (title: string, part: 'steps' | 'breaks' | 'clonePairs' | 'sums'): string[][] => {
      const names = [...new Set(profiles.flatMap((profile) => Object.keys(this.classes[profile]?.[part] ?? {})))].sort();
      return names.length === 0 ? [] : [[title], ...names.map((name) => row(`  ${words(name)}`, (sum) => sum[part][name] ?? 0))];
    };
    return renderTable(head, [
      row('traces', (sum) => sum.traces),
      row('in which something did not hold', (sum) => sum.violating),
      row('virtual hours', (sum) => Math.round(sum.virtualMs / 3_600_000)),
      row('steps of machines', (sum) => sum.machineSteps),
      row('longest settling, seconds', (sum) => Math.round(sum.settleMsMax / 1_000)),
      ...rowsOf('done to the machines', 'steps'),
      ...rowsOf('breaks held by untouched machines', 'breaks'),
      ...rowsOf('pairs of live copies', 'clonePairs'),
      ...rowsOf('also', 'sums'),
    ]);
  }

  #each(of: (sum: ClassReport) => number): number {
    return Object.values(this.classes).reduce((total, sum) => total + of(sum), 0);
  }
}

/** The line that repeats one trace. */
export function commandFor(failure: Pick<Failure, 'seed' | 'profile'>, nodes: number | undefined): string {
  return `npm run sim -- --seed ${failure.seed} --profile ${failure.profile}${nodes === undefined ? '' : ` --nodes ${nodes}`} --verbose`;
}

function emptyClass(): ClassReport {
  return { traces: 0, violating: 0, virtualMs: 0, machineSteps: 0, frames: 0, settleMsMax: 0, steps: {}, breaks: {}, clonePairs: {}, sums: {} };
}

function addAll(into: Counts, counts: Readonly<Partial<Record<string, number>>> | Partial<Outcomes>): void {
  for (const [name, count] of Object.entries(counts)) if (typeof count === 'number') into[name] = (into[name] ?? 0) + count;
}

function words(name: string): string {
  return name.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).replaceAll('-', ' ');
}
