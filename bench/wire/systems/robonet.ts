/**
 * Two members of a mesh over one real link: Noise, batched frames, link chain, checkpoints, strict scanning. The body is a
 * known shape encoded by position. Rights are raised to T3 for the run (a newcomer is held to two frames a second), and
 * the inbound rates are lifted; nothing else differs from a node in the field.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '#core/errors/assert.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { LEVEL_RATES } from '#mesh/session/limits.ts';
import { ENGINE_FLAGS } from '#scripts/executable/engine-flags.ts';
import type { WireSystem } from '../system.ts';
import { EchoCodec } from './echo-codec.ts';

const VERB = 'bench.echo';
const TIMEOUT_MS = 30_000;
const unbound: HardwareBinding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() };
const rates = LEVEL_RATES.map(() => ({ framesPerSecond: 1e9, bytesPerSecond: 1e12 }));

export const robonet: WireSystem = {
  name: 'roboNet',
  security: 'authenticated, encrypted, hash-chained',
  engineFlags: ENGINE_FLAGS,
  async serve() {
    const { node, remove } = await startNode('server');
    await node.found({ name: 'bench', admission: 'token', trustProfile: 'lab' });
    const codec = new EchoCodec();
    node.handle(VERB, (body) => codec.encode(codec.decode(body)));
    const { token } = await node.invite({ role: 'member', uses: 4, expiresInMs: 600_000, label: null });
    return {
      address: { token, port: node.port },
      async close() {
        await node.stop();
        remove();
      },
    };
  },
  async connect(address) {
    const { token, port } = address as { token: string; port: number };
    const { node, remove } = await startNode('client');
    await node.join({ mode: 'token', token, peers: [`127.0.0.1:${String(port)}`] });
    const codec = new EchoCodec();
    const server = node.status().nodes.find((candidate) => !candidate.self);
    assert(server !== undefined, 'the founder is a member');
    return {
      call: async (payload) => codec.decode(await node.request(server.aid, VERB, codec.encode(payload), TIMEOUT_MS)),
      async close() {
        await node.stop();
        remove();
      },
    };
  },
};

async function startNode(name: string): Promise<{ node: MeshNode; remove: () => void }> {
  const stateDirectory = mkdtempSync(join(tmpdir(), 'robonet-bench-'));
  const node = createMeshNode({ stateDirectory, binding: unbound, name, port: 0, listenHosts: ['127.0.0.1'], rates, levelFloor: 3 });
  await node.start();
  return { node, remove: () => rmSync(stateDirectory, { recursive: true, force: true }) };
}
