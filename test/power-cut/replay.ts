/**
 * Walks through a recording, cuts the power at every point and under several weathers, and has each state judged. The same
 * state with the same promises is judged once.
 */
import { createRng } from '#core/random/random.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { CrashStates, type DiskState, PLAIN_WEATHERS, type Weather } from '#test/power-cut/crash-states.ts';
import { judgeRecords, judgeRestart, materialise, owedAfter } from '#test/power-cut/judge.ts';
import type { Recording } from '#test/power-cut/recording.ts';

/** How much is tried. */
export interface Effort {
  /** Every so many operations there is a cut; 1 for every one. */
  readonly stride: number;
  /** Cuts begin at this operation. */
  readonly from?: number;
  /** Diced weathers at each cut, besides the plain ones. */
  readonly dice: number;
  readonly seed: string;
}

/** What was tried and found. */
export interface Report {
  readonly operations: number;
  readonly cuts: number;
  readonly states: number;
  /** `where: what`, with everything needed to see it again. */
  readonly failures: readonly string[];
  /** Files whose contents or presence differed from what had been written, by name: the cuts did cut. */
  readonly torn: ReadonlyMap<string, number>;
}

const crypto = createNodeCrypto();
const FAILURES_MAX = 20;

/** See the header. */
export async function replay(recording: Recording, effort: Effort): Promise<Report> {
  const { operations } = recording.disk;
  const states = new CrashStates();
  const seen = new Set<string>();
  const failures: string[] = [];
  const torn = new Map<string, number>();
  let cuts = 0;
  for (let cut = 0; cut <= operations.length; cut += 1) {
    const operation = operations[cut - 1];
    if (operation !== undefined) states.advance(operation);
    if ((cut % effort.stride !== 0 || cut < (effort.from ?? 0)) && cut !== operations.length) continue;
    cuts += 1;
    const pledges = recording.pledges.filter(({ at }) => at <= cut).map(({ pledge }) => pledge);
    const whole = states.at('all');
    for (const [name, weather] of weathers(effort, `${effort.seed}/${recording.name}/${cut}`, states.isSettled)) {
      const state = weather === 'all' ? whole : states.at(weather);
      const key = fingerprint(state, pledges.length);
      if (seen.has(key)) continue;
      seen.add(key);
      noteTorn(torn, recording.folder, whole, state);
      materialise(state, recording.folder);
      const wrong = recording.name === 'compaction' ? judgeRecords(recording.folder, pledges) : await judgeRestart(recording.folder, owedAfter(pledges));
      for (const what of wrong) failures.push(`${recording.name}, cut after operation ${cut} (${describe(operation)}), weather ${name}: ${what}`);
      if (failures.length >= FAILURES_MAX) return { operations: operations.length, cuts, states: seen.size, failures, torn };
    }
  }
  return { operations: operations.length, cuts, states: seen.size, failures, torn };
}

function weathers(effort: Effort, seed: string, isSettled: boolean): readonly (readonly [string, Weather])[] {
  if (isSettled) return [['all', 'all']];
  const diced = Array.from({ length: effort.dice }, (_, index) => [`${seed}/${index}`, createRng(`${seed}/${index}`)] as const);
  return [...PLAIN_WEATHERS.map((name) => [name, name] as const), ...diced];
}

function fingerprint(state: DiskState, pledges: number): string {
  const parts = [...state.files].sort(([a], [b]) => (a < b ? -1 : 1)).flatMap(([path, bytes]) => [utf8(`${path} ${bytes.length} `), bytes]);
  return `${hex(crypto.sha256(...parts))} ${state.folders.length} ${pledges}`;
}

function noteTorn(torn: Map<string, number>, folder: string, whole: DiskState, state: DiskState): void {
  for (const path of new Set([...whole.files.keys(), ...state.files.keys()])) {
    const [expected, found] = [whole.files.get(path), state.files.get(path)];
    if (expected !== undefined && found !== undefined && Buffer.from(expected).equals(found)) continue;
    const name = path.slice(folder.length + 1);
    torn.set(name, (torn.get(name) ?? 0) + 1);
  }
}

function describe(operation: Recording['disk']['operations'][number] | undefined): string {
  if (operation === undefined) return 'nothing yet';
  return 'path' in operation ? `${operation.kind} ${operation.path.split('/').at(-1) ?? ''}` : `${operation.kind} file ${operation.file}`;
}
