/**
 * Wire benchmark: requests per second, CPU per request and latency of a request with its answer between two processes,
 * every system in the same run, interleaved round by round; medians and ratios (docs: performance goals in BENCHMARKS.md).
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { median } from '../statistics.ts';
import type { Measure, Phase } from './process.ts';
import type { WireSystem } from './system.ts';
import { systems } from './systems.ts';

export interface WireRow {
  readonly system: string;
  readonly bytes: number;
  readonly inFlight: number;
  readonly perSecond: number;
  readonly cpuUsPerCall: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rounds: number;
}

export interface WireOptions {
  readonly rounds: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  readonly say: (line: string) => void;
}

/** Payload sizes of the issue at 64 in flight, and 256 B alone in flight. */
const CASES: readonly Pick<Measure, 'bytes' | 'inFlight'>[] = [
  { bytes: 64, inFlight: 64 },
  { bytes: 256, inFlight: 64 },
  { bytes: 1_024, inFlight: 64 },
  { bytes: 16_384, inFlight: 64 },
  { bytes: 256, inFlight: 1 },
];

/** Run all systems over all cases; one row per system and case. */
export async function runWire(options: WireOptions): Promise<readonly WireRow[]> {
  const samples = new Map<string, (Phase & { totalCpuUs: number })[]>();
  for (let round = 0; round < options.rounds; round += 1) {
    for (const system of systems) {
      const server = start('server', system, '');
      const { address } = await answer<{ address: unknown }>(server);
      const client = start('client', system, JSON.stringify(address));
      await answer(client);
      for (const wanted of CASES) {
        const cpuBefore = await serverCpu(server);
        client.send({ ...wanted, warmUpMs: 0, measureMs: options.warmUpMs } satisfies Measure);
        await answer<Phase>(client);
        const cpuStart = await serverCpu(server);
        client.send({ ...wanted, warmUpMs: 0, measureMs: options.measureMs } satisfies Measure);
        const phase = await answer<Phase>(client);
        const serverUs = (await serverCpu(server)) - cpuStart;
        if (serverUs <= 0 || cpuStart < cpuBefore) throw new Error(`${system.name}: the server's CPU clock did not move`);
        const key = JSON.stringify([system.name, wanted.bytes, wanted.inFlight]);
        samples.set(key, [...(samples.get(key) ?? []), { ...phase, totalCpuUs: phase.cpuUs + serverUs }]);
      }
      options.say(`round ${String(round + 1)}/${String(options.rounds)}: ${system.name}`);
      await stop(client);
      await stop(server);
    }
  }
  return [...samples].map(([key, phases]) => {
    const [system, bytes, inFlight] = JSON.parse(key) as [string, number, number];
    return {
      system,
      bytes,
      inFlight,
      perSecond: median(phases.map((phase) => (phase.calls / phase.wallMs) * 1_000)),
      cpuUsPerCall: median(phases.map((phase) => phase.totalCpuUs / phase.calls)),
      p50Ms: median(phases.map((phase) => phase.p50Ms)),
      p99Ms: median(phases.map((phase) => phase.p99Ms)),
      rounds: phases.length,
    };
  });
}

function start(role: string, { name, engineFlags = [] }: WireSystem, address: string): ChildProcess {
  const execArgv = [...process.execArgv, ...engineFlags];
  return fork(new URL('process.ts', import.meta.url), [role, name, address], { execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const listening = new AbortController();
  try {
    const exited = once(child, 'exit', { signal: listening.signal }).then(([code]) => {
      throw new Error(`a benchmark process ended early with code ${String(code)}`);
    });
    const answered = once(child, 'message', { signal: listening.signal }) as Promise<[T]>;
    const [message] = await Promise.race([answered, exited]);
    return message;
  } finally {
    listening.abort();
  }
}

async function serverCpu(server: ChildProcess): Promise<number> {
  server.send('cpu');
  return (await answer<{ cpuUs: number }>(server)).cpuUs;
}

async function stop(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.send('close');
  const timer = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await exited;
  clearTimeout(timer);
}
