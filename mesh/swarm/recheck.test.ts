/** A node looks at itself first: its own record before it blames a peer, its peers before it signs anything in a degraded start. */
import { describe, expect, it } from 'vitest';
import { utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { MINUTE, SECOND } from '#core/time/time.ts';
import { encodePeerRecord, type PeerRecord } from '#mesh/hcth/peer-record.ts';
import { sealRecord } from '#mesh/hcth/sealed-record.ts';
import { storedPeer } from '#test/kit/stored-peers.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

function done(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(reply)}`);
  return reply.value;
}

function pair(world: World): readonly [WorldNode, WorldNode] {
  const founder = world.add('founder');
  done(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const invitation = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
  const { token } = done(founder, world.command(founder, { kind: 'invite', options: invitation })) as Invitation;
  const device = world.add('device');
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  both(world, founder, device);
  return [founder, device];
}

function both(world: World, a: WorldNode, b: WorldNode): void {
  world.runUntil(() => sees(a, b) && sees(b, a), 60_000);
}

function sees(node: WorldNode, of: WorldNode): boolean {
  return node.swarm?.status().nodes.find((view) => view.aid === of.text)?.liveness === 'up';
}

function breaksOf(node: WorldNode, of: WorldNode): unknown {
  return node.swarm!.status().nodes.find((view) => view.aid === of.text)!.trust!.breaks;
}

/** The founder restarts with another memory of the device than its disk has from then on. */
function restartRemembering(world: World, founder: WorldNode, device: WorldNode, change: (record: PeerRecord) => PeerRecord): void {
  world.run(6 * MINUTE);
  world.kill(founder);
  const sound = founder.disk.peers.get(device.text)!;
  founder.disk.peers.set(device.text, sealRecord(crypto, founder.identity.signKey, encodePeerRecord(change(storedPeer(sound)!))));
  world.start(founder);
  founder.disk.peers.set(device.text, sound);
}

const ahead = (record: PeerRecord): PeerRecord => ({ ...record, received: { ...record.received!, sequence: record.received!.sequence + 10_000 } });

describe('R6: the own record first', () => {
  it('H-55: a node whose own memory was wrong says so, goes on where the peer stands, and blames nobody', () => {
    const world = new World(crypto, 'r6 own');
    const [founder, device] = pair(world);
    const { incarnation } = device.swarm!.self.boot;
    restartRemembering(world, founder, device, ahead);
    both(world, founder, device);
    world.run(2 * MINUTE);
    expect(founder.events.filter(({ code }) => code === 'RECORD_UNSOUND')).toMatchObject([{ severity: 'warning', aid: device.text }]);
    expect(founder.codes).not.toContain('CHAIN_MISMATCH');
    expect(breaksOf(founder, device)).toEqual({});
    expect(device.swarm!.self.boot.incarnation).toBe(incarnation);
    // What is written from now on is where the device really stands.
    world.run(6 * MINUTE);
    world.kill(founder);
    world.start(founder);
    both(world, founder, device);
    expect(founder.codes.filter((code) => code === 'RECORD_UNSOUND')).toHaveLength(1);
    expect(breaksOf(founder, device)).toEqual({});
  });

  it('H-55: a node whose own record is sound demands a new incarnation and records B3', () => {
    const world = new World(crypto, 'r6 theirs');
    const [founder, device] = pair(world);
    world.run(6 * MINUTE);
    world.kill(founder);
    // Disk and memory agree, and no signature says otherwise: then it is the device that stands behind.
    const sealed = sealRecord(crypto, founder.identity.signKey, encodePeerRecord(ahead(storedPeer(founder.disk.peers.get(device.text)!)!)));
    founder.disk.peers.set(device.text, sealed);
    world.start(founder);
    world.runUntil(() => founder.codes.includes('CHAIN_MISMATCH'), 60_000);
    expect(founder.codes).not.toContain('RECORD_UNSOUND');
    both(world, founder, device);
    expect(breaksOf(founder, device)).toMatchObject({ B3: 1 });
    expect(device.swarm!.self.boot.incarnation).toBeGreaterThan(1);
  });

  it('H-56: a record with a right checksum that we have not written is not believed, and is kept', () => {
    const world = new World(crypto, 'forged record');
    const [founder, device] = pair(world);
    world.run(12 * MINUTE);
    expect(founder.swarm!.status().nodes.find((view) => view.aid === device.text)!.trust!.level).toBeGreaterThan(1);
    world.kill(founder);
    const forged = sealRecord(crypto, device.identity.signKey, encodePeerRecord(ahead(storedPeer(founder.disk.peers.get(device.text)!)!)));
    founder.disk.peers.set(device.text, forged);
    world.start(founder);
    world.run(100);
    expect(founder.events.filter(({ code }) => code === 'PAST_DAMAGED')).toMatchObject([{ severity: 'critical', data: { kind: 'edited' } }]);
    expect([...founder.disk.evidence.keys()].some((name) => name.startsWith('record-'))).toBe(true);
    expect(founder.swarm!.status().degraded.join()).toContain('stored record of device was edited');
    both(world, founder, device);
    expect(founder.swarm!.status().nodes.find((view) => view.aid === device.text)!.trust).toMatchObject({ level: 0, breaks: {} });
  });
});

/** The real primitives, and what was signed for which purpose. */
function recordingCrypto(): { readonly port: CryptoPort; readonly signed: () => string[] } {
  let signed: string[] = [];
  return {
    port: {
      ...crypto,
      sign: (key, ...parts) => {
        signed.push(Buffer.from(parts[0]!).toString('latin1').replace('\0', ''));
        return crypto.sign(key, ...parts);
      },
    },
    signed: () => {
      const before = signed;
      signed = [];
      return before;
    },
  };
}

/** What asking needs: the boot event, the handshake; and what never leaves the machine. */
const MAY = new Set(['HCTH1:boot', 'HCTH1:bind', 'HCTH1:seal', 'HCTH1:rec']);

describe('a degraded start', () => {
  it('H-54: signs nothing but handshakes until a member has been reached', () => {
    const { port, signed } = recordingCrypto();
    const world = new World(port, 'degraded');
    const [founder, device] = pair(world);
    world.run(11 * MINUTE);
    for (const node of [founder, device]) {
      world.kill(node);
      node.disk.statements = node.disk.statements.toSpliced(0, 1);
    }
    signed();
    world.start(founder);
    world.run(5 * SECOND);
    // Alone and damaged: it decides nothing, admits nobody, says no farewell.
    const asked = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    expect(founder.replies.get(asked)).toMatchObject({ kind: 'refused' });
    world.input(founder, { kind: 'stop' });
    world.run(SECOND);
    expect(signed().filter((label) => !MAY.has(label))).toEqual([]);
    world.kill(founder);
    founder.disk.statements = founder.disk.statements.toSpliced(1, 1, utf8('not ours'));
    world.start(founder);
    world.start(device);
    signed();
    world.runUntil(() => founder.codes.includes('RESUMED'), 60_000);
    world.run(SECOND);
    expect(signed()).toEqual(expect.arrayContaining(['HCTH1:stm']));
  });

  it('H-54: nobody there: after the documented time it goes on alone', () => {
    const { port, signed } = recordingCrypto();
    const world = new World(port, 'degraded alone');
    const [founder, device] = pair(world);
    world.kill(device);
    world.kill(founder);
    founder.disk.statements = founder.disk.statements.toSpliced(0, 1);
    world.start(founder);
    signed();
    world.run(9 * SECOND);
    expect(signed().filter((label) => !MAY.has(label))).toEqual([]);
    world.run(2 * SECOND);
    const asked = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    done(founder, asked);
    expect(signed()).toContain('HCTH1:log');
  });
});
