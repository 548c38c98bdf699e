/** What one turn of the event loop says to a peer is one frame, however its calls are answered. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { createMemoryNetwork } from '#mesh/transport/memory.ts';
import type { Connection, Transport } from '#mesh/transport/transport.ts';
import { createMeshNode } from './create-mesh-node.ts';
import type { MeshNode } from './mesh-node.ts';

const unbound: HardwareBinding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() };
const folders: string[] = [];
const nodes: MeshNode[] = [];

/** The same transport, whose writes are counted. */
function counted(transport: Transport, onWrite: () => void): Transport {
  const count = (connection: Connection): Connection =>
    new Proxy(connection, {
      get(target, name) {
        if (name === 'write') onWrite();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return {
    listen: (address, accept) => transport.listen(address, (connection) => accept(count(connection))),
    dial: (address, events) => transport.dial(address, { ...events, connected: (connection) => events.connected(count(connection)) }),
  };
}

/** Two linked nodes; the writes of each, counted when all that belongs to the linking is said. */
async function pair(): Promise<{ founder: MeshNode; device: MeshNode; aid: string; writes: { founder: number; device: number } }> {
  const network = createMemoryNetwork();
  const writes = { founder: 0, device: 0 };
  const start = async (name: 'founder' | 'device'): Promise<MeshNode> => {
    const stateDirectory = mkdtempSync(join(tmpdir(), 'robonet-turns-'));
    folders.push(stateDirectory);
    const transport = counted(network.machine(name), () => {
      writes[name] += 1;
    });
    const node = createMeshNode({ stateDirectory, binding: unbound, name, port: 0, listenHosts: [name], transport, levelFloor: 2 });
    nodes.push(node);
    await node.start();
    return node;
  };
  const founder = await start('founder');
  await founder.found({ name: 'attic', admission: 'token', trustProfile: 'lab' });
  const { token } = await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
  const device = await start('device');
  await device.join({ mode: 'token', token, peers: [`founder:${founder.port}`] });
  const aid = founder.status().self.aid;
  const until = performance.now() + 5_000;
  let before = -1;
  while (before !== writes.founder + writes.device || device.status().nodes.some((node) => node.liveness !== 'up')) {
    if (performance.now() > until) throw new Error('the link did not become quiet within 5 s');
    before = writes.founder + writes.device;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  writes.founder = 0;
  writes.device = 0;
  return { founder, device, aid, writes };
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const BODY = Uint8Array.of(1, 2, 3);

describe('the calls of one turn', () => {
  it('go out as one frame and are answered by one, when all are answered at once', async () => {
    const { founder, device, aid, writes } = await pair();
    founder.handle('echo', (body) => body);
    await Promise.all(Array.from({ length: 5 }, () => device.request(aid, 'echo', BODY, 2_000)));
    expect(writes).toEqual({ device: 1, founder: 1 });
  });

  it('are answered by one frame, when some answers wait for promises of this turn', async () => {
    const { founder, device, aid, writes } = await pair();
    founder.handle('echo', (body) => body);
    founder.handle('later', async (body) => {
      await Promise.resolve();
      return body;
    });
    const answers = await Promise.all([
      ...Array.from({ length: 3 }, () => device.request(aid, 'echo', BODY, 2_000)),
      device.request(aid, 'later', BODY, 2_000),
    ]);
    expect(answers.map((answer) => [...answer])).toEqual(answers.map(() => [...BODY]));
    expect(writes).toEqual({ device: 1, founder: 1 });
  });

  it('are answered when no handler is there, or one throws, or one calls back meanwhile', async () => {
    const { founder, device, aid, writes } = await pair();
    const back = device.status().self.aid;
    device.handle('echo', (body) => body);
    const returned: Promise<Uint8Array>[] = [];
    founder.handle('throws', () => {
      throw new Error('not today');
    });
    founder.handle('calls', (body) => {
      returned.push(founder.request(back, 'echo', body, 2_000));
      return body;
    });
    const [nothing, throws, calls] = await Promise.allSettled([
      device.request(aid, 'nothing', BODY, 2_000),
      device.request(aid, 'throws', BODY, 2_000),
      device.request(aid, 'calls', BODY, 2_000),
    ]);
    expect([nothing.status, throws.status, calls.status]).toEqual(['rejected', 'rejected', 'fulfilled']);
    expect(await Promise.all(returned)).toEqual([BODY]);
    // The three answers and the call back are one frame; its answer is the device's second.
    expect(writes).toEqual({ device: 2, founder: 1 });
  });
});
