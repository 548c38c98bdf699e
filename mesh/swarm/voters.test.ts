import { describe, expect, test } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

/** A mesh of so many machines, the first of them its founder; the first `voters` of them vote. */
function meshOf(world: World, count: number, voters: number, levelFloor: 0 | 2 = 2, grownWithinMs = 60_000): readonly WorldNode[] {
  const [founder, ...others] = Array.from({ length: count }, (_, index) => world.add(`node-${index + 1}`, { levelFloor }));
  if (founder === undefined) throw new Error('a mesh has a founder');
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'token', trustProfile: 'lab' } });
  const invited = world.command(founder, { kind: 'invite', options: { role: 'member', uses: count, expiresInMs: 3_600_000, label: null } });
  const { token } = value(founder, invited) as Invitation;
  for (const node of others) {
    world.command(node, { kind: 'join', options: { mode: 'token', token, peers: [] } });
    world.hint(node, founder, founder.swarm?.status().mesh?.tag ?? null);
  }
  const nodes = [founder, ...others];
  world.runUntil(() => nodes.every((node) => node.swarm!.status().nodes.filter(({ liveness }) => liveness === 'up').length === count), 30_000);
  for (const node of others.slice(0, voters - 1)) value(founder, world.command(founder, { kind: 'add-voter', who: node.name }), world);
  world.runUntil(() => nodes.every((node) => node.swarm!.status().mesh?.voters === voters), grownWithinMs);
  return nodes;
}

/** The answer to a command, waited for where it takes a quorum. */
function value(node: WorldNode, id: number, world?: World): unknown {
  world?.runUntil(() => node.replies.has(id), 15_000);
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(reply)}`);
  return reply.value;
}

function refusal(world: World, node: WorldNode, id: number): string {
  world.runUntil(() => node.replies.has(id), 15_000);
  const reply = node.replies.get(id);
  return reply?.kind === 'refused' ? `${reply.refusal.code} ${reply.refusal.text}` : `no refusal but ${JSON.stringify(reply)}`;
}

const invite = { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } } as const;
const meshView = (node: WorldNode) => node.swarm!.status().mesh!;
const others = (nodes: readonly WorldNode[], node: WorldNode): readonly WorldNode[] => nodes.filter((one) => one !== node);

describe('a mesh of several voters', () => {
  test('C-36, C-37: grows out of one voter; everybody sees the same leader, term and voters; every node decides', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 5, 3);
    world.run(1_000);
    for (const node of nodes) expect(meshView(node)).toMatchObject({ voters: 3, quorum: 2, leader: 'node-1', term: meshView(nodes[0]!).term });
    for (const node of nodes) expect(value(node, world.command(node, invite), world)).toMatchObject({ standing: 'open' });
    world.run(1_000);
    for (const node of nodes) expect(meshView(node).commitIndex).toBe(meshView(nodes[0]!).commitIndex);
  });

  test('goes on without its leader, which follows when it is back; observers believe the new one', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 5, 3);
    const [leader, second] = nodes;
    const before = meshView(second!);
    world.kill(leader!);
    const rest = others(nodes, leader!);
    const tookMs = world.runUntil(() => rest.every((node) => !['node-1', null].includes(meshView(node).leader)), 10_000);
    expect(tookMs).toBeLessThan(5_000);
    expect(meshView(second!).term).toBeGreaterThan(before.term);
    for (const node of rest) expect(value(node, world.command(node, invite), world)).toMatchObject({ standing: 'open' });
    world.start(leader!);
    world.runUntil(() => meshView(leader!).commitIndex === meshView(second!).commitIndex, 30_000);
    world.run(3_000);
    for (const node of nodes)
      expect(meshView(node)).toMatchObject({ leader: meshView(second!).leader, term: meshView(second!).term, commitIndex: meshView(second!).commitIndex });
  });

  test('C-37: who asked a leader that lost its power hears so once another one leads, from voters and observers alike', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 5, 3);
    const [leader, second, , , observer] = nodes;
    world.cut.add(leader!.address.host);
    const asked = [second!, observer!].map((node) => ({ node, id: world.command(node, invite) }));
    world.runUntil(() => asked.every(({ node, id }) => node.replies.has(id)), 5_000);
    for (const { node, id } of asked) expect(refusal(world, node, id)).toMatch(/node-1 leads no longer, and whether it carried the command out is not known/);
    for (const node of [second!, observer!]) expect(value(node, world.command(node, invite), world)).toMatchObject({ standing: 'open' });
  });

  test('newcomers that vote may speak as often as that takes', () => {
    const world = new World(crypto);
    // Ten seconds as learners (C-17), and not held up by the two frames a second of newcomers.
    const nodes = meshOf(world, 3, 3, 0, 12_000);
    const { term } = meshView(nodes[0]!);
    world.run(60_000);
    for (const node of nodes) expect(meshView(node)).toMatchObject({ leader: 'node-1', term });
    expect(value(nodes[2]!, world.command(nodes[2]!, invite), world)).toMatchObject({ standing: 'open' });
  });

  test('C-37: without a quorum it says so at once, and decides again when one is back', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 3, 3);
    const [one, two, three] = nodes;
    world.kill(two!);
    world.kill(three!);
    world.run(20_000);
    expect(refusal(world, one!, world.command(one!, invite))).toMatch(/read-only: 1 of 3, need 2$/);
    world.start(two!);
    world.runUntil(() => meshView(one!).leader !== null && meshView(two!).leader !== null, 60_000);
    expect(value(one!, world.command(one!, invite), world)).toMatchObject({ standing: 'open' });
  });

  test('C-33: comes up again when all were off, from what their disks have', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 3, 3);
    const { commitIndex, term } = meshView(nodes[0]!);
    for (const node of nodes) world.kill(node);
    for (const node of nodes) world.start(node);
    world.runUntil(() => nodes.every((node) => meshView(node).leader !== null && meshView(node).commitIndex > commitIndex), 60_000);
    for (const node of nodes) expect(meshView(node).term).toBeGreaterThan(term);
    expect(value(nodes[2]!, world.command(nodes[2]!, invite), world)).toMatchObject({ standing: 'open' });
    // Each change was told once; after the start only the newest again: its disk did not know yet that it was committed.
    const told = nodes[0]!.events.filter(({ code }) => code === 'VOTERS_CHANGED').map(({ data }) => data?.['voters']);
    expect(told).toEqual([2, 3, 3]);
  });

  test('lets a machine in under a leader that did not found it', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 3, 3);
    world.kill(nodes[0]!);
    const rest = nodes.slice(1);
    world.runUntil(() => rest.every((node) => !['node-1', null].includes(meshView(node).leader)), 20_000);
    const leader = rest.find((node) => meshView(node).leader === node.name)!;
    const { token } = value(leader, world.command(leader, invite), world) as Invitation;
    const late = world.add('late');
    world.command(late, { kind: 'join', options: { mode: 'token', token, peers: [] } });
    world.hint(late, leader, meshView(leader).tag);
    world.runUntil(() => late.swarm!.status().nodes.length === 4, 30_000);
    expect(meshView(late)).toMatchObject({ voters: 3, quorum: 2 });
  });

  test('gives and takes votes, never the last one, and says what is in the way', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 2, 1);
    const [one, two] = nodes;
    expect(refusal(world, one!, world.command(one!, { kind: 'remove-voter', who: 'node-1' }))).toMatch(/only voter/);
    expect(refusal(world, one!, world.command(one!, { kind: 'add-voter', who: 'node-1' }))).toMatch(/a voter already/);
    value(two!, world.command(two!, { kind: 'add-voter', who: 'node-2' }), world);
    world.runUntil(() => nodes.every((node) => meshView(node).voters === 2), 60_000);
    expect(refusal(world, two!, world.command(two!, { kind: 'leave' }))).toMatch(/voters remove/);
    value(one!, world.command(one!, { kind: 'remove-voter', who: 'node-2' }), world);
    world.runUntil(() => nodes.every((node) => meshView(node).voters === 1), 60_000);
    expect(value(two!, world.command(two!, invite), world)).toMatchObject({ standing: 'open' });
  });

  test('the founder can hand its vote over and leave', () => {
    const world = new World(crypto);
    const nodes = meshOf(world, 3, 3);
    const [one, two, three] = nodes;
    value(one!, world.command(one!, { kind: 'remove-voter', who: 'node-1' }), world);
    world.runUntil(() => [two!, three!].every((node) => meshView(node).voters === 2 && !['node-1', null].includes(meshView(node).leader)), 60_000);
    world.runUntil(() => meshView(one!).leader !== null && meshView(one!).leader !== 'node-1', 60_000);
    world.command(one!, { kind: 'leave' });
    world.runUntil(() => [two!, three!].every((node) => node.swarm!.status().nodes.length === 2), 30_000);
  });
});
