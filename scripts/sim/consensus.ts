/**
 * `npm run sim -- --world consensus`: random traces over the consensus machine, and a report by class. Its options are few
 * and its own; a trace follows from its class and seed.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { EXIT } from '#core/errors/exit-codes.ts';
import { CLASSES, drawConsensusTrace, type TraceClass } from '#test/sim/consensus/options.ts';
import { type ConsensusResult, runConsensusTrace } from '#test/sim/consensus/run.ts';
import { count, isWrong, readFlags, unknownWord } from '#scripts/words.ts';

const HELP = `npm run sim -- --world consensus [options]

Runs the consensus machines of 3 to 7 voters and their learners on a virtual clock, network and disks, hurts them, and checks
after every event that nothing decided is lost; then that all is well again. docs/SIMULATION.md says what is modelled.

  --seeds N         how many traces (default 200)
  --seed N          first seed (default 1); alone, it runs this one trace
  --class CLASS     ${CLASSES.join(', ')};
                    without it each seed draws one
  --twice           run every trace twice and compare them
  --checkpoint FILE keep the counts there every 50 traces, and go on from there when started again
  --verbose         tell what happened in each trace
  --json            the report as JSON
  --help            this text

Exit: 0 all held · 1 something did not · 64 a wrong option.
`;

const FLAGS = {
  world: { type: 'string' },
  seeds: { type: 'string' },
  seed: { type: 'string' },
  class: { type: 'string' },
  twice: { type: 'boolean', default: false },
  checkpoint: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

const CHECKPOINT_EVERY = 50;
const SEEDS_DEFAULT = 200;

/** What several traces came to, by class. */
interface Sums {
  next: number;
  failures: { readonly class: TraceClass; readonly seed: string; readonly checker: string; readonly text: string }[];
  readonly classes: Record<string, Record<string, number>>;
}

interface Wish {
  readonly from: number;
  readonly seeds: number;
  readonly class: TraceClass | undefined;
  readonly twice: boolean;
  readonly checkpoint: string | undefined;
  readonly verbose: boolean;
  readonly json: boolean;
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** Run what the words ask for; the exit code. */
export function runConsensusWorld(words: readonly string[]): number {
  const wish = readWish(words);
  if (wish === 'help') {
    print(HELP);
    return EXIT.ok;
  }
  if ('wrong' in wish) {
    say(`sim: ${wish.wrong}; npm run sim -- --world consensus --help lists the options`);
    return EXIT.usage;
  }
  return run(wish);
}

function readWish(words: readonly string[]): Wish | 'help' | { readonly wrong: string } {
  const values = readFlags(words, FLAGS);
  if (isWrong(values)) return values;
  if (values.help) return 'help';
  const from = count(values.seed ?? '1');
  const seeds = count(values.seeds ?? (values.seed === undefined ? String(SEEDS_DEFAULT) : '1'));
  const kind = CLASSES.find((name) => name === values.class);
  if (from === undefined || seeds === undefined) return { wrong: '--seed and --seeds are whole numbers from 1' };
  if (values.class !== undefined && kind === undefined) return unknownWord('class', values.class, CLASSES);
  const { twice, checkpoint, verbose, json } = values;
  return { from, seeds, class: kind, twice, checkpoint, verbose, json };
}

function run(wish: Wish): number {
  const sums = readSums(wish);
  const startedAt = performance.now();
  const end = wish.from + wish.seeds;
  for (; sums.next < end; sums.next += 1) {
    if (wish.checkpoint !== undefined && sums.next % CHECKPOINT_EVERY === 0) writeSums(wish.checkpoint, sums);
    const options = drawConsensusTrace(String(sums.next), wish.class);
    const result = runConsensusTrace(options);
    add(sums, result);
    if (wish.twice && runConsensusTrace(options).hash !== result.hash)
      sums.failures.push({ class: options.class, seed: options.seed, checker: 'reproducible', text: 'the second run was another one' });
    if (wish.json) continue;
    if (wish.verbose) for (const line of [`seed ${options.seed}: ${JSON.stringify(options)}`, ...result.story]) print(line);
    const [first] = result.violations;
    if (first === undefined) continue;
    print(`seed ${options.seed}, ${(first.at / 1_000).toFixed(3)} s, ${first.checker}: ${first.text}`);
    print(`  npm run sim -- --world consensus --seed ${options.seed} --class ${options.class} --verbose`);
  }
  if (wish.checkpoint !== undefined) writeSums(wish.checkpoint, sums);
  const seconds = (performance.now() - startedAt) / 1_000;
  const traces = Object.values(sums.classes).reduce((total, { traces: of = 0 }) => total + of, 0);
  if (wish.json) print(JSON.stringify({ traces, failures: sums.failures, classes: sums.classes, seconds }, null, 2));
  else {
    for (const line of table(sums)) print(line);
    print(`\n${traces} traces, ${sums.failures.length} in which something did not hold; ${seconds.toFixed(1)} s`);
  }
  return sums.failures.length === 0 ? EXIT.ok : EXIT.failed;
}

function add(sums: Sums, { options, violations, counts, faults, virtualMs, settleMs }: ConsensusResult): void {
  const of = (sums.classes[options.class] ??= {});
  const more = (name: string, by: number): void => void (of[name] = (of[name] ?? 0) + by);
  more('traces', 1);
  more('virtual seconds', Math.round(virtualMs / 1_000));
  of['longest settling, s'] = Math.max(of['longest settling, s'] ?? 0, Math.ceil(settleMs / 1_000));
  for (const [name, by] of Object.entries(counts)) more(name, by);
  for (const [name, by] of Object.entries(faults)) more(`fault: ${name}`, by);
  const [first] = violations;
  if (first !== undefined) sums.failures.push({ class: options.class, seed: options.seed, checker: first.checker, text: first.text });
}

function table({ classes }: Sums): readonly string[] {
  const columns = CLASSES.filter((name) => classes[name] !== undefined);
  const rows = [...new Set(columns.flatMap((name) => Object.keys(classes[name] ?? {})))];
  const line = (cells: readonly (string | number)[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(['', ...columns]),
    line(['---', ...columns.map(() => '---')]),
    ...rows.map((row) => line([row, ...columns.map((name) => classes[name]?.[row] ?? 0)])),
  ];
}

function readSums(wish: Wish): Sums {
  if (wish.checkpoint === undefined || !existsSync(wish.checkpoint)) return { next: wish.from, failures: [], classes: {} };
  const sums = JSON.parse(readFileSync(wish.checkpoint, 'utf8')) as Sums;
  say(`sim: goes on at seed ${sums.next}`);
  return sums;
}

function writeSums(path: string, sums: Sums): void {
  writeFileSync(`${path}.new`, JSON.stringify(sums));
  renameSync(`${path}.new`, path);
}
