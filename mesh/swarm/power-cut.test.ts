import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

function done(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(reply)}`);
  return reply.value;
}

const invitation = { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } } as const;

function pair(world: World): readonly [WorldNode, WorldNode] {
  const founder = world.add('founder');
  done(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const { token } = done(founder, world.command(founder, invitation)) as Invitation;
  const device = world.add('device');
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => sees(founder, device) && sees(device, founder), 5_000);
  return [founder, device];
}

function sees(node: WorldNode, of: WorldNode): boolean {
  return node.swarm?.status().nodes.find((view) => view.aid === of.text)?.liveness === 'up';
}

describe('a power cut', () => {
  for (const victim of [0, 1] as const) {
    for (const afterMs of [0, 100, 1_000, 5_000, 30_000, 61_000, 130_000]) {
      it(`of the ${victim === 0 ? 'voter' : 'member'} ${afterMs} ms after joining, once and again: the two meet again and nobody is blamed`, () => {
        const world = new World(crypto, `cut ${victim} ${afterMs}`);
        const nodes = pair(world);
        const [cut, other] = victim === 0 ? nodes : [nodes[1], nodes[0]];
        for (const pauseMs of [afterMs, 700]) {
          world.run(pauseMs);
          world.kill(cut);
          world.run(3_000);
          world.start(cut);
          world.runUntil(() => sees(cut, other) && sees(other, cut), 40_000);
          world.run(10_000);
          expect(sees(cut, other) && sees(other, cut)).toBe(true);
        }
        for (const node of [cut, other])
          expect(node.codes.filter((code) => code === 'CHAIN_MISMATCH' || code === 'SEQ' || code === 'IDENTITY_STALE')).toEqual([]);
      });
    }
  }

  it('that takes the end of the voter’s ledger: the members give it back', () => {
    const world = new World(crypto);
    const [founder, device] = pair(world);
    done(founder, world.command(founder, invitation));
    done(founder, world.command(founder, invitation));
    world.run(1_000);
    const before = device.swarm!.status().mesh!.commitIndex;
    world.kill(founder);
    founder.disk.ledger = founder.disk.ledger.slice(0, -2);
    world.run(3_000);
    world.start(founder);
    world.runUntil(() => founder.swarm!.status().mesh!.commitIndex === before, 40_000);
    done(founder, world.command(founder, invitation));
    world.run(1_000);
    expect(device.swarm!.status().mesh!.commitIndex).toBe(before + 1);
  });
});
