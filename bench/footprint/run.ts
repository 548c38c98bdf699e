/**
 * Footprint benchmark: size of the executables, time to start, memory and CPU of an idle agent, beside bare Node of the
 * same version. The agents run in a network namespace of their own, so that nothing of it reaches a real LAN.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, constants } from 'node:zlib';
import { median } from '../statistics.ts';

export interface FootprintOptions {
  readonly robonet: string;
  readonly arm64: string;
  readonly node: string;
  readonly starts: number;
  /** How long an agent is watched for its idle CPU, seconds. */
  readonly idleSeconds: number;
  readonly say: (line: string) => void;
}

export interface FootprintRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** The same figure of bare Node, where there is one. */
  readonly bareNode: number | null;
}

export async function runFootprint(options: FootprintOptions): Promise<readonly FootprintRow[]> {
  const rows: FootprintRow[] = [];
  const add = (what: string, value: number, unit: string, bareNode: number | null = null): void => void rows.push({ what, value, unit, bareNode });

  for (const [name, file] of [
    ['executable, linux-x64', options.robonet],
    ['executable, linux-arm64', options.arm64],
  ] as const) {
    const bytes = readFileSync(file);
    add(name, bytes.length / 1e6, 'MB', statSync(options.node).size / 1e6);
    add(`${name}, gzip as pushed`, statSync(`${file}.gz`).size / 1e6, 'MB');
    options.say(`compressing ${name} with zstd -19 (a minute)`);
    add(`${name}, zstd -19`, zstdCompressSync(bytes, { params: { [constants.ZSTD_c_compressionLevel]: 19 } }).length / 1e6, 'MB');
  }

  const startMs = { robonet: [] as number[], bare: [] as number[] };
  for (let run = 0; run < options.starts; run += 1) {
    startMs.robonet.push(timed(options.robonet, ['version']));
    startMs.bare.push(timed(options.node, ['-e', '0']));
  }
  add('start and end of `robonet version`', median(startMs.robonet), 'ms', median(startMs.bare));

  // As after a boot: how much of a file the kernel maps at a fault depends on how the file came into its cache, and a file
  // that was written or read whole a moment ago counts up to 40 MB more than one that was only ever run.
  for (const file of [options.robonet, options.node]) execFileSync('dd', [`if=${file}`, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
  options.say(`watching an idle agent for ${String(options.idleSeconds)} s`);
  const idle = await watchIdle(options);
  add('idle agent, resident', idle.agent.residentMb, 'MB', idle.bare.residentMb);
  add('idle agent, unshared (anonymous)', idle.agent.anonymousMb, 'MB', idle.bare.anonymousMb);
  add('idle agent, CPU of one core', idle.cpuPercent, '%');
  return rows;
}

function timed(file: string, args: readonly string[]): number {
  const before = performance.now();
  const { status } = spawnSync(file, args, { stdio: 'ignore' });
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} exited with ${String(status)}`);
  return performance.now() - before;
}

interface Memory {
  readonly residentMb: number;
  readonly anonymousMb: number;
}

async function watchIdle(options: FootprintOptions): Promise<{ agent: Memory; bare: Memory; cpuPercent: number }> {
  const home = mkdtempSync(join(tmpdir(), 'robonet-bench-'));
  const socket = join(home, 'run', 'agent.sock');
  // `unshare -n` gives the agent a network of its own: loopback only, nothing leaves the machine.
  const agent = spawn(
    'unshare',
    ['-n', 'sh', '-c', 'ip link set lo up; exec "$@"', 'sh', options.robonet, 'agent', '--state-dir', join(home, 'state'), '--run-dir', join(home, 'run')],
    {
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const bare = spawn(options.node, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  try {
    await untilAnswers(options.robonet, socket);
    execFileSync(options.robonet, ['--socket', socket, 'init', 'bench', '--no-start'], { stdio: 'ignore' });
    await pause(5_000);
    const before = cpuTicks(agent.pid ?? 0);
    await pause(options.idleSeconds * 1_000);
    const ticks = cpuTicks(agent.pid ?? 0) - before;
    return { agent: memory(agent.pid ?? 0), bare: memory(bare.pid ?? 0), cpuPercent: (ticks * 10) / (options.idleSeconds * 10) };
  } finally {
    agent.kill('SIGTERM');
    bare.kill('SIGKILL');
    await pause(1_000);
    agent.kill('SIGKILL');
    rmSync(home, { recursive: true, force: true });
  }
}

async function untilAnswers(robonet: string, socket: string): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if (spawnSync(robonet, ['--socket', socket, 'identity', 'show', '--json'], { stdio: 'ignore' }).status === 0) return;
    await pause(100);
  }
  throw new Error('the agent did not answer on its socket within 10 s');
}

function memory(pid: number): Memory {
  const status = readFileSync(`/proc/${String(pid)}/status`, 'latin1');
  const kilobytes = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN);
  return { residentMb: kilobytes('VmRSS') / 1e3, anonymousMb: kilobytes('RssAnon') / 1e3 };
}

/** utime + stime in ticks of 10 ms (proc(5)). */
function cpuTicks(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return Number(fields[11]) + Number(fields[12]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
