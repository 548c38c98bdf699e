import { describe, expect, it } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { makeRotation } from '#mesh/hcth/establishment-events.ts';
import { extendEstablishment } from '#mesh/hcth/establishment.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import { Outlaw } from './outlaw-for-tests.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

function done(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(reply)}`);
  return reply.value;
}

function join(world: World, founder: WorldNode, name: string): WorldNode {
  const options = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
  const { token } = done(founder, world.command(founder, { kind: 'invite', options })) as Invitation;
  const device = world.add(name, { levelFloor: 2 });
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, tagOf(founder));
  world.runUntil(() => sees(founder, device) && sees(device, founder), 10_000);
  return device;
}

/** A founder and members, all linked with all. */
function meshOf(world: World, ...names: readonly string[]): readonly [WorldNode, ...WorldNode[]] {
  const founder = world.add('founder', { levelFloor: 2 });
  done(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const devices = names.map((name) => join(world, founder, name));
  for (const a of devices) for (const b of devices) if (a !== b) world.hint(a, b, tagOf(founder));
  allSee(world, founder, ...devices);
  return [founder, ...devices];
}

function allSee(world: World, ...nodes: readonly WorldNode[]): void {
  world.runUntil(() => nodes.every((a) => nodes.every((b) => a === b || sees(a, b))), 120_000);
}

function tagOf(node: WorldNode): string {
  return node.swarm!.status().mesh!.tag;
}

function viewOf(node: WorldNode, of: WorldNode) {
  return node.swarm?.status().nodes.find((view) => view.aid === of.text);
}

function sees(node: WorldNode, of: WorldNode): boolean {
  return viewOf(node, of)?.liveness === 'up';
}

function eventsOf(node: WorldNode, code: string): readonly string[] {
  return node.events.filter((event) => event.code === code).map((event) => event.text);
}

/** The machine as it was: what a thief has who copied the card. */
function copyOf(node: WorldNode): { readonly identity: Identity; readonly record: Uint8Array } {
  const decoded = decodeMessage(MESSAGE_TYPE.WELCOME, node.disk.documents.get('membership')!);
  if (decoded.kind !== 'ok' || decoded.message.kind !== 'welcome') throw new Error('a member keeps its welcome');
  return { identity: node.identity, record: decoded.message.record.slice() };
}

function attack(world: World, victim: WorldNode, copy: ReturnType<typeof copyOf>, incarnation = 50): Outlaw {
  return new Outlaw(world, victim, { identity: copy.identity, record: copy.record, meshTag: fromHex(tagOf(victim))!, incarnation }).run(200);
}

describe('a planned rotation', () => {
  it('H-6, H-61: is told at once to everybody linked; trust, name and membership stay, and nothing is lost', () => {
    const world = new World(crypto);
    const [founder, attic, cellar] = meshOf(world, 'attic', 'cellar') as [WorldNode, WorldNode, WorldNode];
    world.run(5 * 60_000);
    const before = viewOf(cellar, attic)!;
    expect(before.trust!.score).toBeGreaterThan(0.05);
    world.rotate(attic);
    world.run(15);
    // Before the new incarnation has so much as connected.
    expect(viewOf(cellar, attic)!.rotation).toBe(1);
    allSee(world, founder, attic, cellar);
    world.run(2_000);
    for (const node of [founder, cellar]) {
      const after = viewOf(node, attic)!;
      expect(after).toMatchObject({ rotation: 1, name: 'attic', role: 'member', aid: before.aid });
      expect(after.trust!.breaks).toEqual({});
      expect(eventsOf(node, 'KEY_ROTATED')).toEqual(['attic has a new key (rotation 1); its former key is refused from now on']);
    }
    expect(viewOf(cellar, attic)!.trust!.score).toBeGreaterThanOrEqual(before.trust!.score);
    // The ledger has sealed it, on all three.
    for (const node of [founder, attic, cellar]) expect(node.swarm!.status().mesh!.commitIndex).toBe(founder.swarm!.status().mesh!.commitIndex);
    expect(founder.disk.ledger.length).toBe(cellar.disk.ledger.length);
    world.run(5 * 60_000);
    expect(viewOf(cellar, attic)!.trust!.score).toBeGreaterThan(before.trust!.score);
  });

  it('H-61: whoever was away learns it in the next handshake', () => {
    const world = new World(crypto);
    const [founder, attic, cellar] = meshOf(world, 'attic', 'cellar') as [WorldNode, WorldNode, WorldNode];
    world.run(70_000);
    world.kill(cellar);
    world.kill(founder);
    world.rotate(attic);
    world.run(1_000);
    world.start(cellar);
    allSee(world, attic, cellar);
    expect(viewOf(cellar, attic)).toMatchObject({ rotation: 1, name: 'attic' });
    expect(viewOf(cellar, attic)!.trust!.breaks).toEqual({});
    world.start(founder);
    allSee(world, founder, attic, cellar);
    world.run(3_000);
    expect(founder.swarm!.status().mesh!.commitIndex).toBe(cellar.swarm!.status().mesh!.commitIndex);
  });

  it('H-60: after more rotations than a payload carries the log is fetched, whoever dials', () => {
    for (const dialler of ['away', 'rotated'] as const) {
      const world = new World(crypto, `long log ${dialler}`);
      const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
      world.run(70_000);
      world.kill(founder);
      for (let round = 0; round < 12; round += 1) {
        world.rotate(attic);
        world.run(50);
      }
      expect(attic.identity.established.rotations).toBe(12);
      // Only one of the two can be reached from the other.
      world.unreachable.add(dialler === 'away' ? founder.address.host : attic.address.host);
      world.start(founder);
      allSee(world, founder, attic);
      expect(viewOf(founder, attic)).toMatchObject({ rotation: 12, name: 'attic' });
      expect(viewOf(founder, attic)!.trust!.breaks).toEqual({});
      world.run(5_000);
      // Twelve rotations take two entries.
      expect(founder.swarm!.status().mesh!.commitIndex).toBe(attic.swarm!.status().mesh!.commitIndex);
      expect(eventsOf(founder, 'LEDGER_IGNORED')).toEqual([]);
    }
  });

  it('A-40: the voter rotates too: entries before and after are signed by the key of their time, and newcomers get in', () => {
    const world = new World(crypto);
    const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
    world.rotate(founder);
    world.run(500);
    allSee(world, founder, attic);
    const cellar = join(world, founder, 'cellar');
    world.run(3_000);
    for (const node of [attic, cellar]) {
      expect(
        node
          .swarm!.status()
          .nodes.map((view) => view.name)
          .sort(),
      ).toEqual(['attic', 'cellar', 'founder']);
      expect(node.swarm!.status().mesh!.commitIndex).toBe(founder.swarm!.status().mesh!.commitIndex);
    }
    // All of it holds again from the disk alone.
    world.kill(cellar);
    world.start(cellar);
    expect(cellar.swarm!.status().mesh!.commitIndex).toBe(founder.swarm!.status().mesh!.commitIndex);
    expect(eventsOf(cellar, 'STATE_DEGRADED')).toEqual([]);
    world.rotate(founder);
    world.run(500);
    allSee(world, founder, attic, cellar);
  });
});

describe('whoever holds an old key', () => {
  it('H-62: is refused after a planned rotation, named in an event, and the member is not blamed', () => {
    const world = new World(crypto);
    const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
    const stolen = copyOf(attic);
    world.rotate(attic);
    world.run(500);
    allSee(world, founder, attic);
    const thief = attack(world, founder, stolen);
    expect(thief.isOpen).toBe(false);
    expect(thief.ending).toMatchObject({ by: 'peer', code: 'IDENTITY_STALE' });
    expect(eventsOf(founder, 'OLD_KEY_REFUSED')).toEqual([expect.stringContaining('somebody at 10.0.9.9 holds an old key of attic')]);
    expect(viewOf(founder, attic)!.trust!.breaks).toEqual({});
    // Again and again: one event.
    for (let round = 0; round < 5; round += 1) attack(world, founder, stolen, 60 + round);
    expect(eventsOf(founder, 'OLD_KEY_REFUSED')).toHaveLength(1);
    expect(sees(founder, attic)).toBe(true);
  });

  it('H-62: also by a member that has never met the owner, because the ledger says so', () => {
    const world = new World(crypto);
    const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
    const stolen = copyOf(attic);
    world.rotate(attic);
    world.run(500);
    allSee(world, founder, attic);
    world.kill(attic);
    const cellar = join(world, founder, 'cellar');
    world.run(2_000);
    expect(viewOf(cellar, attic)!.rotation).toBe(null);
    const thief = attack(world, cellar, stolen);
    expect(thief.ending).toMatchObject({ code: 'IDENTITY_STALE' });
    expect(eventsOf(cellar, 'OLD_KEY_REFUSED')).toHaveLength(1);
  });

  it('H-62: is thrown out where it is in when the rotation becomes known', () => {
    const world = new World(crypto);
    const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
    const stolen = copyOf(attic);
    world.kill(attic);
    world.run(20_000);
    const thief = attack(world, founder, stolen);
    expect(thief.isOpen).toBe(true);
    // The owner takes its identity back.
    world.rotate(attic, { recovery: true, tell: false });
    world.run(1_000);
    world.hint(attic, founder, tagOf(founder));
    world.runUntil(() => sees(founder, attic) && sees(attic, founder), 60_000);
    thief.run(50);
    expect(thief.ending).toMatchObject({ by: 'peer', code: 'IDENTITY_STALE' });
    // What the copy did under the old key is not held against who has the next one.
    expect(viewOf(founder, attic)).toMatchObject({ rotation: 1, name: 'attic', role: 'member' });
    expect(viewOf(founder, attic)!.trust!.breaks).not.toHaveProperty('B2');
    expect(eventsOf(founder, 'KEY_ROTATED')).toEqual([expect.stringContaining('took its identity back with its next key (rotation 1)')]);
    expect(attack(world, founder, stolen, 70).isOpen).toBe(false);
  });

  it('H-62: a restored card is told that it has been replaced, and does not rotate a second time', () => {
    const world = new World(crypto);
    const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
    const before = attic.identity;
    world.rotate(attic);
    world.run(500);
    allSee(world, founder, attic);
    world.kill(attic);
    attic.identity = before;
    world.run(1_000);
    world.start(attic);
    expect(attic.swarm!.rotationFault()).toContain('no member has been reached');
    world.runUntil(() => attic.codes.includes('IDENTITY_SUPERSEDED'), 60_000);
    expect(attic.swarm!.status()).toMatchObject({ state: 'refused', stateReason: expect.stringContaining('rotation 1 of this identity was made elsewhere') });
    expect(attic.swarm!.rotationFault()).toContain('made elsewhere');
  });
});

describe('rotations that cannot be right', () => {
  const member = (world: World): { founder: WorldNode; attic: WorldNode; eve: Outlaw; eveText: string } => {
    const [founder, attic, eve] = meshOf(world, 'attic', 'eve') as [WorldNode, WorldNode, WorldNode];
    const copy = copyOf(eve);
    world.kill(eve);
    world.run(20_000);
    return { founder, attic, eve: attack(world, founder, copy), eveText: eve.text };
  };

  it('H-63: one signed by a key that was not committed to is refused, wherever it comes from, and charged to its bearer', () => {
    const world = new World(crypto);
    const { founder, attic, eve, eveText } = member(world);
    expect(eve.isOpen).toBe(true);
    const forged = makeRotation(crypto, crypto.signKey(world.entropy(32)), attic.identity.signKey, {
      aid: attic.identity.established.aid,
      number: 1,
      previous: attic.identity.established.head,
      staticKey: world.entropy(32),
      nextDigest: world.entropy(32),
    });
    eve.send({ kind: 'est', aid: attic.identity.established.aid, from: 1, events: [forged] }).run(100);
    expect(eve.ending).toMatchObject({ by: 'peer', code: 'IDENTITY_BAD' });
    expect(founder.swarm!.status().nodes.find((view) => view.aid === eveText)!.trust!.breaks).toMatchObject({ PV: 1 });
    expect(viewOf(founder, attic)).toMatchObject({ rotation: 0 });
    expect(viewOf(founder, attic)!.trust!.breaks).toEqual({});
    expect(sees(founder, attic)).toBe(true);
  });

  it('H-63: the log of a stranger, of nobody, or old news changes nothing and is nobody’s fault', () => {
    const world = new World(crypto);
    const { founder, attic, eve } = member(world);
    const { established } = attic.identity;
    const entries = founder.disk.ledger.length;
    eve.send(
      { kind: 'est', aid: world.entropy(32), from: 0, events: established.events },
      { kind: 'est', aid: established.aid, from: 0, events: established.events },
      { kind: 'est', aid: founder.identity.established.aid, from: 0, events: founder.identity.established.events },
      { kind: 'est-fetch', aid: world.entropy(32), from: 0 },
      { kind: 'est-fetch', aid: established.aid, from: 9 },
    );
    eve.run(100);
    expect([eve.ending, eve.messages.filter((message) => message.kind === 'est')]).toEqual([null, []]);
    expect(founder.disk.ledger.length).toBe(entries);
    eve.send({ kind: 'est-fetch', aid: established.aid, from: 0 }).run(100);
    const answers = eve.messages.flatMap((message) => (message.kind === 'est' ? [message] : []));
    expect(answers.map(({ from, events }) => [from, events.map(({ sig }) => hex(sig))])).toEqual([[0, [hex(established.events[0]!.sig)]]]);
    // Events from behind the end of what is known: asked for.
    eve.send({ kind: 'est', aid: established.aid, from: 5, events: established.events }).run(100);
    expect(eve.messages.filter((message) => message.kind === 'est-fetch')).toMatchObject([{ from: 1 }]);
    expect(eve.ending).toBe(null);
  });

  it('H-63: whoever asks for logs without end gets no more than a few of them', () => {
    const world = new World(crypto);
    const { attic, eve } = member(world);
    for (let round = 0; round < 40; round += 1) {
      eve.send(...Array.from({ length: 10 }, () => ({ kind: 'est-fetch', aid: attic.identity.established.aid, from: 0 }) as const)).run(50);
    }
    const events = eve.messages.flatMap((message) => (message.kind === 'est' ? message.events : []));
    expect(events.length).toBe(256);
  });

  it('H-7: two rotations at one place convict the identity, through EST and through a handshake, with both as evidence', () => {
    for (const way of ['est', 'handshake'] as const) {
      const world = new World(crypto, `conflict ${way}`);
      const { founder, attic, eve } = member(world);
      const before = attic.identity;
      const copy = copyOf(attic);
      const second = makeRotation(crypto, crypto.signKey(before.nextSeed!), null, {
        aid: before.established.aid,
        number: 1,
        previous: before.established.head,
        staticKey: before.staticKey.publicKey,
        nextDigest: world.entropy(32),
      });
      world.rotate(attic);
      world.run(500);
      allSee(world, founder, attic);
      expect(viewOf(founder, attic)!.trust!.breaks).toEqual({});
      if (way === 'est') eve.send({ kind: 'est', aid: before.established.aid, from: 1, events: [second] }).run(100);
      else {
        const other = extendEstablishment(crypto, before.established, second);
        if (other.kind === 'bad') throw new Error(other.why);
        const identity = { ...before, established: other.established, signKey: crypto.signKey(before.nextSeed!) };
        expect(attack(world, founder, { ...copy, identity }).ending).toMatchObject({ code: 'EQUIVOCATION' });
      }
      expect(eventsOf(founder, 'EQUIVOCATION').length).toBeGreaterThan(0);
      // Convicted by one proof of both, and barred by the voter for it.
      expect(founder.swarm!.status().barred).toMatchObject([{ aid: attic.text, cause: 'equivocation' }]);
      expect([...founder.disk.evidence.keys()].filter((name) => name.startsWith('proof-'))).toHaveLength(1);
    }
  });
});

describe('a power cut in the middle of a rotation', () => {
  for (const voter of [false, true]) {
    it(`H-61: of the ${voter ? 'voter' : 'member'}: before anybody was told, it simply starts with the new key`, () => {
      const world = new World(crypto, `cut ${voter}`);
      const [founder, attic] = meshOf(world, 'attic') as [WorldNode, WorldNode];
      const cut = voter ? founder : attic;
      world.run(70_000);
      world.kill(cut);
      // The identity file was written, then the power went.
      world.rotate(cut, { tell: false });
      world.run(2_000);
      allSee(world, founder, attic);
      world.run(3_000);
      const other = voter ? attic : founder;
      expect(viewOf(other, cut)).toMatchObject({ rotation: 1 });
      // What a power cut always costs: the unsigned tail, declared as lost. Nothing for the rotation.
      expect(viewOf(other, cut)!.trust!.breaks).toEqual({ B1: 1 });
      expect(founder.swarm!.status().mesh!.commitIndex).toBe(attic.swarm!.status().mesh!.commitIndex);
    });
  }
});

describe('closing an identity', () => {
  it('A-41: is known everywhere, with date and successor; the old one is refused and never admitted again', () => {
    const world = new World(crypto);
    const [founder, attic, cellar] = meshOf(world, 'attic', 'cellar') as [WorldNode, WorldNode, WorldNode];
    const copy = copyOf(attic);
    world.kill(attic);
    const fresh = world.add('attic');
    world.command(fresh, { kind: 'join', options: { mode: 'request', mesh: null, expect: null, peers: [] } });
    world.hint(fresh, founder, tagOf(founder));
    world.runUntil(() => founder.swarm!.status().requests.length === 1, 10_000);
    const { fingerprint } = founder.swarm!.status().requests[0]!;
    done(founder, world.command(founder, { kind: 'approve', fingerprint, replaces: 'attic' }));
    world.hint(fresh, cellar, tagOf(founder));
    allSee(world, founder, cellar, fresh);
    world.run(2_000);
    for (const node of [founder, cellar, fresh]) {
      const status = node.swarm!.status();
      expect(status.closed).toEqual([
        {
          aid: attic.text,
          fingerprint: expect.any(String),
          name: 'attic',
          closedAt: expect.any(Number),
          successor: { aid: fresh.text, fingerprint, name: 'attic' },
        },
      ]);
      expect(status.nodes.map((view) => view.aid)).not.toContain(attic.text);
    }
    expect(viewOf(cellar, fresh)).toMatchObject({ name: 'attic', trust: { score: 0, level: 0 } });
    for (const node of [founder, cellar]) expect(attack(world, node, copy).ending).toMatchObject({ code: 'IDENTITY_BARRED' });
    expect(eventsOf(cellar, 'IDENTITY_BARRED')).toEqual([expect.stringMatching(/is closed; .* has taken its place/)]);
    expect(eventsOf(cellar, 'IDENTITY_CLOSED')).toEqual([expect.stringMatching(/^attic \(.*\) is closed; .* has taken its place$/)]);
  });

  it('A-41: afterwards as well; not of a voter, not of this node itself, not by somebody unknown', () => {
    const world = new World(crypto);
    const [founder, attic, cellar] = meshOf(world, 'attic', 'cellar') as [WorldNode, WorldNode, WorldNode];
    const refused = (node: WorldNode, who: string, replacedBy: string | null): unknown => {
      const asked = world.command(node, { kind: 'close', who, replacedBy });
      if (!node.replies.has(asked)) world.run(1_000);
      const reply = node.replies.get(asked);
      return reply?.kind === 'refused' ? reply.refusal.code : reply;
    };
    expect(refused(founder, 'founder', null)).toBe('RN-MESH-027');
    expect(refused(founder, 'nobody', null)).toBe('RN-MESH-020');
    expect(refused(founder, 'attic', 'nobody')).toBe('RN-MESH-020');
    expect(refused(founder, 'attic', 'attic')).toBe('RN-MESH-027');
    expect(refused(attic, 'founder', null), 'as the leader says').toBe('RN-MESH-027');
    done(founder, world.command(founder, { kind: 'close', who: 'attic', replacedBy: 'cellar' }));
    world.run(2_000);
    expect(cellar.swarm!.status().closed).toMatchObject([{ name: 'attic', successor: { name: 'cellar' } }]);
    expect(attic.swarm!.status()).toMatchObject({ state: 'refused' });
    expect(refused(founder, 'attic', null)).toBe('RN-MESH-020');
  });
});
