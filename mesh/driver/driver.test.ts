import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { isFault } from '#core/errors/fault.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { createMeshNode } from './create-mesh-node.ts';
import type { MeshNodeOptions } from './mesh-node-options.ts';
import type { MeshNode } from './mesh-node.ts';

const soft = (serial: string): HardwareBinding => ({
  kind: 'soft',
  digest: new Uint8Array(32).fill(serial.length),
  secret: new Uint8Array(32).fill(serial.length),
  facts: new Map([['serial', serial]]),
});
const folders: string[] = [];
const nodes: MeshNode[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'robonet-driver-'));
  folders.push(path);
  return path;
}

async function start(name: string, options: Partial<MeshNodeOptions> = {}): Promise<MeshNode> {
  const node = createMeshNode({ stateDirectory: folder(), binding: soft('1'), name, port: 0, listenHosts: ['127.0.0.1'], ...options });
  await node.start();
  nodes.push(node);
  return node;
}

async function until(condition: () => boolean, limitMs: number): Promise<number> {
  const from = performance.now();
  while (!condition()) {
    if (performance.now() - from > limitMs) throw new Error(`not within ${limitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - from;
}

async function pair(options: Partial<MeshNodeOptions> = {}): Promise<{ founder: MeshNode; device: MeshNode; deviceFolder: string }> {
  const founder = await start('founder', options);
  await founder.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
  const { token } = await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
  const deviceFolder = folder();
  const device = await start('device', { ...options, stateDirectory: deviceFolder });
  await device.join({ mode: 'token', token, peers: [`127.0.0.1:${founder.port}`] });
  await until(() => device.status().nodes.every((node) => node.liveness === 'up') && founder.status().nodes.length === 2, 5_000);
  return { founder, device, deviceFolder };
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

describe('a node on TCP and disk', () => {
  it('two nodes join by token, replicate the ledger and call each other', async () => {
    const { founder, device } = await pair({ levelFloor: 2 });
    await until(() => device.status().mesh?.commitIndex === founder.status().mesh?.commitIndex, 3_000);
    device.handle('echo', (body) => body);
    const answer = await founder.request(device.status().self.aid, 'echo', Uint8Array.of(1, 2, 3), 2_000);
    expect([...answer]).toEqual([1, 2, 3]);
    await until(() => founder.status().nodes.some((node) => node.name === 'device'), 3_000);
    expect((await founder.ping('device')).rttMs).toBeLessThan(1_000);
    await expect(founder.request('device', 'nothing', new Uint8Array(0), 2_000)).rejects.toMatchObject({ code: 'RN-MESH-022' });
  });

  it('a restart keeps the identity, increases the incarnation and rejoins by itself', async () => {
    const { founder, device, deviceFolder } = await pair();
    const before = device.status().self;
    await device.stop();
    await until(() => founder.status().nodes.find((node) => !node.self)?.liveness === 'down', 3_000);
    const again = await start('device', { stateDirectory: deviceFolder });
    expect(again.status().self.aid).toBe(before.aid);
    expect(again.status().self.incarnation).toBeGreaterThan(before.incarnation ?? 0);
    await until(() => founder.status().nodes.find((node) => !node.self)?.liveness === 'up', 5_000);
    expect(founder.recentEvents(50).find((event) => event.code === 'RESUMED')?.data['case']).toBe('R1');
  });

  it('a second agent on the same state folder is refused and changes nothing', async () => {
    const path = folder();
    await start('one', { stateDirectory: path });
    const other = createMeshNode({ stateDirectory: path, binding: soft('1'), name: 'two', port: 0, listenHosts: ['127.0.0.1'] });
    await expect(other.start()).rejects.toMatchObject({ code: 'RN-MESH-029' });
  });

  it('an identity from other hardware is not used; the machine says which fact differs and goes on with a new one', async () => {
    const path = folder();
    const first = await start('one', { stateDirectory: path });
    const old = first.status().self.aid;
    await first.stop();
    const second = await start('one', { stateDirectory: path, binding: soft('22') });
    expect(second.status().self.aid).not.toBe(old);
    const event = second.recentEvents(20).find((found) => found.code === 'HW_MISMATCH');
    expect(event?.data).toMatchObject({ oldAid: old, changed: 'serial' });
  });

  it('stop resolves when the port is free: lives in a row, with no turn of the event loop between them, leave nothing open', async () => {
    const stateDirectory = folder();
    const open = (): number => process.getActiveResourcesInfo().filter((resource) => resource === 'TCPServerWrap').length;
    const before = open();
    const lives = [await start('box', { stateDirectory })];
    const port = lives[0]!.port;
    for (let life = 0; life < 5; life += 1) {
      await lives.at(-1)!.stop();
      // The one that was closed last is buried at the end of this turn.
      expect(open()).toBeLessThanOrEqual(before + 1);
      lives.push(await start('box', { stateDirectory, port }));
    }
  });

  it('a port in use is a fault that names it', async () => {
    const one = await start('one');
    const other = createMeshNode({ stateDirectory: folder(), binding: soft('1'), name: 'two', port: one.port, listenHosts: ['127.0.0.1'] });
    const failure = await other.start().then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(isFault(failure, 'RN-MESH-003')).toBe(true);
  });

  it('a state folder that is a file refuses to start', async () => {
    const path = join(folder(), 'file');
    writeFileSync(path, 'x');
    const node = createMeshNode({ stateDirectory: path, binding: soft('1'), name: 'one', port: 0, listenHosts: ['127.0.0.1'] });
    await expect(node.start()).rejects.toMatchObject({ code: 'RN-MESH-101' });
  });

  it('events are kept as JSON lines over a restart', async () => {
    const path = folder();
    const node = await start('one', { stateDirectory: path });
    await node.stop();
    expect(readFileSync(join(path, 'events.jsonl'), 'utf8')).toContain('"NODE_STARTED"');
    const again = await start('one', { stateDirectory: path });
    expect(again.recentEvents(50).filter((event) => event.code === 'NODE_STARTED')).toHaveLength(2);
  });

  it('a killed process is seen suspect within 3 s and down within 10 s', async () => {
    const founder = await start('founder');
    await founder.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    const { token } = await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    const script = `
      import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
      const binding = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map() };
      const node = createMeshNode({ stateDirectory: ${JSON.stringify(folder())}, binding, name: 'device', port: 0, listenHosts: ['127.0.0.1'] });
      await node.start();
      await node.join({ mode: 'token', token: ${JSON.stringify(token)}, peers: ['127.0.0.1:${founder.port}'] });
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'ignore' });
    const liveness = (): string | undefined => founder.status().nodes.find((node) => !node.self)?.liveness;
    await until(() => liveness() === 'up', 10_000);
    child.kill('SIGKILL');
    expect(await until(() => liveness() === 'suspect', 5_000)).toBeLessThan(3_000);
    expect(await until(() => liveness() === 'down', 15_000)).toBeLessThan(10_000);
  }, 40_000);

  it('a machine that is approved in the moment it enters the lobby is let in', async () => {
    const founder = await start('founder');
    await founder.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    const device = await start('device');
    await device.join({ mode: 'request', mesh: null, expect: null, peers: [`127.0.0.1:${founder.port}`] });
    await founder.approve(device.status().self.fingerprint);
    await until(() => device.status().mesh?.name === 'attic', 5_000);
  });

  it('leaving is recorded at the mesh, and the machine goes on as somebody new', async () => {
    const { founder, device } = await pair();
    const before = device.status().self.aid;
    await device.leave();
    await until(() => founder.status().nodes.length === 1, 3_000);
    expect(founder.recentEvents(50).map((event) => event.code)).toContain('MEMBER_LEFT');
    await until(() => device.status().state === 'unjoined', 3_000);
    expect(device.status().self.aid).not.toBe(before);
  });
});
