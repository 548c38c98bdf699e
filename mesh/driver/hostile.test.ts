import { copyFileSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
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
const sockets: Socket[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'robonet-hostile-'));
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

/** How long a connection that ends in courtesy may stay; a flood must be gone well before. */
const LINGER_MS = 1_000;

interface Line {
  readonly socket: Socket;
  readonly text: () => string;
  readonly isOver: () => boolean;
}

/** A client that never closes its own half. */
function call(port: number, host = '127.0.0.1'): Promise<Line> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true });
    sockets.push(socket);
    let text = '';
    let over = false;
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('end', () => (over = true));
    socket.on('close', () => (over = true));
    socket.on('error', () => {
      over = true;
      reject(new Error('refused'));
    });
    socket.on('connect', () => resolve({ socket, text: () => text, isOver: () => over }));
  });
}

/** Sockets of this process that a listener of it has accepted and not yet let go. */
function acceptedSockets(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .filter((row) => {
      const [, local = '', , state = '', , , , , , inode] = row.trim().split(/\s+/);
      return local.endsWith(`:${hex}`) && state !== '0A' && inode !== '0';
    }).length;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const node of nodes.splice(0)) await node.stop();
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

describe('strangers on the LAN', () => {
  it('with another protocol are told FRAME_MAGIC and let go', async () => {
    const node = await start('one');
    for (const greeting of ['GET / HTTP/1.1\r\n\r\n', 'SSH-2.0-x\r\n', '\u0016\u0003\u0001', '\0'.repeat(64)]) {
      const line = await call(node.port);
      line.socket.write(greeting, 'latin1');
      await until(line.isOver, 2_000);
      expect(line.text()).toContain('FRAME_MAGIC');
    }
    expect(node.recentEvents(20).filter((event) => event.code === 'FRAME_MAGIC')).toHaveLength(4);
  });

  it('who flood it with connections hold no descriptors', async () => {
    const node = await start('one');
    const lines = await Promise.all(Array.from({ length: 120 }, () => call(node.port)));
    await until(() => lines.filter((line) => line.isOver()).length >= 100, 10_000);
    // The ones turned away are gone at once, not after the courtesy that a peer gets.
    await until(() => acceptedSockets(node.port) < 20, LINGER_MS / 2);
    expect(node.recentEvents(500).filter((event) => event.code === 'RATE_LIMIT').length).toBeLessThan(30);
    expect(node.status().state).toBe('unjoined');
  });
});

describe('a power cut', () => {
  it('between setting the old identity aside and writing a new one leaves no membership of somebody else', async () => {
    const founder = await start('founder');
    await founder.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    const { token } = await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    const path = folder();
    const device = await start('device', { stateDirectory: path });
    await device.join({ mode: 'token', token, peers: [`127.0.0.1:${founder.port}`] });
    await device.stop();
    renameSync(join(path, 'identity'), join(path, 'identity.other-hardware-1'));
    const again = await start('device', { stateDirectory: path, binding: soft('22') });
    expect(again.status().state).not.toBe('member');
    expect(again.recentEvents(20).some((event) => event.severity === 'critical')).toBe(true);
  });

  it('at any byte of the state files leaves a node that starts', async () => {
    const path = folder();
    const node = await start('one', { stateDirectory: path });
    await node.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    const { aid } = node.status().self;
    await node.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    await node.stop();
    for (const name of ['ledger.journal', 'statements.journal', 'peers.journal', 'incarnation.a', 'incarnation.b', 'events.jsonl']) {
      const from = join(path, name);
      let size: number;
      try {
        ({ size } = statSync(from));
      } catch {
        continue;
      }
      for (const length of [0, 1, Math.floor(size / 2), Math.max(0, size - 1)]) {
        const copy = folder();
        for (const file of readdirSync(path)) if (file !== 'lock' && statSync(join(path, file)).isFile()) copyFileSync(join(path, file), join(copy, file));
        truncateSync(join(copy, name), length);
        const again = createMeshNode({ stateDirectory: copy, binding: soft('1'), name: 'one', port: 0, listenHosts: ['127.0.0.1'] });
        await again.start();
        expect(again.status().self.aid, `${name} cut to ${length}`).toBe(aid);
        await again.stop();
      }
    }
  });
});

describe('the state folder', () => {
  it('is readable by its owner only, and so is every file in it', async () => {
    const path = join(folder(), 'state');
    const node = await start('one', { stateDirectory: path });
    await node.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    await node.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    expect(statSync(path).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(path)) expect(statSync(join(path, name)).mode & 0o077, name).toBe(0);
  });

  it('never shows a token or a key in its diary', async () => {
    const path = folder();
    const node = await start('one', { stateDirectory: path });
    await node.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    const { token } = await node.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    expect(readFileSync(join(path, 'events.jsonl'), 'utf8')).not.toContain(token.slice(5, 60));
    expect(JSON.stringify(node.status())).not.toContain(token.slice(5, 60));
    expect(JSON.stringify(await node.invitations())).not.toContain(token.slice(5, 60));
  });
});
