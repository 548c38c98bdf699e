import { describe, expect, it } from 'vitest';
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { MINUTE } from '#core/time/time.ts';
import { decodeBoot } from '#mesh/hcth/boot-event.ts';
import { decodeCheckpointRoot } from '#mesh/hcth/checkpoint-root.ts';
import { LABELS } from '#mesh/hcth/labels.ts';
import { readOwnStatements, unpackStatement } from '#mesh/hcth/own-statements.ts';
import { decodeDamage } from '#mesh/hcth/past-damage.ts';
import { storedPeer } from '#test/kit/stored-peers.ts';
import { objectDigest } from '#mesh/hcth/signed-object.ts';
import { decodeStatement, type Statement, verifyStatements } from '#mesh/hcth/statement-log.ts';
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
  world.runUntil(() => sees(founder, device) && sees(device, founder), 5_000);
  return [founder, device];
}

function sees(node: WorldNode, of: WorldNode): boolean {
  return node.swarm?.status().nodes.find((view) => view.aid === of.text)?.liveness === 'up';
}

function statementsOf(node: WorldNode): readonly Statement[] {
  return node.disk.statements.flatMap((record) => decodeStatement(unpackStatement(record)!.body) ?? []);
}

/** What a machine's disk says that another one said last. */
function keptOf(node: WorldNode, peer: WorldNode): Statement | undefined {
  const record = storedPeer(node.disk.peers.get(peer.text)!);
  return record?.statement === undefined ? undefined : decodeStatement(record.statement.body);
}

describe('the statement log in life', () => {
  it('P-9: every ten minutes a root over the link heads, and a farewell: one chain from the boot event on, kept by the others', () => {
    const world = new World(crypto, 'statements');
    const [founder, device] = pair(world);
    world.run(31 * MINUTE);
    expect(statementsOf(device).map(({ kind, number }) => `${kind} ${number}`)).toEqual(['ckroot 1', 'ckroot 2', 'ckroot 3']);
    const roots = statementsOf(device).map(({ body }) => decodeCheckpointRoot(body)!);
    expect(roots.every(({ links, commit }) => links === 1 && commit === founder.swarm!.status().mesh!.commitIndex)).toBe(true);
    expect(new Set(roots.map(({ root }) => hex(root))).size).toBe(3);
    world.input(device, { kind: 'stop' });
    world.run(1_000);
    const objects = device.disk.statements.map((record) => unpackStatement(record)!);
    const boot = objects.findIndex(({ body }) => decodeBoot(body) !== undefined);
    expect(verifyStatements(crypto, device.identity.established, objects[boot]!, objects.slice(boot + 1))).toMatchObject({ kind: 'valid', tip: { number: 4 } });
    world.input(founder, { kind: 'stop' });
    expect(keptOf(founder, device)).toMatchObject({ kind: 'bye', number: 4 });
  });

  it('P-9: a boot event names the boot event and the statement before it', () => {
    const world = new World(crypto, 'boots');
    const [, device] = pair(world);
    world.run(11 * MINUTE);
    const before = readOwnStatements(crypto, device.disk.statements);
    world.kill(device);
    world.start(device);
    const boot = decodeBoot(unpackStatement(device.disk.statements.at(-1)!)!.body)!;
    expect(hex(boot.previousBoot)).toBe(hex(before.boot));
    expect(hex(boot.previousStatement)).toBe(hex(before.statement));
    expect([before.boot, before.statement].some((digest) => digest.every((byte) => byte === 0))).toBe(false);
  });

  it('P-10: a card that forgot its statements is told the newest by whoever kept it, and names it at its next start', () => {
    const world = new World(crypto, 'forgetful');
    const [founder, device] = pair(world);
    const early = device.disk.statements;
    world.run(21 * MINUTE);
    const said = unpackStatement(device.disk.statements.at(-1)!)!;
    world.kill(device);
    device.disk.statements = [...early];
    world.run(3_000);
    world.start(device);
    world.runUntil(() => sees(device, founder) && device.codes.includes('STATE_RECALLED'), 40_000);
    world.kill(device);
    world.start(device);
    const boot = decodeBoot(unpackStatement(device.disk.statements.at(-1)!)!.body)!;
    // It has said so to everybody (H-52), and that report is the last thing it knows of itself.
    const report = unpackStatement(device.disk.statements.at(-2)!)!;
    expect(bytesEqual(boot.previousStatement, objectDigest(crypto, LABELS.statement, report.body))).toBe(true);
    const told = decodeDamage(decodeStatement(report.body)!.body)!;
    expect([told.kind, hex(told.missing)]).toEqual(['lost', hex(objectDigest(crypto, LABELS.statement, said.body))]);
    expect(founder.codes).toContain('PAST_DAMAGED');
    // It is told once: it knows now.
    world.run(60_000);
    expect(device.codes.filter((code) => code === 'STATE_RECALLED')).toHaveLength(1);
  });

  it('P-10: who forgot nothing is told nothing, however often it restarts', () => {
    const world = new World(crypto, 'restarts');
    const [founder, device] = pair(world);
    for (let round = 0; round < 3; round += 1) {
      world.run(11 * MINUTE);
      world.kill(device);
      world.run(2_000);
      world.start(device);
      world.runUntil(() => sees(device, founder), 40_000);
    }
    expect([...device.codes, ...founder.codes]).not.toContain('STATE_RECALLED');
  });

  it('P-11: a ledger that is shorter than its owner had signed is noticed at start', () => {
    const world = new World(crypto, 'short');
    const [founder, device] = pair(world);
    world.run(11 * MINUTE);
    world.kill(device);
    device.disk.ledger = device.disk.ledger.slice(0, 1);
    world.start(device);
    expect(device.codes).toContain('STATE_DEGRADED');
    world.runUntil(() => device.swarm!.status().mesh!.commitIndex === founder.swarm!.status().mesh!.commitIndex, 40_000);
  });

  it('P-11: a membership that is gone is written again from the ledger', () => {
    const world = new World(crypto, 'no membership');
    const [founder, device] = pair(world);
    world.run(60_000);
    for (const node of [device, founder]) {
      world.kill(node);
      const membership = node.disk.documents.get('membership')!;
      node.disk.documents.delete('membership');
      world.run(2_000);
      world.start(node);
      expect(node.codes).toContain('STATE_TAIL_REPAIRED');
      expect(node.swarm!.status().mesh!.name).toBe('attic');
      expect(node.disk.documents.has('membership')).toBe(true);
      if (node === device) expect(hex(node.disk.documents.get('membership')!)).toBe(hex(membership));
      world.runUntil(() => sees(device, founder) && sees(founder, device), 40_000);
    }
  });

  it('H-9: with its count lost a node starts far ahead, and once its peers show how far it was it goes on a thousand beyond', () => {
    const world = new World(crypto, 'unreadable');
    const [founder, device] = pair(world);
    world.kill(device);
    world.run(2_000);
    world.start(device, 5_000);
    world.runUntil(() => sees(device, founder) && sees(founder, device), 40_000);
    world.run(5_000);
    world.kill(device);
    world.run(2_000);
    world.start(device, 1_000, 'unreadable');
    world.runUntil(() => sees(device, founder) && sees(founder, device), 60_000);
    expect(device.swarm!.self.boot.incarnation).toBe(6_000);
    expect(device.codes).toContain('STATE_RESTORED');
    expect(device.codes).not.toContain('IDENTITY_CONTESTED');
    expect([...device.codes, ...founder.codes]).not.toContain('EQUIVOCATION');
  });
});
