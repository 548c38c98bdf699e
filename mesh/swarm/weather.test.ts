import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { createRng } from '#core/random/random.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();
const SEEDS = 12;

/** Five honest nodes in bad weather: power cuts, silence, broken connections, hints at odd moments. */
function weather(seed: string): { world: World; nodes: WorldNode[]; hurt: Record<string, number> } {
  const world = new World(crypto, seed);
  const rng = createRng(`weather/${seed}`);
  const founder = world.add('founder');
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
  const { tag } = founder.swarm!.status().mesh!;
  const nodes = [founder];
  for (const name of ['a', 'b', 'c', 'd']) {
    const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    const answer = founder.replies.get(id);
    if (answer?.kind !== 'done') throw new Error('no invitation');
    const node = world.add(name);
    world.command(node, { kind: 'join', options: { mode: 'token', token: (answer.value as Invitation).token, peers: [] } });
    world.hint(node, founder, tag);
    world.run(1_000);
    nodes.push(node);
  }
  const hurt = { kill: 0, cut: 0, break: 0, hint: 0, network: 0, stop: 0 };
  const pick = (): WorldNode => nodes[Math.floor(rng.next() * nodes.length)]!;
  for (let turn = 0; turn < 40; turn += 1) {
    const node = pick();
    const dice = rng.next();
    if (dice < 0.2 && node.swarm !== null) {
      world.kill(node);
      hurt.kill += 1;
    } else if (dice < 0.3 && node.swarm !== null) {
      world.input(node, { kind: 'stop' });
      world.run(5);
      world.kill(node);
      hurt.stop += 1;
    } else if (dice < 0.5 && node.swarm === null) world.start(node);
    else if (dice < 0.65) {
      world.cut.add(node.address.host);
      hurt.cut += 1;
    } else if (dice < 0.8) world.cut.clear();
    else if (dice < 0.9) {
      world.breakAfter = () => {
        world.breakAfter = null;
        hurt.break += 1;
        return true;
      };
    } else if (dice < 0.95 && node.swarm !== null) {
      for (const other of nodes) if (other !== node) world.hint(node, other, tag);
      hurt.hint += 1;
    } else if (node.swarm !== null) {
      world.input(node, { kind: 'network-changed' });
      hurt.network += 1;
    }
    world.run(Math.floor(rng.next() * 20_000));
  }
  world.breakAfter = null;
  world.cut.clear();
  for (const node of nodes) if (node.swarm === null) world.start(node);
  return { world, nodes, hurt };
}

describe('five honest nodes in bad weather', () => {
  const totals = { kill: 0, cut: 0, break: 0, hint: 0, network: 0, stop: 0 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    it(`seed ${seed}: nobody is blamed for more than declared losses, and all find each other again`, () => {
      const { world, nodes, hurt } = weather(String(seed));
      world.runUntil(() => nodes.every((node) => node.swarm!.status().nodes.filter((view) => view.liveness === 'up').length === nodes.length), 120_000);
      for (const node of nodes) {
        const status = node.swarm!.status();
        expect(status.state, node.name).toBe('member');
        expect(
          node.codes.filter((code) => ['IDENTITY_CONTESTED', 'IDENTITY_STALE', 'EQUIVOCATION', 'AEAD_FAIL', 'SEQ', 'CHAIN_MISMATCH'].includes(code)),
        ).toEqual([]);
        for (const view of status.nodes) expect(Object.keys(view.trust?.breaks ?? {}).filter((breakClass) => breakClass !== 'B1')).toEqual([]);
      }
      expect(new Set(nodes.map((node) => node.swarm!.status().mesh!.commitIndex)).size).toBe(1);
      for (const [key, count] of Object.entries(hurt)) totals[key as keyof typeof totals] += count;
    });
  }

  it('the weather was bad', () => {
    expect(Math.min(...Object.values(totals))).toBeGreaterThan(3);
  });
});
