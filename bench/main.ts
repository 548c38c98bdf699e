/**
 * `npm run bench`: everything measured beside its peers in one run. Prints tables, writes dist/bench.json.
 *
 *   npm run bench                       all suites
 *   npm run bench -- wire --rounds 7    one suite
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { runColonize } from './colonize/run.ts';
import { runFootprint } from './footprint/run.ts';
import { runStorage } from './storage/run.ts';
import { colonizeTable, footprintTable, storageTable, wireTable } from './tables.ts';
import { runWire } from './wire/run.ts';

const SUITES = ['wire', 'colonize', 'footprint', 'storage'] as const;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    hosts: { type: 'string', default: '1,5,10' },
    'idle-seconds': { type: 'string', default: '60' },
  },
});
const unknown = positionals.filter((name) => !SUITES.some((suite) => suite === name));
if (unknown.length > 0) {
  process.stderr.write(`bench: unknown suite ${unknown.join(', ')}; there are ${SUITES.join(', ')}\n`);
  process.exit(64);
}
const wanted = positionals.length === 0 ? SUITES : SUITES.filter((suite) => positionals.includes(suite));
const say = (line: string): void => void process.stderr.write(`${line}\n`);
const print = (text: string): void => void process.stdout.write(`${text}\n`);
const results: Record<string, unknown> = {
  at: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, memoryGb: Math.round(totalmem() / 1e9), node: process.version },
};

for (const suite of wanted) {
  if (suite === 'wire') {
    const rows = await runWire({ rounds: Number(values.rounds), warmUpMs: 500, measureMs: 1_000, say });
    results[suite] = rows;
    print(wireTable(rows));
  } else if (suite === 'colonize') {
    const rows = await runColonize({ hostCounts: values.hosts.split(',').map(Number), say });
    results[suite] = rows;
    print(colonizeTable(rows));
  } else if (suite === 'storage') {
    const rows = runStorage({ peers: [1, 5, 20], say });
    results[suite] = rows;
    print(storageTable(rows));
  } else {
    const rows = await runFootprint({
      robonet: 'dist/robonet-linux-x64',
      arm64: 'dist/robonet-linux-arm64',
      node: process.execPath,
      starts: 15,
      idleSeconds: Number(values['idle-seconds']),
      say,
    });
    results[suite] = rows;
    print(footprintTable(rows));
  }
}

mkdirSync('dist', { recursive: true });
writeFileSync('dist/bench.json', `${JSON.stringify(results, null, 2)}\n`);
say('written: dist/bench.json');
