/**
 * `npm run sim`: random traces of power cuts, restored and copied disks, forked memories and partitions, over real nodes in
 * one process, and a report by class. A trace follows from its seed; one that fails prints the command that repeats it.
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { EXIT } from '#core/errors/exit-codes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { runConsensusWorld } from '#scripts/sim/consensus.ts';
import { drawOptions, PROFILES, type Profile } from '#test/sim/options.ts';
import { commandFor, Report } from '#test/sim/report.ts';
import { runTrace, type TraceResult } from '#test/sim/run-trace.ts';
import { NODES_MAX } from '#test/sim/founding.ts';
import { MEMBERSHIP_NODES_MAX, runMembershipWorld } from '#scripts/sim/membership-world.ts';
import { count, isWrong, readFlags, unknownWord } from '#scripts/words.ts';

const HELP = `npm run sim -- [options]

Runs whole nodes on a virtual clock, network and disk, hurts them, and checks that nobody honest is blamed, that copies
are noticed and that contradictions are proven. docs/SIMULATION.md says what is modelled.

  --seed N          first seed (default 1); alone, it runs this one trace
  --traces N        how many traces, with seeds from --seed on (default 500)
  --profile CLASS   ${PROFILES.join(', ')};
                    without it each seed draws one
  --nodes N         size of the meshes, 2 to ${NODES_MAX}; without it each seed draws one
  --real-crypto     Ed25519, X25519 and ChaCha20-Poly1305 in the place of the simulated ones: ten times slower
  --twice           run every trace twice and compare them, byte by byte
  --checkpoint FILE keep the counts there every 100 traces, and go on from there when started again
  --sum FILES       run nothing: the report over these checkpoints together, with commas between them
  --world NAME      another world, measured: membership (docs/SCALE.md), with --seed and --nodes to ${MEMBERSHIP_NODES_MAX}
                    or consensus, whose options are its own: npm run sim -- --world consensus --help
  --verbose         tell what happened in each trace
  --json            the report as JSON
  --help            this text

  npm run sim -- --traces 100000
  npm run sim -- --seed 298 --profile restore --verbose
  npm run sim -- --seed 1 --traces 50000 --checkpoint a.json &
  npm run sim -- --seed 50001 --traces 50000 --checkpoint b.json & wait; npm run sim -- --sum a.json,b.json

Exit: 0 all held · 1 something did not · 64 a wrong option.
`;

const FLAGS = {
  seed: { type: 'string' },
  traces: { type: 'string' },
  profile: { type: 'string' },
  nodes: { type: 'string' },
  world: { type: 'string' },
  'real-crypto': { type: 'boolean', default: false },
  twice: { type: 'boolean', default: false },
  checkpoint: { type: 'string' },
  sum: { type: 'string' },
  verbose: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/** Traces between two checkpoints. */
const CHECKPOINT_EVERY = 100;
const TRACES_DEFAULT = 500;

interface Wish {
  readonly from: number;
  readonly traces: number;
  readonly profile: Profile | undefined;
  readonly nodes: number | undefined;
  readonly realCrypto: boolean;
  readonly twice: boolean;
  readonly checkpoint: string | undefined;
  readonly sum: readonly string[];
  readonly verbose: boolean;
  readonly json: boolean;
}

/** One world of another kind. */
interface WorldWish {
  readonly world: 'membership';
  readonly seed: string;
  readonly nodes: number | undefined;
  readonly json: boolean;
}

// Whoever reads only the beginning (`| head`) has seen enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(process.exitCode ?? EXIT.ok);
});

const print = (text: string): void => void process.stdout.write(`${text}\n`);
const say = (text: string): void => void process.stderr.write(`${text}\n`);

/** What is wanted, or what is wrong with the words. */
function readWish(words: readonly string[]): Wish | WorldWish | 'help' | { readonly wrong: string } {
  const values = readFlags(words, FLAGS);
  if (isWrong(values)) return values;
  if (values.help) return 'help';
  const from = count(values.seed ?? '1');
  const traces = count(values.traces ?? (values.seed === undefined ? String(TRACES_DEFAULT) : '1'));
  const nodes = values.nodes === undefined ? undefined : count(values.nodes);
  const profile = PROFILES.find((name) => name === values.profile);
  if (from === undefined || traces === undefined) return { wrong: '--seed and --traces are whole numbers from 1' };
  if (values.world !== undefined) {
    if (values.world !== 'membership') return unknownWord('world', values.world, ['membership', 'consensus']);
    if (values.nodes !== undefined && (nodes === undefined || nodes < 2 || nodes > MEMBERSHIP_NODES_MAX))
      return { wrong: `--nodes of this world is a number from 2 to ${MEMBERSHIP_NODES_MAX}` };
    return { world: 'membership', seed: String(from), nodes, json: values.json };
  }
  if (values.nodes !== undefined && (nodes === undefined || nodes < 2 || nodes > NODES_MAX)) return { wrong: `--nodes is a number from 2 to ${NODES_MAX}` };
  if (values.profile !== undefined && profile === undefined) return unknownWord('class', values.profile, PROFILES);
  const { checkpoint, verbose, json, twice } = values;
  const sum = values.sum?.split(',') ?? [];
  const absent = sum.find((path) => !existsSync(path));
  if (absent !== undefined) return { wrong: `there is no file ${absent}` };
  return { from, traces, profile, nodes, realCrypto: values['real-crypto'], twice, checkpoint, sum, verbose, json };
}

/** What several runs amount to together. */
function sumUp(wish: Wish): number {
  const report = new Report();
  for (const path of wish.sum) report.include(new Report(readCheckpoint(path).report));
  if (wish.json) print(JSON.stringify({ traces: report.traces, violating: report.violating, classes: report.classes, failures: report.failures }, null, 2));
  else {
    for (const line of report.lines()) print(line);
    for (const failure of report.failures) print(`seed ${failure.seed}, ${failure.checker}: ${failure.text}\n  ${commandFor(failure, wish.nodes)}`);
    print(`\n${report.traces} traces, ${report.violating} in which something did not hold`);
  }
  return report.violating === 0 ? EXIT.ok : EXIT.failed;
}

function run(wish: Wish): number {
  const stored = wish.checkpoint !== undefined && existsSync(wish.checkpoint) ? readCheckpoint(wish.checkpoint) : undefined;
  const report = new Report(stored?.report);
  const startedAt = performance.now();
  const done = stored === undefined ? 0 : Math.max(0, stored.next - wish.from);
  if (stored !== undefined) say(`sim: goes on at seed ${stored.next}, ${report.traces} traces are done`);
  for (let index = done; index < wish.traces; index += 1) {
    const seed = String(wish.from + index);
    const trace = (): TraceResult =>
      runTrace(drawOptions(seed, { profile: wish.profile, nodes: wish.nodes }), wish.realCrypto ? createNodeCrypto() : undefined);
    let result = trace();
    if (wish.twice) {
      const again = trace();
      if (again.hash !== result.hash)
        result = { ...result, violations: [{ checker: 'reproducible', text: `the second run ended with ${again.hash}, not ${result.hash}`, at: 0 }] };
    }
    report.add(result);
    if (wish.verbose && !wish.json) tell(result);
    if (result.violations.length > 0 && !wish.json) complain(result, wish);
    if (wish.checkpoint !== undefined && (index + 1) % CHECKPOINT_EVERY === 0) writeCheckpoint(wish.checkpoint, wish.from + index + 1, report);
  }
  if (wish.checkpoint !== undefined) writeCheckpoint(wish.checkpoint, wish.from + wish.traces, report);
  const seconds = (performance.now() - startedAt) / 1_000;
  if (wish.json)
    print(
      JSON.stringify(
        { from: wish.from, traces: report.traces, violating: report.violating, seconds, ...{ classes: report.classes, failures: report.failures } },
        null,
        2,
      ),
    );
  else {
    for (const line of report.lines()) print(line);
    const ran = wish.traces - done;
    print(`\n${report.traces} traces, ${report.violating} in which something did not hold; ${ran} of them in ${seconds.toFixed(1)} s`);
  }
  return report.violating === 0 ? EXIT.ok : EXIT.failed;
}

function tell({ options, story, hash, settleMs, outcomes }: TraceResult): void {
  print(
    `seed ${options.seed}: ${options.profile}, ${options.nodes} nodes, ${options.steps} steps, latency ${options.latencyMs} ms, hints ${String(options.hints)}`,
  );
  for (const line of story) print(`  ${line}`);
  print(`  all was well ${settleMs / 1_000} s later; trace ${hash}`);
  print(`  ${JSON.stringify(outcomes)}\n`);
}

function complain({ options, violations }: TraceResult, wish: Wish): void {
  for (const { checker, text, at } of violations.slice(0, 5)) print(`seed ${options.seed}, ${(at / 1_000).toFixed(3)} s, ${checker}: ${text}`);
  print(`  ${commandFor(options, wish.nodes)}${wish.realCrypto ? ' --real-crypto' : ''}`);
}

function readCheckpoint(path: string): { readonly next: number; readonly report: ConstructorParameters<typeof Report>[0] } {
  return JSON.parse(readFileSync(path, 'utf8')) as { next: number; report: ConstructorParameters<typeof Report>[0] };
}

function writeCheckpoint(path: string, next: number, report: Report): void {
  writeFileSync(`${path}.new`, JSON.stringify({ next, report: { classes: report.classes, failures: report.failures } }));
  renameSync(`${path}.new`, path);
}

const words = process.argv.slice(2);
if (worldOf(words) === 'consensus') process.exitCode = runConsensusWorld(words);
else main(words);

/** Which world the words name; that of whole nodes where they name none. */
function worldOf(given: readonly string[]): string {
  const at = given.findIndex((word) => word === '--world' || word.startsWith('--world='));
  return at === -1 ? 'nodes' : (given[at]?.split('=')[1] ?? given[at + 1] ?? '');
}

function main(given: readonly string[]): void {
  const wish = readWish(given);
  if (wish === 'help') print(HELP);
  else if ('wrong' in wish) {
    say(`sim: ${wish.wrong}; npm run sim -- --help lists the options`);
    process.exitCode = EXIT.usage;
  } else if ('world' in wish) process.exitCode = runMembershipWorld(wish, print);
  else process.exitCode = wish.sum.length > 0 ? sumUp(wish) : run(wish);
}
