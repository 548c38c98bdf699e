import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeCrypto, systemEntropy } from '#core/node/crypto.ts';
import type { DiskCalls } from '#core/node/disk.ts';
import { readIdentityDocument } from '#mesh/hcth/identity-document.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { parseNextKey } from '#mesh/hcth/next-key.ts';
import { createMeshNode } from './create-mesh-node.ts';
import { IdentityKeeper } from './identity-keeper.ts';
import { openOrCreateIdentity } from './identity-store.ts';
import type { MeshNode } from './mesh-node.ts';

const crypto = createNodeCrypto();
const board: HardwareBinding = { kind: 'soft', digest: new Uint8Array(32).fill(1), secret: new Uint8Array(32).fill(1), facts: new Map([['serial', '1']]) };
const otherBoard: HardwareBinding = { ...board, digest: new Uint8Array(32).fill(2), secret: new Uint8Array(32).fill(2), facts: new Map([['serial', '2']]) };
const folders: string[] = [];
const nodes: MeshNode[] = [];

function folder(): string {
  const path = fs.mkdtempSync(join(tmpdir(), 'robonet-keeper-'));
  folders.push(path);
  return path;
}

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const path of folders.splice(0)) fs.rmSync(path, { recursive: true, force: true });
});

async function keeperIn(path: string, calls: DiskCalls = fs): Promise<IdentityKeeper> {
  const { identity } = await openOrCreateIdentity(path, crypto, systemEntropy, board);
  return new IdentityKeeper({ folder: path, crypto, entropy: systemEntropy, source: board, identity, calls });
}

/** The power goes before the n-th call that changes the disk; reads go on until then. */
function powerCut(after: number): { readonly calls: DiskCalls; readonly made: () => number } {
  let made = 0;
  const changing = ['writeSync', 'fsyncSync', 'renameSync', 'unlinkSync', 'ftruncateSync', 'fdatasyncSync', 'openSync', 'mkdirSync'] as const;
  const calls: Record<string, unknown> = { ...fs };
  for (const name of changing) {
    const real = fs[name] as (...given: unknown[]) => unknown;
    calls[name] = (...given: unknown[]) => {
      made += 1;
      if (made > after) throw Object.assign(new Error('power cut'), { code: 'EIO' });
      return real(...given);
    };
  }
  return { calls: calls as unknown as DiskCalls, made: () => made };
}

describe('the identity file through a rotation', () => {
  it('H-61: a power cut at any call leaves the identity before or the identity after, never neither', async () => {
    const whole = powerCut(Number.POSITIVE_INFINITY);
    const counted = await keeperIn(folder(), whole.calls);
    const already = whole.made();
    await counted.rotate(counted.identity.established, null, false);
    const steps = whole.made() - already;
    expect(steps).toBeGreaterThan(6);
    const outcomes = { before: 0, after: 0 };
    for (let cut = 0; cut <= steps; cut += 1) {
      const path = folder();
      const first = (await keeperIn(path)).identity;
      const { calls } = powerCut(cut);
      const keeper = await keeperIn(path, calls);
      const told = await keeper.rotate(first.established, null, false).then(
        () => true,
        () => false,
      );
      const found = (await openOrCreateIdentity(path, crypto, systemEntropy, board)).identity;
      expect(found.established.aid).toEqual(first.established.aid);
      // Whoever was told was told of what the disk has.
      if (told) expect(found.established.rotations).toBe(1);
      expect([0, 1]).toContain(found.established.rotations);
      expect(Buffer.from(found.signKey.publicKey)).toEqual(Buffer.from(found.established.signKey));
      expect(found.nextSeed).not.toBe(null);
      outcomes[found.established.rotations === 0 ? 'before' : 'after'] += 1;
    }
    expect(outcomes.before).toBeGreaterThan(3);
    expect(outcomes.after).toBeGreaterThan(0);
  });

  it('H-64: the next key leaves once its digest is named, the former file is overwritten, and only that key rotates', async () => {
    const path = folder();
    const keeper = await keeperIn(path);
    const text = keeper.nextKeyText();
    const { digest } = keeper.nextKey;
    const former = fs.openSync(join(path, 'identity'), 'r');
    await expect(keeper.letNextKeyGo('0'.repeat(64), { how: 'exported', place: 'x', at: 1 })).rejects.toMatchObject({ code: 'RN-MESH-060' });
    expect(keeper.nextKey.where).toBe('device');
    await keeper.letNextKeyGo(digest, { how: 'escrowed', place: 'the laptop', at: 5 });
    const left = Buffer.alloc(64);
    fs.readSync(former, left, 0, 64, 0);
    fs.closeSync(former);
    expect(left.every((byte) => byte === 0)).toBe(true);
    const again = await keeperIn(path);
    expect(again.nextKey).toEqual({ where: 'away', rotation: 1, digest, place: { how: 'escrowed', place: 'the laptop', at: 5 } });
    expect(() => again.nextKeyText()).toThrowError(/escrowed \(the laptop\)/);
    await expect(again.rotate(again.identity.established, null, false)).rejects.toMatchObject({ code: 'RN-MESH-061' });
    const read = parseNextKey(crypto, text);
    if (read.kind !== 'key') throw new Error(read.why);
    await expect(again.rotate(again.identity.established, { ...read.key, seed: new Uint8Array(32) }, false)).rejects.toMatchObject({ code: 'RN-MESH-060' });
    expect(await again.rotate(again.identity.established, read.key, false)).toMatchObject({ number: 1 });
    expect((await keeperIn(path)).nextKey).toMatchObject({ where: 'device', rotation: 2 });
  });
});

async function start(name: string, path = folder(), binding = board): Promise<MeshNode> {
  const node = createMeshNode({ stateDirectory: path, binding, name, port: 0, listenHosts: ['127.0.0.1'] });
  await node.start();
  nodes.push(node);
  return node;
}

async function until(condition: () => boolean): Promise<void> {
  const from = performance.now();
  while (!condition()) {
    if (performance.now() - from > 15_000) throw new Error('not within 15 s');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function pair(): Promise<{ founder: MeshNode; device: MeshNode; path: string }> {
  const founder = await start('founder');
  await founder.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
  const { token } = await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
  const path = folder();
  const device = await start('device', path);
  await device.join({ mode: 'token', token, peers: [`127.0.0.1:${founder.port}`] });
  await until(() => founder.status().nodes.some((node) => !node.self && node.liveness === 'up'));
  return { founder, device, path };
}

const view = (node: MeshNode, aid: string) => node.status().nodes.find((each) => each.aid === aid);
const planned = { nextKey: null, recovery: false, document: null, dryRun: false } as const;

describe('rotating a running node', () => {
  it('H-61: the others know at once, the link is back at once, the identity stays over a restart', async () => {
    const { founder, device, path } = await pair();
    const { aid, incarnation } = device.status().self;
    expect(await device.rotate({ ...planned, dryRun: true })).toEqual({ rotation: 1, aid });
    expect(device.identity().rotation).toBe(0);
    expect(await device.rotate(planned)).toEqual({ rotation: 1, aid });
    await until(
      () => view(founder, aid)?.rotation === 1 && view(founder, aid)?.liveness === 'up' && view(device, founder.status().self.aid)?.liveness === 'up',
    );
    expect(device.status().self).toMatchObject({ aid, rotation: 1, incarnation: (incarnation ?? 0) + 1 });
    expect(view(founder, aid)?.trust?.breaks).toEqual({});
    expect(founder.recentEvents(50).map((event) => event.code)).toContain('KEY_ROTATED');
    await device.stop();
    const again = await start('device', path);
    await until(() => view(founder, aid)?.liveness === 'up');
    expect(again.identity()).toMatchObject({ rotation: 1, nextKey: { where: 'device', rotation: 2 } });
    // The founder rotates, too: everything that it decides is still believed.
    await founder.rotate(planned);
    await until(() => view(again, founder.status().self.aid)?.rotation === 1 && again.status().mesh?.commitIndex === founder.status().mesh?.commitIndex);
    await founder.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    await until(() => again.status().mesh?.commitIndex === founder.status().mesh?.commitIndex);
  }, 60_000);

  it('H-62: an identity is taken over on another device with its next key and what a member knows of it', async () => {
    const { founder, device } = await pair();
    const { aid } = device.status().self;
    const escrow = await device.exportNextKey();
    const publicPart = await founder.identityDocument('device');
    expect(JSON.stringify(publicPart)).not.toContain('rnk1');
    await device.letNextKeyGo(device.identity().nextKey.digest, { how: 'escrowed', place: 'the laptop', at: 1 });
    await device.stop();
    const replacement = await start('device', folder(), otherBoard);
    const former = replacement.status().self.aid;
    const document = readIdentityDocument(crypto, JSON.parse(JSON.stringify(publicPart)));
    const key = parseNextKey(crypto, escrow.nextKey ?? '');
    if (typeof document === 'string' || key.kind !== 'key') throw new Error(JSON.stringify([document, key]));
    const order = { nextKey: key.key, recovery: true, document, dryRun: false };
    await expect(replacement.rotate({ ...order, nextKey: null })).rejects.toMatchObject({ code: 'RN-MESH-061' });
    await expect(replacement.rotate({ ...order, nextKey: { ...key.key, seed: new Uint8Array(32) } })).rejects.toMatchObject({ code: 'RN-MESH-060' });
    expect(replacement.status().self.aid).toBe(former);
    expect(await replacement.rotate(order)).toEqual({ rotation: 1, aid });
    await until(() => view(founder, aid)?.liveness === 'up' && view(founder, aid)?.rotation === 1);
    expect(replacement.status()).toMatchObject({ state: 'member', self: { aid, name: 'device' } });
    await until(() => replacement.status().nodes.length === 2);
    expect(founder.recentEvents(80).find((event) => event.code === 'KEY_ROTATED')?.data).toMatchObject({ cause: 'recovery', rotation: 1 });
    // Once more: there is nothing left to do with that key.
    await expect(replacement.rotate(order)).rejects.toMatchObject({ code: 'RN-MESH-060' });
  }, 60_000);

  it('H-62, A-40: the founder, too: its ledger is given back before it decides anything, and it decides again', async () => {
    const { founder, device } = await pair();
    const { aid } = founder.status().self;
    const key = parseNextKey(crypto, (await founder.exportNextKey()).nextKey ?? '');
    const document = readIdentityDocument(crypto, JSON.parse(JSON.stringify(await device.identityDocument(aid))));
    if (typeof document === 'string' || key.kind !== 'key') throw new Error(JSON.stringify([document, key]));
    await until(() => device.status().mesh?.commitIndex === founder.status().mesh?.commitIndex);
    const { commitIndex } = founder.status().mesh ?? { commitIndex: 0 };
    const { port } = founder;
    await founder.stop();
    const replacement = createMeshNode({ stateDirectory: folder(), binding: otherBoard, name: 'founder', port, listenHosts: ['127.0.0.1'] });
    nodes.push(replacement);
    await replacement.start();
    await replacement.rotate({ nextKey: key.key, recovery: true, document, dryRun: false });
    await until(
      () => (replacement.status().mesh?.commitIndex ?? 0) > commitIndex && device.status().mesh?.commitIndex === replacement.status().mesh?.commitIndex,
    );
    expect(replacement.status().self).toMatchObject({ aid, role: 'voter', rotation: 1 });
    await replacement.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
    await until(() => device.status().mesh?.commitIndex === replacement.status().mesh?.commitIndex);
    expect(device.recentEvents(100).map((event) => event.code)).not.toContain('CHAIN_MISMATCH');
  }, 60_000);

  it('H-62: a device that is somebody already takes nobody over', async () => {
    const { founder, device } = await pair();
    const escrow = await device.exportNextKey();
    const document = readIdentityDocument(crypto, JSON.parse(JSON.stringify(escrow)));
    if (typeof document === 'string') throw new Error(document);
    await expect(founder.rotate({ nextKey: document.nextKey, recovery: true, document, dryRun: false })).rejects.toMatchObject({ code: 'RN-MESH-064' });
  });
});
