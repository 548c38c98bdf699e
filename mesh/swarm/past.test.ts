/** Stored histories in life: what a node finds in its own, what its peers hear of it, what it costs, what is kept. */
import { describe, expect, it } from 'vitest';
import { hex, utf8 } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { MINUTE } from '#core/time/time.ts';
import { decodeBoot } from '#mesh/hcth/boot-event.ts';
import { decodeKept } from '#mesh/hcth/kept-evidence.ts';
import { verifyOwnPast } from '#mesh/hcth/own-past.ts';
import { packStatement, unpackStatement } from '#mesh/hcth/own-statements.ts';
import type { TrustAccount } from './trust-explanation.ts';
import type { EventRecord, Invitation, TrustView } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

function done(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(reply)}`);
  return reply.value;
}

function join(world: World, founder: WorldNode, name: string): WorldNode {
  const invitation = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
  const { token } = done(founder, world.command(founder, { kind: 'invite', options: invitation })) as Invitation;
  const device = world.add(name);
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => sees(founder, device) && sees(device, founder), 5_000);
  return device;
}

/** A founder and a device at T3: a life with two roots and a farewell, and one that has only begun. */
function pair(world: World): readonly [WorldNode, WorldNode] {
  const founder = world.add('founder');
  done(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const device = join(world, founder, 'device');
  world.run(21 * MINUTE);
  world.input(device, { kind: 'stop' });
  world.run(2_000);
  world.kill(device);
  back(world, device, founder);
  world.run(4 * MINUTE);
  expect(trustOf(founder, device)).toMatchObject({ level: 3, standing: 'clear' });
  expect(trustOf(founder, device).may).toEqual(expect.arrayContaining(['voter', 'receive-workloads', 'receive-secrets']));
  return [founder, device];
}

function sees(node: WorldNode, of: WorldNode): boolean {
  return node.swarm?.status().nodes.find((view) => view.aid === of.text)?.liveness === 'up';
}

function trustOf(node: WorldNode, of: WorldNode): TrustView {
  return node.swarm!.status().nodes.find((view) => view.aid === of.text)!.trust!;
}

/** Orderly stop, something done to the disk, start; until both see each other. */
function meddle(world: World, node: WorldNode, other: WorldNode, change: (records: readonly Uint8Array[]) => readonly Uint8Array[]): void {
  world.input(node, { kind: 'stop' });
  world.run(2_000);
  world.kill(node);
  node.disk.statements = [...change(node.disk.statements)];
  back(world, node, other);
}

function back(world: World, node: WorldNode, other: WorldNode): void {
  world.start(node);
  world.runUntil(() => sees(node, other) && sees(other, node), 40_000);
  world.run(2_000);
}

function damages(node: WorldNode): readonly EventRecord[] {
  return node.events.filter(({ code }) => code === 'PAST_DAMAGED');
}

function edit(record: Uint8Array): Uint8Array {
  const { body, sig } = unpackStatement(record)!;
  return packStatement({ body: body.with(body.length - 1, body.at(-1)! ^ 1), sig });
}

const MEDDLINGS: readonly (readonly [string, string, (records: readonly Uint8Array[]) => readonly Uint8Array[]])[] = [
  ['edited', 'B3', (records) => records.with(2, edit(records[2]!))],
  ['dropped', 'B3', (records) => records.toSpliced(2, 1)],
  ['reordered', 'B3', (records) => records.with(2, records[3]!).with(3, records[2]!)],
];

describe('a stored history that was meddled with', () => {
  for (const [kind, breakClass, change] of MEDDLINGS)
    it(`SECU-03, H-52: an entry that was ${kind} is named on both sides, costs ${breakClass}, and both halves are kept`, () => {
      const world = new World(crypto, `past ${kind}`);
      const [founder, device] = pair(world);
      const before = trustOf(founder, device);
      const found = change(device.disk.statements)[2]!;
      meddle(world, device, founder, change);
      const [own] = damages(device);
      const [told] = damages(founder);
      expect(own).toMatchObject({ severity: 'critical', aid: device.text, data: { kind, index: 3, incarnation: 1, class: breakClass } });
      expect(told).toMatchObject({ severity: 'warning', aid: device.text, data: { ...own!.data, level: trustOf(founder, device).level } });
      expect([damages(device).length, damages(founder).length]).toEqual([1, 1]);
      expect(device.swarm!.status().degraded.join()).toContain('entry 3 of the own stored history');
      // Trust falls by the stated amount, and what it permits with it.
      const after = trustOf(founder, device);
      expect(after).toMatchObject({ standing: 'frozen', breaks: { [breakClass]: 1 } });
      expect(after.debt).toBeCloseTo(before.debt + 0.7, 5);
      expect(after.timeCreditMs).toBeLessThanOrEqual(before.timeCreditMs / 2 + 2 * MINUTE);
      expect(after.level).toBeLessThan(2);
      for (const action of ['voter', 'receive-workloads', 'receive-secrets', 'call-standard']) expect(after.may).not.toContain(action);
      // The other half, by name, with the report that names what was found and what should stand there.
      const account = done(founder, world.command(founder, { kind: 'explain-trust', who: 'device' })) as TrustAccount;
      expect(account.lines.join('\n')).toContain('entry 3 of its stored history');
      expect(account.evidence).toMatchObject([{ name: told!.data['evidence'], class: breakClass }]);
      const kept = decodeKept(founder.disk.evidence.get(String(told!.data['evidence']))!)!;
      expect(kept.objects.length).toBeGreaterThanOrEqual(4);
      expect(own!.data['found']).toBe(hex(crypto.sha256(found)));
      // Repaired: the next start is sound, says nothing new, and costs nothing more.
      expect(verifyOwnPast(crypto, device.identity.established, device.disk.statements).damage).toBeNull();
      meddle(world, device, founder, (records) => records);
      expect([damages(device).length, damages(founder).length]).toEqual([1, 1]);
      expect(trustOf(founder, device).breaks).toEqual({ [breakClass]: 1 });
      done(founder, world.command(founder, { kind: 'settle', who: 'device', copy: null }));
      expect(trustOf(founder, device).standing).toBe('clear');
    });

  it('H-52: a peer that was away hears of it on its next link, once; a newcomer hears of it and holds nothing against it', () => {
    const world = new World(crypto, 'past away');
    const [founder, device] = pair(world);
    const away = join(world, founder, 'away');
    world.runUntil(() => sees(away, device), 60_000);
    world.run(2 * MINUTE);
    world.kill(away);
    meddle(world, device, founder, (records) => records.toSpliced(2, 1));
    world.run(2 * MINUTE);
    meddle(world, device, founder, (records) => records);
    world.start(away);
    world.runUntil(() => sees(away, device) && sees(device, away), 60_000);
    world.run(2_000);
    expect(trustOf(away, device).breaks).toMatchObject({ B3: 1 });
    meddle(world, device, away, (records) => records);
    expect(trustOf(away, device).breaks).toMatchObject({ B3: 1 });
    const newcomer = join(world, founder, 'newcomer');
    world.runUntil(() => sees(newcomer, device) && sees(device, newcomer), 60_000);
    world.run(2_000);
    expect(damages(newcomer)).toHaveLength(1);
    expect(trustOf(newcomer, device)).toMatchObject({ standing: 'clear', breaks: {} });
  });

  it('H-53: a log cut off at its end says nothing by itself; the peer that holds its last boot event says it, to both', () => {
    const world = new World(crypto, 'past cut');
    const [founder, device] = pair(world);
    const boots = device.disk.statements.flatMap((record, index) => (decodeBoot(unpackStatement(record)!.body) === undefined ? [] : [index]));
    meddle(world, device, founder, (records) => records.slice(0, boots.at(-1)));
    // The boot event is named by the peer; the farewell that was said after it is given back, and reported as a lost end.
    expect(damages(founder)).toMatchObject([
      { severity: 'warning', data: { kind: 'dropped', incarnation: 2, number: 0, class: 'B2' } },
      { severity: 'notice', data: { kind: 'lost', incarnation: 2, number: 1, class: 'B1' } },
    ]);
    expect(damages(device).at(0)).toMatchObject({ severity: 'critical', data: { kind: 'dropped', incarnation: 2, number: 0 } });
    expect(trustOf(founder, device)).toMatchObject({ standing: 'clear' });
    expect(trustOf(founder, device).breaks['B2']).toBe(1);
    expect(trustOf(founder, device).debt).toBeGreaterThanOrEqual(0.35);
    meddle(world, device, founder, (records) => records);
    expect(trustOf(founder, device).breaks['B2']).toBe(1);
  });

  it('H-52: what is no report of ours, or signed by somebody else, costs nobody anything', () => {
    const world = new World(crypto, 'past none');
    const [founder, device] = pair(world);
    meddle(world, device, founder, (records) => records);
    expect([...damages(founder), ...damages(device)]).toEqual([]);
    expect(trustOf(founder, device)).toMatchObject({ standing: 'clear', breaks: {} });
    expect(unpackStatement(utf8('nonsense'))).toBeUndefined();
  });
});
