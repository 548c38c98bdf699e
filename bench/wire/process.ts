/**
 * A child process of the wire benchmark: either the server or the client of one system. Talks to the runner over
 * Node's IPC channel only, so that nothing else shares its event loop.
 */
import { readFileSync } from 'node:fs';
import { assert } from '#core/errors/assert.ts';
import { type Payload, payloads } from './payload.ts';
import type { ClientHandle } from './system.ts';
import { systems } from './systems.ts';

/** What one measured phase gives; times in milliseconds, CPU in microseconds of user and system time. */
export interface Phase {
  readonly calls: number;
  readonly wallMs: number;
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface Measure {
  readonly bytes: number;
  readonly inFlight: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

const [, , role, name, address] = process.argv;
const made = new Map<number, readonly Payload[]>();
const system = systems.find((candidate) => candidate.name === name);
assert(system !== undefined && process.send !== undefined, 'the runner starts this process with a known system and an IPC channel');
const tell = (message: unknown): void => void process.send?.(message);

if (role === 'server') {
  const server = await system.serve();
  tell({ address: server.address });
  process.on('message', (message) => {
    if (message === 'cpu') tell({ cpuUs: cpuOf(server.address) });
    else void server.close().then(() => process.exit(0));
  });
} else {
  assert(address !== undefined, 'a client is told where its server is');
  const clients = new Map<number, ClientHandle>();
  process.on('message', (message) => {
    if (message === 'close') void Promise.all([...clients.values()].map((client) => client.close())).then(() => process.exit(0));
    else void measure(clients, message as Measure).then((phase) => tell(phase));
  });
  tell({ ready: true });
}

async function measure(clients: Map<number, ClientHandle>, wanted: Measure): Promise<Phase> {
  assert(system !== undefined && address !== undefined, 'checked at start');
  let client = clients.get(wanted.inFlight);
  if (client === undefined) {
    client = await system.connect(JSON.parse(address), wanted.inFlight);
    clients.set(wanted.inFlight, client);
  }
  // Made before the clocks start, and collected: what the harness itself costs is nobody's message.
  const objects = made.get(wanted.bytes) ?? payloads(wanted.bytes);
  made.set(wanted.bytes, objects);
  if (wanted.warmUpMs > 0) await drive(client, objects, wanted.inFlight, wanted.warmUpMs);
  return drive(client, objects, wanted.inFlight, wanted.measureMs);
}

/** Closed loop: `inFlight` callers, each starting its next call when the last one is answered. */
async function drive(client: ClientHandle, objects: readonly Payload[], inFlight: number, forMs: number): Promise<Phase> {
  const latencies: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  let next = 0;
  const caller = async (): Promise<void> => {
    for (;;) {
      const before = performance.now();
      if (before - start >= forMs) return;
      const sent = objects[next % objects.length];
      next += 1;
      assert(sent !== undefined, 'there are payloads');
      const got = await client.call(sent);
      if (got.id !== sent.id || got.text.length !== sent.text.length || got.readings.length !== sent.readings.length)
        throw new Error(`${system?.name ?? ''} answered with another object`);
      latencies.push(performance.now() - before);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const wallMs = performance.now() - start;
  const used = process.cpuUsage(cpu);
  latencies.sort((a, b) => a - b);
  const quantile = (share: number): number => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? Number.NaN;
  return { calls: latencies.length, wallMs, cpuUs: used.user + used.system, p50Ms: quantile(0.5), p99Ms: quantile(0.99) };
}

/** CPU of this process and of the broker it started, if any. */
function cpuOf(serverAddress: unknown): number {
  const own = process.cpuUsage();
  const { brokerPid } = serverAddress as { brokerPid?: number };
  return own.user + own.system + (brokerPid === undefined ? 0 : brokerCpuUs(brokerPid));
}

/** utime + stime of /proc/PID/stat, in ticks of 10 ms (proc(5)). */
function brokerCpuUs(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'latin1')
      .split(') ')[1]
      ?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}
