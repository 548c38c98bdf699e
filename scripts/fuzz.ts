/**
 * `npm run fuzz`: looks for inputs that break a promise of a target, guided by which code they reach. `--target NAME[,NAME]`
 * (all of them), `--seconds N` in all (20), `--seed S` (printed), `--save` (put what was learnt into the corpus), `--list`.
 * Without `--save` nothing is written. Exit 1 when something was found, 64 for a wrong option.
 */
import { randomBytes } from 'node:crypto';
import { hex } from '#core/bytes/bytes.ts';
import { type CorpusEntry, readCorpus, writeCorpus } from '#scripts/fuzz/corpus.ts';
import type { FuzzReport } from '#scripts/fuzz/fuzzer.ts';
import { watchedFuzz } from '#scripts/fuzz/watch.ts';
import { isWrong, readFlags, unknownWord, type Wrong } from '#scripts/words.ts';
import { fuzzTargets } from '#test/fuzz/targets.ts';

const names = fuzzTargets.map(({ name }) => name);

async function main(): Promise<number> {
  const options = readOptions();
  if (isWrong(options)) {
    process.stderr.write(`fuzz: ${options.wrong}\n`);
    return 64;
  }
  if (options.list) {
    for (const { name, promise } of fuzzTargets) process.stdout.write(`${name.padEnd(20)} ${promise}\n`);
    return 0;
  }
  process.stdout.write(`seed ${options.seed}\n`);
  let found = 0;
  for (const name of options.targets) {
    const report = await watchedFuzz(name, options.seed, (options.seconds * 1_000) / options.targets.length);
    process.stdout.write(`${describe(report)}\n`);
    if (report.finding !== null) found += 1;
    if (options.save) save(report);
  }
  return found === 0 ? 0 : 1;
}

interface Options {
  readonly targets: readonly string[];
  readonly seconds: number;
  readonly seed: string;
  readonly save: boolean;
  readonly list: boolean;
}

const FLAGS = {
  target: { type: 'string' },
  seconds: { type: 'string', default: '20' },
  seed: { type: 'string' },
  save: { type: 'boolean', default: false },
  list: { type: 'boolean', default: false },
} as const;

function readOptions(): Options | Wrong {
  const values = readFlags(process.argv.slice(2), FLAGS);
  if (isWrong(values)) return { wrong: `${values.wrong} (targets are named with --target)` };
  const targets = values.target?.split(',') ?? names;
  const unknown = targets.find((target) => !names.includes(target));
  if (unknown !== undefined) return unknownWord('target', unknown, names);
  const seconds = Number(values.seconds);
  if (!(seconds > 0)) return { wrong: `--seconds ${values.seconds} is no number of seconds` };
  return { targets, seconds, seed: values.seed ?? randomBytes(4).toString('hex'), save: values.save, list: values.list };
}

function describe({ target, runs, accepted, reached, kept, finding }: FuzzReport): string {
  const share = runs === 0 ? 0 : (100 * accepted) / runs;
  const line = `${target.padEnd(20)} ${String(runs).padStart(8)} runs, ${share.toFixed(1).padStart(5)} % accepted, ${String(reached).padStart(6)} bytes of source reached, ${kept.length} inputs`;
  return finding === null ? line : `${line}\n  FOUND ${finding.what}\n  input ${hex(finding.input)}`;
}

/** What once broke something stays for ever; the rest is what this search found worth keeping. */
function save({ target, kept, finding }: FuzzReport): void {
  const stories = readCorpus(target).filter(({ story }) => story !== null);
  const fresh: CorpusEntry[] = finding === null ? [] : [{ input: finding.input, story: finding.what }];
  const isStory = (input: Uint8Array): boolean => [...stories, ...fresh].some((entry) => hex(entry.input) === hex(input));
  writeCorpus(target, [...stories, ...fresh, ...kept.filter((input) => !isStory(input)).map((input) => ({ input, story: null }))]);
}

process.exitCode = await main();
