/**
 * `npm test`: everything that is checked before a change is taken. Static checks, unit tests, half a minute of fuzzing, the build, tests of the built
 * executables, and the use cases on the virtual LAN; then what failed, in short, and one line with the sum. `--only check,unit,fuzz,build,bin,lan` runs some of them (the virtual LAN needs root, the rest does not).
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { runChecks } from '#scripts/quality/checks.ts';
import { type Tally, failuresOfReport, sumOf, tallyLine, tallyOfReport } from '#scripts/quality/tally.ts';

const root = resolve(import.meta.dirname, '..');
const stageNames = ['check', 'unit', 'fuzz', 'build', 'bin', 'lan'] as const;
/** New inputs for every target, from a seed of the commit's own: another commit tries others, a repeated run the same ones. What they find is printed with its bytes. */
const FUZZ_SECONDS = 25;
type StageName = (typeof stageNames)[number];

/** What a stage came to, and what in it failed. */
interface StageResult {
  readonly tally: Tally;
  readonly failures: readonly string[];
}

const one = (name: string, ok: boolean): StageResult => ({ tally: { passed: ok ? 1 : 0, failed: ok ? 0 : 1, skipped: 0 }, failures: ok ? [] : [name] });

const stages: Readonly<Record<StageName, () => Promise<StageResult>>> = {
  check: async () => {
    const results = (await runChecks(root, (text) => process.stdout.write(text))).map(({ check, ok }) => one(`check: ${check.name}`, ok));
    return { tally: sumOf(results.map(({ tally }) => tally)), failures: results.flatMap(({ failures }) => failures) };
  },
  unit: async () => await vitest('unit'),
  fuzz: async () => one('fuzz', (await run([join(root, 'scripts', 'fuzz.ts'), '--seconds', String(FUZZ_SECONDS), '--seed', commitSeed()])) === 0),
  build: async () => one('build', (await run([join(root, 'scripts', 'build.ts')])) === 0),
  bin: async () => await vitest('bin'),
  lan: async () => await vitest('lan*', [join(root, 'scripts', 'lab-shell.ts'), '--', process.execPath]),
};

/** The first digits of the commit; where there is no repository, one fixed seed. */
function commitSeed(): string {
  const { status, stdout } = spawnSync('git', ['rev-parse', '--short=8', 'HEAD'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : '00000000';
}

async function vitest(project: StageName | 'lan*', launcher: readonly string[] = []): Promise<StageResult> {
  const folder = await mkdtemp(join(tmpdir(), 'robonet-test-'));
  const report = join(folder, 'report.json');
  try {
    const runner = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const words = ['run', '--project', project, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
    const code = await run([...launcher, runner, ...words]);
    const document = await readReport(report);
    return { tally: tallyOfReport(document, code), failures: failuresOfReport(document) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readReport(path: string): Promise<unknown> {
  try {
    const report: unknown = JSON.parse(await readFile(path, 'utf8'));
    return report;
  } catch (error) {
    process.stdout.write(`  no report: ${error instanceof Error ? error.message : String(error)}\n`);
    return undefined;
  }
}

async function run(words: readonly string[]): Promise<number> {
  return await new Promise((settle, reject) => {
    const child = spawn(process.execPath, words, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (signal !== null) process.stdout.write(`  ended by ${signal}\n`);
      settle(code ?? 1);
    });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' } } });
  const asked = values.only?.split(',') ?? stageNames;
  const selected = stageNames.filter((name) => asked.includes(name));
  const unknown = asked.filter((name) => !stageNames.some((stage) => stage === name));
  if (unknown.length > 0) {
    process.stderr.write(`test: there is no stage ${unknown.join(', ')}; the stages are ${stageNames.join(', ')}\n`);
    return 64;
  }
  const tallies: Tally[] = [];
  const times: string[] = [];
  const failures: string[] = [];
  let isBuilt = true;
  for (const name of selected) {
    process.stdout.write(`\n== ${name}\n`);
    if (!isBuilt && (name === 'bin' || name === 'lan')) {
      process.stdout.write('  not run: there is nothing to run it on, as the build failed\n');
      continue;
    }
    const startedAt = performance.now();
    const { tally, failures: found } = await stages[name]();
    failures.push(...found);
    if (name === 'build') isBuilt = tally.failed === 0;
    tallies.push(tally);
    times.push(`${name} ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
    process.stdout.write(`== ${name}: ${tallyLine(tally)} in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  }
  const sum = sumOf(tallies);
  if (failures.length > 0) process.stdout.write(`\nFailed:\n\n${failures.map((failure) => failure.replaceAll(`${root}/`, '')).join('\n\n')}\n`);
  process.stdout.write(`\n${times.join(' · ')}\n\n${tallyLine(sum)}\n`);
  return sum.failed === 0 ? 0 : 1;
}

process.exitCode = await main();
