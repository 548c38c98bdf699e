import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { encodeToken, parseToken } from '#mesh/admission/token.ts';
import { LEVEL_RATES } from '#mesh/session/limits.ts';
import { checkTrustExport } from '#mesh/trust/export/check-export.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode, type WorldNodeOptions } from './world.ts';

const crypto = createNodeCrypto();

function reply(node: WorldNode, id: number): unknown {
  const found = node.replies.get(id);
  if (found === undefined) throw new Error(`no reply ${id} at ${node.name}`);
  if (found.kind === 'refused') throw new Error(`${found.refusal.code}: ${found.refusal.text}`);
  return found.value;
}

function refusalOf(node: WorldNode, id: number): string {
  const found = node.replies.get(id);
  return found?.kind === 'refused' ? found.refusal.code : `no refusal but ${JSON.stringify(found)}`;
}

function found(world: World, admission: 'approve' | 'closed' | 'token' | 'open' = 'approve'): WorldNode {
  const founder = world.add('founder');
  reply(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission, trustProfile: 'lab' } }));
  return founder;
}

function invite(world: World, founder: WorldNode, uses = 1): Invitation {
  return reply(founder, world.command(founder, { kind: 'invite', options: { role: 'member', uses, expiresInMs: 3_600_000, label: 'test' } })) as Invitation;
}

function joinByToken(world: World, node: WorldNode, token: string): number {
  return world.command(node, { kind: 'join', options: { mode: 'token', token, peers: [] } });
}

function liveness(node: WorldNode, of: WorldNode): string | undefined {
  return node.swarm!.status().nodes.find((view) => view.aid === of.text)?.liveness;
}

function request(world: World, device: WorldNode, expect: string | null = null): number {
  return world.command(device, { kind: 'join', options: { mode: 'request', mesh: null, expect, peers: [] } });
}

function linked(world: World, options: WorldNodeOptions = {}): { founder: WorldNode; device: WorldNode; invitation: Invitation } {
  const founder = found(world);
  const invitation = invite(world, founder);
  const device = world.add('device', options);
  joinByToken(world, device, invitation.token);
  world.hint(device, founder, tagOf(founder));
  world.runUntil(() => device.swarm!.status().state === 'member' && liveness(founder, device) === 'up', 5_000);
  world.run(500);
  return { founder, device, invitation };
}

function tagOf(node: WorldNode): string {
  return node.swarm!.status().mesh!.tag;
}

function trustOf(node: WorldNode, of: WorldNode) {
  return node.swarm!.status().nodes.find((view) => view.aid === of.text)!.trust!;
}

describe('a mesh is founded and found', () => {
  it('a founder is a mesh of one', () => {
    const world = new World(crypto);
    const founder = found(world);
    const status = founder.swarm!.status();
    expect(status.state).toBe('member');
    expect(status.mesh).toMatchObject({ name: 'attic', voters: 1, commitIndex: 1 });
    expect(status.nodes).toHaveLength(1);
  });

  it('a member does not found a second mesh', () => {
    const world = new World(crypto);
    const founder = found(world);
    expect(refusalOf(founder, world.command(founder, { kind: 'found', options: { name: 'b', admission: 'approve', trustProfile: 'lab' } }))).toBe(
      'RN-MESH-004',
    );
  });

  it('a name that cannot be a name is refused with the reason', () => {
    const world = new World(crypto);
    const node = world.add('one');
    expect(refusalOf(node, world.command(node, { kind: 'found', options: { name: '', admission: 'approve', trustProfile: 'lab' } }))).toBe('RN-MESH-028');
    expect(node.swarm!.status().state).toBe('unjoined');
  });

  it('a stored mesh is there again after a restart', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const { mesh } = founder.swarm!.status();
    world.kill(founder);
    world.kill(device);
    world.start(founder);
    world.start(device);
    expect(founder.swarm!.status().mesh).toMatchObject({ id: mesh!.id, commitIndex: mesh!.commitIndex });
    world.runUntil(() => liveness(device, founder) === 'up' && liveness(founder, device) === 'up', 10_000);
  });
});

describe('joining by invitation', () => {
  it('a machine with an invitation becomes a member, under its own name, with the same ledger', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder);
    const device = world.add('device');
    const id = joinByToken(world, device, token);
    world.hint(device, founder, tagOf(founder));
    world.run(2_000);
    expect(reply(device, id)).toBe(null);
    expect(device.swarm!.status()).toMatchObject({ state: 'member', mesh: { name: 'attic', commitIndex: founder.swarm!.status().mesh!.commitIndex } });
    expect(founder.swarm!.status().nodes.map((node) => node.name)).toEqual(['founder', 'device']);
    expect(liveness(founder, device)).toBe('up');
    expect(liveness(device, founder)).toBe('up');
    expect(founder.codes).toContain('MEMBER_JOINED');
  });

  it('the second user of a single-use invitation is refused with TOKEN_USED and both are named in TOKEN_REUSED', () => {
    const world = new World(crypto);
    const { founder, device, invitation } = linked(world);
    const thief = world.add('thief');
    const id = joinByToken(world, thief, invitation.token);
    world.hint(thief, founder, tagOf(founder));
    world.run(3_000);
    expect(refusalOf(thief, id)).toBe('RN-MESH-009');
    expect(founder.codes).toContain('TOKEN_USED');
    const alarm = founder.events.find((event) => event.code === 'TOKEN_REUSED');
    expect(alarm).toMatchObject({ severity: 'critical', data: { first: device.text, second: thief.text } });
    expect(founder.codes).toContain('MEMBER_SUSPENDED');
    expect(founder.swarm!.status().nodes.find((node) => node.aid === device.text)?.role).toBe('quarantine');
    const fingerprint = device.swarm!.status().self.fingerprint;
    reply(founder, world.command(founder, { kind: 'approve', fingerprint }));
    expect(founder.swarm!.status().nodes.find((node) => node.aid === device.text)?.role).toBe('member');
  });

  it('an expired invitation, one that was revoked and one of another mesh are refused, each with its own code', () => {
    const world = new World(crypto);
    const founder = found(world);
    const other = world.add('other');
    reply(other, world.command(other, { kind: 'found', options: { name: 'cellar', admission: 'approve', trustProfile: 'lab' } }));
    const expired = invite(world, founder);
    world.run(3_700_000);
    const revoked = invite(world, founder);
    reply(founder, world.command(founder, { kind: 'revoke-invitation', tokenId: revoked.tokenId }));
    const foreign = invite(world, other);
    const outcomes = [expired, revoked, foreign].map(({ token }, index) => {
      const device = world.add(`device-${index}`);
      const id = world.command(device, { kind: 'join', options: { mode: 'token', token, peers: ['10.0.0.1:7411'] } });
      world.run(35_000);
      return refusalOf(device, id);
    });
    expect(outcomes[0]).toBe('RN-MESH-008');
    expect(outcomes[1]).toMatch(/RN-MESH-00[78]/);
    expect(outcomes[2]).toBe('RN-MESH-010');
    expect(founder.swarm!.status().nodes).toHaveLength(1);
  });

  it('an invitation that was changed in one character does not open the door', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder);
    const device = world.add('device');
    const broken = world.command(device, { kind: 'join', options: { mode: 'token', token: token.slice(0, -8), peers: [] } });
    expect(refusalOf(device, broken)).toBe('RN-MESH-006');
  });

  it('an invitation for two machines admits two and not three, also when they come at once', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder, 2);
    const devices = ['a', 'b', 'c'].map((name) => world.add(name));
    const ids = devices.map((device) => joinByToken(world, device, token));
    for (const device of devices) world.hint(device, founder, tagOf(founder));
    world.run(5_000);
    expect(founder.swarm!.status().nodes).toHaveLength(3);
    const refused = devices.filter((device, index) => device.replies.get(ids[index]!)?.kind === 'refused');
    expect(refused).toHaveLength(1);
  });

  it('somebody who knows the number of an invitation but not its secret is told TOKEN_BAD before anything expensive', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder);
    const parsed = parseToken(token);
    if (parsed.kind !== 'token') throw new Error('no token');
    const forged = encodeToken({ ...parsed.token, secret: new Uint8Array(32) });
    const device = world.add('device');
    const id = joinByToken(world, device, forged);
    world.hint(device, founder, tagOf(founder));
    world.run(3_000);
    expect(refusalOf(device, id)).toBe('RN-MESH-007');
    expect(founder.codes).toContain('TOKEN_BAD');
  });

  it('nobody there within 30 s is reported, and the machine goes on looking', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder);
    const device = world.add('device');
    world.kill(founder);
    const id = joinByToken(world, device, token);
    world.run(31_000);
    expect(refusalOf(device, id)).toBe('RN-MESH-011');
    expect(device.swarm!.status().state).toBe('joining');
    world.start(founder);
    world.hint(device, founder, tagOf(founder));
    world.run(2_000);
    expect(device.swarm!.status().state).toBe('member');
  });
});

describe('joining by request', () => {
  it('a machine waits in the lobby until its complete fingerprint is approved', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = world.add('device');
    const id = request(world, device);
    world.hint(device, founder, tagOf(founder));
    world.run(1_000);
    expect(reply(device, id)).toBe(null);
    expect(device.swarm!.status().state).toBe('lobby');
    const [waiting] = founder.swarm!.status().requests;
    expect(waiting).toMatchObject({ name: 'device', aid: device.text, capabilities: { arch: 'x64' } });
    expect(refusalOf(founder, world.command(founder, { kind: 'approve', fingerprint: waiting!.fingerprint.slice(0, 9) }))).toBe('RN-MESH-026');
    reply(founder, world.command(founder, { kind: 'approve', fingerprint: waiting!.fingerprint.toLowerCase().replaceAll('-', '') }));
    world.run(2_000);
    expect(device.swarm!.status().state).toBe('member');
    expect(liveness(founder, device)).toBe('up');
    expect(founder.swarm!.status().requests).toEqual([]);
    expect(founder.swarm!.status().nodes.map((node) => node.name)).toContain('device');
  });

  it('a fingerprint that matches nobody who waits approves nobody and is recorded', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = world.add('device');
    request(world, device);
    world.hint(device, founder, tagOf(founder));
    world.run(1_000);
    expect(refusalOf(founder, world.command(founder, { kind: 'approve', fingerprint: 'AAAA-BBBB-CCCC-DDDD' }))).toBe('RN-MESH-018');
    expect(founder.events.find((event) => event.code === 'APPROVAL_MISMATCH')?.text).toContain('AAAA-BBBB-CCCC-DDDD');
    expect(founder.swarm!.status().nodes).toHaveLength(1);
  });

  it('a denied machine is told so, both ends record it, and it is not admitted', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = world.add('device');
    request(world, device);
    world.hint(device, founder, tagOf(founder));
    world.run(1_000);
    reply(founder, world.command(founder, { kind: 'deny', fingerprint: device.swarm!.status().self.fingerprint, reason: 'not ours' }));
    world.run(1_000);
    expect(founder.codes).toContain('APPROVAL_DENIED');
    expect(device.codes).toContain('APPROVAL_DENIED');
    expect(device.swarm!.status()).toMatchObject({ state: 'refused', stateReason: 'the request was denied: not ours' });
    expect(founder.swarm!.status().nodes).toHaveLength(1);
  });

  it('with an expected fingerprint, a member of another one is not believed', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = world.add('device');
    const id = world.command(device, { kind: 'join', options: { mode: 'request', mesh: null, expect: 'AAAA-BBBB-CCCC-DDDD', peers: ['10.0.0.1:7411'] } });
    world.run(5_000);
    expect(refusalOf(device, id)).toBe('RN-MESH-017');
    expect(founder.swarm!.status().requests).toEqual([]);
  });

  it('several meshes in sight: which one has to be said, by name is enough', () => {
    const world = new World(crypto);
    const founder = found(world);
    const other = world.add('other');
    reply(other, world.command(other, { kind: 'found', options: { name: 'cellar', admission: 'approve', trustProfile: 'lab' } }));
    const device = world.add('device');
    world.hint(device, founder, tagOf(founder));
    world.hint(device, other, tagOf(other));
    expect(refusalOf(device, request(world, device))).toBe('RN-MESH-012');
    const id = world.command(device, { kind: 'join', options: { mode: 'request', mesh: 'cellar', expect: null, peers: [] } });
    world.hint(device, founder, tagOf(founder));
    world.hint(device, other, tagOf(other));
    world.run(5_000);
    expect(reply(device, id)).toBe(null);
    expect(other.swarm!.status().requests).toHaveLength(1);
  });

  it('a closed mesh and one that admits by invitation only refuse requests', () => {
    for (const admission of ['closed', 'token'] as const) {
      const world = new World(crypto);
      const founder = found(world, admission);
      const device = world.add('device');
      const id = request(world, device);
      world.hint(device, founder, tagOf(founder));
      world.run(2_000);
      expect(refusalOf(device, id)).toBe('RN-MESH-016');
    }
  });

  it('an open mesh admits everybody into quarantine, at T0', () => {
    const world = new World(crypto);
    const founder = found(world, 'open');
    const device = world.add('device');
    request(world, device);
    world.hint(device, founder, tagOf(founder));
    world.run(3_000);
    expect(founder.swarm!.status().nodes.find((node) => node.aid === device.text)).toMatchObject({ role: 'quarantine', trust: { level: 0, score: 0 } });
    expect(device.swarm!.status().state).toBe('member');
  });

  it('at most 16 machines wait; the next one is told LOBBY_FULL', () => {
    const world = new World(crypto);
    const founder = found(world);
    const devices = Array.from({ length: 17 }, (_, index) => world.add(`device-${index}`));
    const ids = devices.map((device) => {
      const id = request(world, device);
      world.hint(device, founder, tagOf(founder));
      world.run(500);
      return id;
    });
    expect(founder.swarm!.status().requests).toHaveLength(16);
    expect(refusalOf(devices[16]!, ids[16]!)).toBe('RN-MESH-014');
  });
});

describe('links live on', () => {
  it('a lost connection is taken up again where it stopped, with lost frames voided (R0)', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const before = trustOf(founder, device).received;
    let broken = 0;
    world.breakAfter = (from) => from === device && broken++ === 0;
    world.request(device, founder.text, 'mesh.leave?', Uint8Array.of(1));
    world.runUntil(() => broken > 0, 10_000);
    world.breakAfter = null;
    world.runUntil(() => liveness(founder, device) === 'up' && liveness(device, founder) === 'up', 10_000);
    world.run(1_000);
    expect(founder.events.filter((event) => event.code === 'RESUMED').map((event) => event.data['case'])).toContain('R0');
    expect(trustOf(founder, device).received.sequence).toBeGreaterThan(before.sequence);
    expect(trustOf(founder, device).breaks).toEqual({});
    expect(trustOf(device, founder).breaks).toEqual({});
  });

  it('a restarted member comes back in a larger incarnation without a break (R1)', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.run(70_000);
    world.kill(device);
    world.run(500);
    world.start(device);
    world.runUntil(() => liveness(founder, device) === 'up', 10_000);
    expect(founder.events.filter((event) => event.code === 'RESUMED').at(-1)?.data['case']).toBe('R1');
    expect(trustOf(founder, device).received.incarnation).toBe(2);
    expect(['B1', undefined]).toContain(Object.keys(trustOf(founder, device).breaks)[0]);
  });

  it('a member that lost its records of a peer is helped by that peer, and nobody is blamed (R7)', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.run(130_000);
    world.kill(founder);
    founder.disk.peers.clear();
    world.run(500);
    world.start(founder);
    world.runUntil(() => liveness(founder, device) === 'up' && liveness(device, founder) === 'up', 15_000);
    world.run(2_000);
    expect(founder.events.filter((event) => event.code === 'RESUMED').map((event) => event.data['case'])).toContain('R7');
    expect(trustOf(founder, device).breaks).toEqual({});
  });

  it('a rolled-back machine is shown its own signature and goes on in a larger incarnation (R2)', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const backup = structuredClone({ ...device.disk, incarnation: device.disk.incarnation });
    for (let round = 0; round < 2; round += 1) {
      world.kill(device);
      world.run(200);
      world.start(device);
      world.runUntil(() => liveness(founder, device) === 'up', 10_000);
    }
    world.run(70_000);
    world.kill(device);
    device.disk = backup;
    world.run(500);
    world.start(device);
    world.runUntil(() => device.disk.incarnation > 3 && liveness(founder, device) === 'up', 20_000);
    expect(device.codes).toContain('STATE_RESTORED');
    expect(trustOf(founder, device).breaks).toHaveProperty('B2', 1);
  });

  it('both dial at once: one connection is kept and nobody is taken for a clone', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.kill(founder);
    world.kill(device);
    world.start(founder);
    world.start(device);
    world.hint(founder, device, tagOf(founder));
    world.hint(device, founder, tagOf(founder));
    world.runUntil(() => liveness(device, founder) === 'up' && liveness(founder, device) === 'up', 15_000);
    world.run(10_000);
    expect([...founder.codes, ...device.codes].filter((code) => code === 'IDENTITY_CONTESTED')).toEqual([]);
    expect(founder.ends.size).toBe(1);
    expect(liveness(founder, device)).toBe('up');
  });

  it('a second address of a linked peer does not make it a clone', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.hint(device, founder, tagOf(founder));
    world.input(device, { kind: 'hint', address: founder.address, meshTag: tagOf(founder), origin: 'mdns' });
    world.run(5_000);
    expect(device.swarm!.status().state).toBe('member');
    expect(founder.codes).not.toContain('IDENTITY_CONTESTED');
    expect(founder.ends.size).toBe(1);
  });

  it('two live machines with one identity: the newcomer is refused, the incumbent keeps its link (R4)', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const clone = world.add('clone');
    world.kill(clone);
    clone.identity = device.identity;
    clone.disk = structuredClone(device.disk);
    world.start(clone);
    world.hint(clone, founder, tagOf(founder));
    world.runUntil(() => founder.codes.includes('IDENTITY_CONTESTED'), 15_000);
    expect(liveness(founder, device)).toBe('up');
    expect(trustOf(founder, device).breaks).toHaveProperty('B4', 1);
    world.run(2_000);
    expect(clone.swarm!.status().state).toBe('contested');
  });

  it('a member that falls silent is suspect and then down, and up again when it is back', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.run(60_000);
    world.cut.add(device.address.host);
    const took = world.runUntil(() => liveness(founder, device) === 'suspect', 20_000);
    expect(took).toBeLessThanOrEqual(16_000);
    world.runUntil(() => liveness(founder, device) === 'down', 10_000);
    world.cut.clear();
    world.runUntil(() => liveness(founder, device) === 'up' && liveness(device, founder) === 'up', 60_000);
  });

  it('a killed process is suspect within 3 s and down within 10 s', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.kill(device);
    expect(world.runUntil(() => liveness(founder, device) === 'suspect', 5_000)).toBeLessThanOrEqual(3_000);
    expect(world.runUntil(() => liveness(founder, device) === 'down', 15_000)).toBeLessThanOrEqual(10_000);
  });

  it('a connection broken at any byte of the handshake leaves both sides sound', () => {
    const totals = new World(crypto);
    linked(totals);
    const bytes = totals.delivered;
    let broken = 0;
    for (let at = 1; at < bytes; at += 37) {
      const world = new World(crypto);
      const founder = found(world);
      const { token } = invite(world, founder);
      const device = world.add('device');
      world.breakAfter = (_, __, delivered) => {
        if (delivered < at) return false;
        world.breakAfter = null;
        broken += 1;
        return true;
      };
      joinByToken(world, device, token);
      world.hint(device, founder, tagOf(founder));
      world.run(20_000);
      world.hint(device, founder, tagOf(founder));
      world.run(10_000);
      expect(device.swarm!.status().state, `broken after ${at} bytes`).toBe('member');
      expect(liveness(founder, device), `broken after ${at} bytes`).toBe('up');
      expect(trustOf(founder, device).breaks).toEqual({});
      expect(founder.codes).not.toContain('TOKEN_REUSED');
    }
    expect(broken).toBeGreaterThan(20);
  });
});

describe('leaving and forgetting', () => {
  it('an orderly departure is recorded and the machine keeps nothing of the mesh', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const id = world.command(device, { kind: 'leave' });
    world.run(2_000);
    expect(reply(device, id)).toBe(null);
    expect(device.forgotMesh).toBe(true);
    expect(founder.swarm!.status().nodes).toHaveLength(1);
    expect(founder.events.find((event) => event.code === 'MEMBER_LEFT')?.data['how']).toBe('leave');
  });

  it('an orderly departure alarms nobody, in whichever order farewell and ledger arrive', () => {
    for (const latencyMs of [1, 7, 40]) {
      const world = new World(crypto, `departure/${latencyMs}`);
      const { founder, device } = linked(world);
      const { token } = reply(
        founder,
        world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } }),
      ) as {
        token: string;
      };
      const bystander = world.add('bystander');
      world.command(bystander, { kind: 'join', options: { mode: 'token', token, peers: ['10.0.0.1:7411'] } });
      world.hint(bystander, device);
      world.runUntil(() => bystander.codes.filter((code) => code === 'MEMBER_UP').length >= 2, 60_000);
      world.latencyMs = latencyMs;
      world.command(device, { kind: 'leave' });
      world.run(60_000);
      for (const node of [founder, bystander]) {
        const about = node.events.filter((event) => event.aid === device.text || event.text.includes('refused'));
        expect(about.map((event) => event.code)).toContain('MEMBER_LEFT');
        expect(about.filter((event) => event.severity === 'warning' || event.severity === 'critical')).toEqual([]);
      }
      expect(device.codes).not.toContain('IDENTITY_BARRED');
    }
  });

  it('a forgotten member is turned away and told that it was removed', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    reply(founder, world.command(founder, { kind: 'forget', who: 'device' }));
    world.run(20_000);
    expect(founder.swarm!.status().nodes).toHaveLength(1);
    expect(device.swarm!.status().state).toBe('refused');
  });

  it('the founder leaves only an empty mesh', () => {
    const world = new World(crypto);
    const { founder } = linked(world);
    expect(refusalOf(founder, world.command(founder, { kind: 'leave' }))).toBe('RN-MESH-027');
    reply(founder, world.command(founder, { kind: 'forget', who: 'device' }));
    reply(founder, world.command(founder, { kind: 'leave' }));
    expect(founder.forgotMesh).toBe(true);
  });

  it('what a newcomer asks of the leader is refused there; without the leader it is refused at once', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const asked = world.command(device, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    world.run(1_000);
    expect(device.replies.get(asked)).toMatchObject({
      refusal: { code: 'RN-MESH-030', text: expect.stringContaining('from trust level T2 on, it is at T0') as string },
    });
    world.kill(founder);
    world.run(15_000);
    expect(refusalOf(device, world.command(device, { kind: 'forget', who: 'founder' }))).toBe('RN-MESH-019');
  });
});

describe('three nodes', () => {
  it('members admitted one after the other link with each other and see the same ledger', () => {
    const world = new World(crypto);
    const founder = found(world);
    const devices = ['one', 'two', 'three'].map((name) => {
      const device = world.add(name);
      joinByToken(world, device, invite(world, founder).token);
      world.hint(device, founder, tagOf(founder));
      world.run(1_000);
      return device;
    });
    const all = [founder, ...devices];
    world.runUntil(
      () => all.every((node) => node.swarm!.status().nodes.length === 4 && node.swarm!.status().nodes.every((view) => view.liveness === 'up')),
      20_000,
    );
    expect(new Set(all.map((node) => node.swarm!.status().mesh!.commitIndex)).size).toBe(1);
  });

  it('two members verify each other while the voter is gone, also when one has not seen the other admitted', () => {
    const world = new World(crypto);
    const founder = found(world);
    const one = world.add('one');
    joinByToken(world, one, invite(world, founder).token);
    world.hint(one, founder, tagOf(founder));
    world.run(2_000);
    world.kill(one);
    const two = world.add('two');
    joinByToken(world, two, invite(world, founder).token);
    world.hint(two, founder, tagOf(founder));
    world.run(2_000);
    world.kill(founder);
    world.start(one);
    world.hint(two, one, tagOf(two));
    world.hint(one, two, tagOf(two));
    world.runUntil(() => liveness(one, two) === 'up' && liveness(two, one) === 'up', 20_000);
    world.runUntil(() => one.swarm!.status().mesh!.commitIndex === two.swarm!.status().mesh!.commitIndex, 5_000);
  });
});

describe('trust', () => {
  it('starts at zero, grows slot by slot while the link lives, and never jumps', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    expect(trustOf(founder, device)).toMatchObject({ score: 0, level: 0 });
    let last = 0;
    for (let minute = 0; minute < 20; minute += 1) {
      world.run(60_000);
      const { score } = trustOf(founder, device);
      expect(score).toBeGreaterThanOrEqual(last);
      expect(score - last).toBeLessThan(0.1);
      last = score;
    }
    expect(last).toBeGreaterThan(0.3);
    expect(trustOf(founder, device).level).toBeGreaterThanOrEqual(2);
    expect(founder.codes).toContain('TRUST_LEVEL');
  });

  it('survives a restart of the observer', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.run(600_000);
    const before = trustOf(founder, device).score;
    world.kill(founder);
    world.start(founder);
    world.runUntil(() => liveness(founder, device) === 'up', 20_000);
    expect(before).toBeGreaterThan(0.05);
    expect(trustOf(founder, device).score).toBeGreaterThan(before * 0.8);
  });

  it('is explained line by line and exported for an offline checker, with what both have signed', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const explain = (): { lines: string[]; exported: unknown } =>
      reply(founder, world.command(founder, { kind: 'explain-trust', who: 'device' })) as { lines: string[]; exported: unknown };
    const check = (): unknown => checkTrustExport(crypto, JSON.parse(JSON.stringify(explain().exported)));
    expect(check()).toMatchObject({ kind: 'consistent' });
    world.run(700_000);
    expect(explain().lines.length).toBeGreaterThan(1);
    expect(check()).toMatchObject({ kind: 'consistent', verified: { boots: 2, statements: 2, checkpoints: 4 } });
    world.kill(device);
    world.run(30_000);
    expect(check()).toMatchObject({ kind: 'consistent' });
    world.start(device);
    world.run(200_000);
    expect(check()).toMatchObject({ kind: 'consistent' });
    world.kill(founder);
    world.start(founder);
    expect(check()).toMatchObject({ kind: 'consistent' });
    world.run(200_000);
    expect(check()).toMatchObject({ kind: 'consistent' });
  });
});

describe('calls', () => {
  it('a member calls a voter and gets the answer; a stranger at T0 may not call a member that it has not earned', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const id = world.request(founder, 'device', 'echo', Uint8Array.of(7));
    world.run(100);
    expect([...(reply(founder, id) as Uint8Array)]).toEqual([7]);
    const refused = world.request(device, 'founder', 'echo', Uint8Array.of(7));
    world.run(100);
    expect(refusalOf(device, refused)).toBe('RN-MESH-030');
  });

  it('many calls of one turn travel in few frames: a first one early, so that the other end begins, the rest when the turn ends', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    const before = trustOf(device, founder).received.sequence;
    const ids = Array.from({ length: 40 }, () => world.request(founder, device.text, 'echo', new Uint8Array(64)));
    world.run(100);
    for (const id of ids) expect(reply(founder, id)).toHaveLength(64);
    expect(trustOf(device, founder).received.sequence - before).toBe(2);
  });

  it('once the frame rate of the peer runs short, all calls of one turn travel in one frame', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world, { rates: LEVEL_RATES.map(() => ({ framesPerSecond: 20, bytesPerSecond: 1e9 })) });
    const framesOf = (turns: number): number => {
      const before = trustOf(device, founder).received.sequence;
      for (let turn = 0; turn < turns; turn += 1) {
        for (let call = 0; call < 40; call += 1) world.request(founder, device.text, 'echo', new Uint8Array(1));
        world.run(1);
      }
      return trustOf(device, founder).received.sequence - before;
    };
    // A burst of 300 frames: two per turn until half of it is gone.
    expect(framesOf(50)).toBe(100);
    framesOf(60);
    expect(framesOf(20)).toBe(20);
  });

  it('a call that nobody answers is reported when its time is over', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.cut.add(device.address.host);
    const id = world.request(founder, device.text, 'echo', Uint8Array.of(7));
    world.run(6_000);
    expect(refusalOf(founder, id)).toBe('RN-MESH-021');
  });

  it('a message above what the peer accepts is refused here and nothing is sent', () => {
    const world = new World(crypto);
    const { device, founder } = linked(world);
    expect(refusalOf(device, world.request(device, founder.text, 'echo', new Uint8Array(300_000)))).toBe('RN-MESH-025');
    expect(liveness(device, founder)).toBe('up');
  });
});

describe('a ledger that lost its end', () => {
  it('is given back by a member before the voter decides anything, and nothing forks', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.kill(founder);
    founder.disk.ledger = founder.disk.ledger.slice(0, -1);
    const before = device.swarm!.status().mesh!.commitIndex;
    world.start(founder);
    world.runUntil(() => liveness(founder, device) === 'up', 10_000);
    world.run(1_000);
    expect(founder.swarm!.status().mesh!.commitIndex).toBe(before);
    invite(world, founder);
    world.run(500);
    expect(device.swarm!.status().mesh!.commitIndex).toBe(before + 1);
    expect([...founder.codes, ...device.codes]).not.toContain('CHAIN_MISMATCH');
  });

  it('with damage in the middle keeps what is good on disk and fetches the rest once', () => {
    const world = new World(crypto);
    const { founder, device } = linked(world);
    world.kill(device);
    const entries = device.disk.ledger.length;
    device.disk.ledger = device.disk.ledger.map((record, index) => (index === 1 ? record.map((byte) => byte ^ 1) : record));
    world.start(device);
    world.runUntil(() => device.swarm!.status().mesh!.commitIndex === founder.swarm!.status().mesh!.commitIndex, 10_000);
    expect(device.codes).toContain('STATE_DEGRADED');
    world.kill(device);
    expect(device.disk.ledger).toHaveLength(entries);
    const seen = device.events.length;
    world.start(device);
    world.run(1_000);
    expect(device.events.slice(seen).map((event) => event.code)).not.toContain('STATE_DEGRADED');
  });
});
