import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

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

describe('swarm', () => {
  it('a founder is a mesh of one', () => {
    const world = new World(crypto);
    const founder = found(world);
    const status = founder.swarm!.status();
    expect(status.state).toBe('member');
    expect(status.mesh).toMatchObject({ name: 'attic', voters: 1, commitIndex: 1 });
    expect(status.nodes).toHaveLength(1);
  });

  it('a machine with an invitation becomes a member and has the same ledger', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { token } = invite(world, founder);
    const device = world.add('device');
    const id = joinByToken(world, device, token);
    world.hint(device, founder);
    world.run(2_000);
    expect(reply(device, id)).toBe(null);
    expect(device.swarm!.status()).toMatchObject({ state: 'member', mesh: { name: 'attic', commitIndex: founder.swarm!.status().mesh!.commitIndex } });
    expect(liveness(founder, device)).toBe('up');
    expect(liveness(device, founder)).toBe('up');
    expect(founder.codes).toContain('MEMBER_JOINED');
  });
});
