/**
 * Sizes, start time and idle cost against the goals, written to dist/measurements.json. A wall time by itself says as much of the machine as of us, so
 * each start is measured beside one of bare Node with an empty program; the best of several runs of each are compared, the medians are reported.
 */
import { copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { agent, dist, run, startAgent } from '#test/bin/executables.ts';

const goals = { executableBytesMax: 110e6, startFactorMax: 5, commandFactorMax: 4, residentKibMax: 70 * 1024, unsharedKibMax: 30 * 1024, idleCpuPercentMax: 1 };
/** The goal is 200 ms to the first log line where bare Node starts in 34 ms: 5.9 times. These factors are below it. */
const startRuns = 9;
/** Ten seconds after its start the agent gives back what only the start needed (agent/runtime/heap-care.ts); idle is what comes after. */
const settleMs = 14_000;
const idleMs = 5000;

const measured: Record<string, unknown> = {};
afterAll(async () => {
  await writeFile(join(dist, 'measurements.json'), `${JSON.stringify({ goals, ...measured }, undefined, 2)}\n`);
});

describe('footprint', () => {
  test('each agent is at most 110 MB', async () => {
    const names = [
      'robonet-linux-x64',
      'robonet-linux-arm64',
      'robonet-linux-x64.gz',
      'robonet-linux-arm64.gz',
      'provision-linux-x64',
      'provision-linux-arm64',
    ];
    const bytes = Object.fromEntries(await Promise.all(names.map(async (name): Promise<[string, number]> => [name, (await stat(join(dist, name))).size])));
    measured['bytes'] = bytes;
    expect(bytes['robonet-linux-x64']).toBeLessThanOrEqual(goals.executableBytesMax);
    expect(bytes['robonet-linux-arm64']).toBeLessThanOrEqual(goals.executableBytesMax);
  });

  test('the agent writes its first log line within five starts of bare Node', async () => {
    const [times, bare]: [number[], number[]] = [[], []];
    for (let index = 0; index < startRuns; index++) {
      bare.push(await bareStartMs());
      const running = await startAgent([agent]);
      times.push(running.firstLineMs);
      await running.stop();
    }
    measured['firstLogLineMs'] = summary(times, bare);
    expect(Math.min(...times) / Math.min(...bare)).toBeLessThanOrEqual(goals.startFactorMax);
  });

  test('a one-shot command takes no more than four starts of bare Node', async () => {
    const [times, bare]: [number[], number[]] = [[], []];
    for (let index = 0; index < startRuns; index++) {
      bare.push(await bareStartMs());
      const startedAt = performance.now();
      expect((await run([agent, 'version'])).code).toBe(0);
      times.push(performance.now() - startedAt);
    }
    measured['versionMs'] = summary(times, bare);
    expect(Math.min(...times) / Math.min(...bare)).toBeLessThanOrEqual(goals.commandFactorMax);
  });

  test('an idle agent stays within its memory and processor goals', async () => {
    // A file that was just written lies in the page cache in large pieces, of which whole pieces count as resident; on a device it is read from disk.
    const folder = await mkdtemp(join(tmpdir(), 'robonet-footprint-'));
    const copy = join(folder, 'robonet');
    await copyFile(agent, copy);
    expect((await run(['dd', `of=${copy}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'])).code).toBe(0);
    const running = await startAgent([copy]);
    try {
      const pid = running.child.pid ?? 0;
      await pause(settleMs);
      const cpuBefore = await cpuMs(pid);
      await pause(idleMs);
      const idleCpuPercent = ((await cpuMs(pid)) - cpuBefore) / (idleMs / 100);
      const memory = await memoryKib(pid);
      measured['idle'] = { ...memory, idleCpuPercent };
      expect(memory.residentKib).toBeLessThanOrEqual(goals.residentKibMax);
      expect(memory.unsharedKib).toBeLessThanOrEqual(goals.unsharedKibMax);
      expect(idleCpuPercent).toBeLessThanOrEqual(goals.idleCpuPercentMax);
    } finally {
      await running.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

/** The start, to its end, of the same Node with nothing to do. */
async function bareStartMs(): Promise<number> {
  const startedAt = performance.now();
  expect((await run([process.execPath, '--eval', '0'])).code).toBe(0);
  return performance.now() - startedAt;
}

function summary(times: readonly number[], bare: readonly number[]): unknown {
  const median = (values: readonly number[]): number | undefined => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
  return { best: Math.min(...times), median: median(times), bareBest: Math.min(...bare), bareMedian: median(bare), runs: times.length };
}

// Idleness is a span of time: here time itself is what is measured.
async function pause(ms: number): Promise<void> {
  await new Promise((settle) => setTimeout(settle, ms));
}

async function cpuMs(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function memoryKib(pid: number): Promise<{ residentKib: number; unsharedKib: number }> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
  // Pages of the executable that nobody else happens to map are not counted: they can be dropped and read again at any time.
  return { residentKib: value('Rss'), unsharedKib: value('Anonymous') };
}
