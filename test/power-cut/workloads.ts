/**
 * Lives of two machines, recorded: a founder and a device, both the real driver on TCP and disk, with accelerated clocks so
 * that minutes of checkpoints fit into a second. Each step that answers is a promise from then on.
 */
import { join } from 'node:path';
import { isFault } from '#core/errors/fault.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import type { MeshNodeOptions } from '#mesh/driver/mesh-node-options.ts';
import type { MeshNode } from '#mesh/driver/mesh-node.ts';
import { NodeState } from '#mesh/driver/node-state.ts';
import { parseNextKey } from '#mesh/hcth/next-key.ts';
import type { JoinOptions } from '#mesh/swarm/views.ts';
import { createTcpTransport } from '#mesh/transport/tcp.ts';
import type { Connection, Transport } from '#mesh/transport/transport.ts';
import { Recording } from '#test/power-cut/recording.ts';

/** The machine on which everything is recorded and replayed. */
export const BOARD: HardwareBinding = {
  kind: 'soft',
  digest: new Uint8Array(32).fill(7),
  secret: new Uint8Array(32).fill(9),
  facts: new Map([['serial', '1000000012345678']]),
};

const CLOCK_RATE = 40;
/** On a loaded machine accelerated handshakes may time out; a person would try again, too. */
const JOIN_ATTEMPTS = 8;
const MESH = 'attic';

/** Options under which a recorded or replayed node runs. */
export function nodeOptions(folder: string, more: Partial<MeshNodeOptions> = {}): MeshNodeOptions {
  return { stateDirectory: folder, binding: BOARD, name: 'board', port: 0, listenHosts: ['127.0.0.1'], ...more };
}

/** Record the two lives below `folder`; every node is stopped when this returns. */
export async function recordLives(folder: string): Promise<readonly Recording[]> {
  const founder = new Recording('founder', join(folder, 'founder'));
  const device = new Recording('device', join(folder, 'device'));
  const running: MeshNode[] = [];
  try {
    const ada = await start(founder, running);
    await ada.found({ name: MESH, admission: 'approve', trustProfile: 'lab' });
    founder.pledge({ kind: 'member', mesh: MESH });
    await invite(ada, founder);
    const bob = await start(device, running);
    await enter(bob, { mode: 'token', token: await invite(ada, founder), peers: [`127.0.0.1:${ada.port}`] });
    device.pledge({ kind: 'member', mesh: MESH });
    await until(() => bob.status().mesh?.commitIndex === ada.status().mesh?.commitIndex && linked(ada) && linked(bob));
    // Some minutes of checkpoints, then an orderly stop of one and a new start.
    await pause(210_000 / CLOCK_RATE);
    await bob.stop();
    const again = await start(device, running);
    await until(() => linked(ada) && linked(again));
    await invite(ada, founder);
    await pause(1_000);
    // It leaves and goes on as somebody else, who asks to be let in.
    const old = again.status().self.aid;
    device.pledge({ kind: 'leaving', aid: old });
    await again.leave();
    device.pledge({ kind: 'left', aid: old });
    device.pledge({ kind: 'identity', aid: again.status().self.aid });
    await until(() => ada.status().nodes.length === 1);
    await enter(again, { mode: 'request', mesh: null, expect: null, peers: [`127.0.0.1:${ada.port}`] });
    await ada.approve(again.status().self.fingerprint);
    pledgeCommitted(ada, founder);
    await until(() => again.status().mesh?.name === MESH && linked(again));
    device.pledge({ kind: 'member', mesh: MESH });
    await pause(600);
  } finally {
    for (const node of running) await node.stop();
  }
  return [founder, device];
}

/** Record a device that gives its next key away, is rotated with it, and is rotated once more with the key it has. */
export async function recordRotations(folder: string): Promise<Recording> {
  const founder = new Recording('its founder', join(folder, 'its-founder'));
  const device = new Recording('rotations', join(folder, 'rotations'));
  const running: MeshNode[] = [];
  try {
    const ada = await start(founder, running);
    await ada.found({ name: MESH, admission: 'approve', trustProfile: 'lab' });
    const bob = await start(device, running);
    await bob.join({ mode: 'token', token: await invite(ada, founder), peers: [`127.0.0.1:${ada.port}`] });
    device.pledge({ kind: 'member', mesh: MESH });
    await until(() => linked(ada) && linked(bob));
    const { nextKey } = await bob.exportNextKey();
    const read = parseNextKey(device.crypto, nextKey ?? '');
    if (read.kind !== 'key') throw new Error(read.why);
    await bob.letNextKeyGo(bob.identity().nextKey.digest, { how: 'escrowed', place: 'a laptop', at: 1 });
    device.pledge({ kind: 'key-away', rotation: 1 });
    for (const key of [read.key, null]) {
      await bob.rotate({ nextKey: key, recovery: false, document: null, dryRun: false });
      await until(() => linked(ada) && linked(bob) && ada.status().nodes.find((node) => !node.self)?.rotation === bob.identity().rotation);
    }
  } finally {
    for (const node of running) await node.stop();
  }
  return device;
}

async function start(recording: Recording, running: MeshNode[]): Promise<MeshNode> {
  const node: MeshNode = createMeshNode(
    nodeOptions(recording.folder, {
      name: recording.name,
      disk: recording.disk.calls,
      crypto: recording.crypto,
      clockRate: CLOCK_RATE,
      // What leaves the machine is promised too: whoever received it holds us to it.
      transport: noting(createTcpTransport(), () => {
        pledgeCommitted(node, recording);
        pledgeRotation(node, recording);
      }),
    }),
  );
  await node.start();
  running.push(node);
  recording.pledge({ kind: 'identity', aid: node.status().self.aid });
  return node;
}

async function enter(node: MeshNode, options: JoinOptions): Promise<void> {
  for (let attempt = 1; node.status().mesh === null; attempt += 1) {
    try {
      await node.join(options);
      return;
    } catch (error) {
      if (!isFault(error) || attempt === JOIN_ATTEMPTS) throw error;
    }
  }
}

async function invite(node: MeshNode, recording: Recording): Promise<string> {
  const { token } = await node.invite({ role: 'member', uses: JOIN_ATTEMPTS, expiresInMs: 36_000_000, label: null });
  pledgeCommitted(node, recording);
  return token;
}

function pledgeCommitted(node: MeshNode, recording: Recording): void {
  const index = node.status().mesh?.commitIndex ?? 0;
  const known = recording.pledges.findLast(({ pledge }) => pledge.kind === 'committed' || pledge.kind === 'leaving')?.pledge;
  if (index > 0 && (known?.kind !== 'committed' || known.index < index)) recording.pledge({ kind: 'committed', index });
}

function pledgeRotation(node: MeshNode, recording: Recording): void {
  const { rotation } = node.identity();
  const known = recording.pledges.findLast(({ pledge }) => pledge.kind === 'rotation')?.pledge;
  if (rotation > 0 && (known?.kind !== 'rotation' || known.number < rotation)) recording.pledge({ kind: 'rotation', number: rotation });
}

/** Record a node that writes more into its diary than the file holds, so that it is rotated. */
export async function recordDiary(folder: string): Promise<Recording> {
  const recording = new Recording('diary', join(folder, 'diary'));
  const running: MeshNode[] = [];
  const node = await start(recording, running);
  try {
    for (let page = 0; page < 12; page += 1) node.record({ code: 'NOTE', severity: 'info', text: `page ${page} `.padEnd(100_000, 'x') });
  } finally {
    await node.stop();
  }
  return recording;
}

/** Record the driver's records alone, with so many large ones that the peers' journal is rewritten; the newest of each peer is promised. */
export function recordCompaction(folder: string): Recording {
  const recording = new Recording('compaction', join(folder, 'compaction'));
  const state = new NodeState(recording.folder, recording.crypto, recording.disk.calls);
  for (let round = 1; round <= 10; round += 1) {
    for (const peer of ['ada', 'bob', 'eve']) {
      const record = new Uint8Array(160_000).fill(round);
      state.persist([{ kind: 'peer', key: peer, record, urgent: true }]);
      recording.pledge({ kind: 'record', key: peer, round });
    }
  }
  state.close();
  return recording;
}

function linked(node: MeshNode): boolean {
  return node.status().nodes.length > 1 && node.status().nodes.every((view) => view.liveness === 'up');
}

function noting(transport: Transport, sent: () => void): Transport {
  const noted = (connection: Connection): Connection =>
    new Proxy(connection, {
      get(target, name) {
        if (name === 'write') {
          return (bytes: Uint8Array) => {
            sent();
            return target.write(bytes);
          };
        }
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  return {
    listen: (address, accept) => transport.listen(address, (connection) => accept(noted(connection))),
    dial: (address, events) => transport.dial(address, { connected: (connection) => events.connected(noted(connection)), failed: events.failed }),
  };
}

/** Wait for something that happens elsewhere. */
export async function until(condition: () => boolean, limitMs = 20_000): Promise<void> {
  const from = performance.now();
  while (!condition()) {
    if (performance.now() - from > limitMs) throw new Error(`did not happen within ${limitMs} ms: ${condition.toString()}`);
    await pause(5);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
