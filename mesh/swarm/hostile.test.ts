import { describe, expect, it } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { decodeMessage } from '#mesh/wire/codec.ts';
import { MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { Condition, Invitation } from './views.ts';
import { Outlaw, type OutlawOptions } from './outlaw-for-tests.ts';
import { World, type WorldNode } from './world.ts';
import { encodeConditions } from './facts-codec.ts';
import { encodeLogMessage, sealEntry } from '#mesh/consensus/entry-codec.ts';

const crypto = createNodeCrypto();

function reply(node: WorldNode, id: number): unknown {
  const found = node.replies.get(id);
  if (found?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(found)}`);
  return found.value;
}

function tag(node: WorldNode): Uint8Array {
  return fromHex(node.swarm!.status().mesh!.tag)!;
}

function found(world: World, admission: 'approve' | 'open' = 'approve'): WorldNode {
  const founder = world.add('founder');
  reply(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission, trustProfile: 'lab' } }));
  return founder;
}

function join(world: World, founder: WorldNode, name: string): WorldNode {
  const { token } = reply(
    founder,
    world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } }),
  ) as Invitation;
  const device = world.add(name);
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(
    () => device.swarm!.status().state === 'member' && founder.swarm!.status().nodes.find((node) => node.aid === device.text)?.liveness === 'up',
    5_000,
  );
  return device;
}

function stranger(world: World): Identity {
  return createIdentity(crypto, world.entropy(IDENTITY_RANDOM_BYTES), {
    kind: 'none',
    digest: new Uint8Array(32),
    secret: new Uint8Array(32),
    facts: new Map(),
  }).identity;
}

/** A member whose machine was taken over: it joined properly, and from now on is an outlaw. */
function turned(world: World, founder: WorldNode, options: Partial<OutlawOptions> = {}): { device: WorldNode; outlaw: Outlaw } {
  const device = join(world, founder, 'device');
  world.kill(device);
  world.run(100);
  const outlaw = new Outlaw(world, founder, { identity: device.identity, meshTag: tag(founder), incarnation: 2, ...options }).run();
  return { device, outlaw };
}

describe('a hostile member', () => {
  it('that behaves is let in', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { outlaw } = turned(world, founder);
    expect(outlaw.isOpen).toBe(true);
    outlaw.send({ kind: 'ping', id: 7, challenge: new Uint8Array(16) }).run();
    expect(outlaw.messages.some((message) => message.kind === 'pong' && message.id === 7)).toBe(true);
  });

  it('that forges an entry of the ledger in the name of the voter is asked for its keys, and blamed where they do not fit', () => {
    const world = new World(crypto);
    const founder = found(world);
    const attic = join(world, founder, 'kitchen');
    const device = join(world, founder, 'device');
    world.kill(device);
    world.run(100);
    const outlaw = new Outlaw(world, attic, { identity: device.identity, meshTag: tag(founder), incarnation: 2 }).run();
    const commit = attic.swarm!.status().mesh!.commitIndex;
    const forged = sealEntry(crypto, device.identity.signKey, {
      index: 2,
      term: 1,
      previous: new Uint8Array(32),
      kind: 'token',
      body: new Uint8Array(1),
      key: { aid: founder.identity.established.aid, incarnation: 1, request: 9 },
      at: 0,
      voter: founder.identity.established.aid,
    });
    outlaw.send({ kind: 'raft', body: encodeLogMessage({ kind: 'append', entries: [forged], term: 1, commit: 2 }) }).run();
    expect(outlaw.messages.filter(({ kind }) => kind === 'est-fetch')).toMatchObject([{ aid: founder.identity.established.aid, from: 1 }]);
    expect(attic.codes).not.toContain('CHAIN_MISMATCH');
    world.run(4_000);
    expect(attic.codes).toContain('CHAIN_MISMATCH');
    expect(attic.codes).not.toContain('LEDGER_FORKED');
    expect(attic.swarm!.status().nodes.find(({ aid }) => aid === device.text)?.trust?.breaks).toMatchObject({ PV: 1 });
    expect(attic.swarm!.status().mesh!.commitIndex).toBe(commit);
  });

  it('cannot void its history up to a number that can no longer be counted', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { outlaw } = turned(world, founder);
    const { sending } = outlaw.session.link!;
    const message = { kind: 'void', from: sending.sequence, to: Number.MAX_SAFE_INTEGER - 1, head: new Uint8Array(32) } as const;
    sending.applyVoid(message);
    outlaw.send(message).run();
    outlaw.send({ kind: 'ping', id: 1, challenge: new Uint8Array(16) }).run();
    outlaw.send({ kind: 'ping', id: 2, challenge: new Uint8Array(16) }).run();
    world.run(130_000);
    expect(founder.swarm!.status().state).toBe('member');
    expect(outlaw.ending?.code).toBe('SEQ');
  });

  it('cannot claim a position that can no longer be counted', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = join(world, founder, 'device');
    world.kill(device);
    // It has forgotten how far it received from the device: only then is a claim taken.
    world.kill(founder);
    const record = founder.disk.peers.get(device.text);
    expect(record).toBeDefined();
    world.start(founder);
    world.run(100);
    const outlaw = new Outlaw(world, founder, {
      identity: device.identity,
      meshTag: tag(founder),
      incarnation: 2,
      block: (own) => ({ ...own, sent: { ...own.sent, sequence: Number.MAX_SAFE_INTEGER } }),
    }).run();
    world.run(130_000);
    expect(founder.swarm!.status().state).toBe('member');
    expect(outlaw.isOpen).toBe(false);
  });

  it('that is removed while its connection opens does not get in', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { device, outlaw } = turned(world, founder, { holdAccept: true });
    expect(outlaw.accepted).not.toBe(null);
    reply(founder, world.command(founder, { kind: 'forget', who: 'device' }));
    outlaw.proceed().run();
    outlaw.send({ kind: 'raft', body: encodeLogMessage({ kind: 'fetch', from: 1 }) }).run();
    expect(outlaw.messages.filter((message) => message.kind === 'raft')).toEqual([]);
    expect(outlaw.ending?.code).toBe('IDENTITY_BARRED');
    expect(device.text).toBeDefined();
  });

  it('H-39: that completes an old handshake after a newer one does not make us sign a second thing in one place', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { device, outlaw: late } = turned(world, founder, { holdAccept: true });
    expect(late.accepted).not.toBe(null);
    const outlaw = new Outlaw(world, founder, { identity: device.identity, meshTag: tag(founder), incarnation: 3 }).run();
    const checkpointsOf = (from: Outlaw): readonly string[] =>
      from.messages.flatMap((message) => (message.kind === 'ckpt' ? [hex(message.checkpoint.body)] : []));
    expect(checkpointsOf(outlaw)).toHaveLength(1);
    late.proceed().run(100);
    expect(late.messages).toEqual([]);
    expect(late.isClosed).toBe(true);
    outlaw.send({ kind: 'ping', id: 9, challenge: new Uint8Array(16) }).run();
    expect(outlaw.messages.some((message) => message.kind === 'pong' && message.id === 9)).toBe(true);
  });

  it('cannot fill the diary with conditions', () => {
    const world = new World(crypto);
    const founder = found(world);
    const { outlaw } = turned(world, founder);
    const before = founder.events.length;
    for (let turn = 0; turn < 20; turn += 1) {
      const conditions: Condition[] = Array.from({ length: 20 }, (_, index) => ({
        kind: 'hot',
        severity: 'critical',
        text: 'x',
        value: null,
        worst: null,
        unit: null,
        since: turn * 100 + index,
        until: null,
      }));
      outlaw.send({ kind: 'gossip', topic: 2, origin: outlaw.self.aid, serial: turn, body: encodeConditions(conditions) });
    }
    outlaw.run();
    expect(founder.events.length - before).toBeLessThan(40);
  });

  it('cannot have the ledger sent a hundred times for one frame', () => {
    const world = new World(crypto);
    const founder = found(world);
    for (let index = 0; index < 100; index += 1)
      reply(founder, world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: 'x'.repeat(60) } }));
    const { outlaw } = turned(world, founder);
    outlaw.run(100);
    const before = outlaw.bytesReceived;
    const fetches = Array.from({ length: 200 }, (_, index) => ({ kind: 'raft', body: encodeLogMessage({ kind: 'fetch', from: 1 + (index % 50) }) }) as const);
    outlaw.send(...fetches).run();
    expect(outlaw.bytesReceived - before).toBeLessThan(300_000);
  });
});

describe('a machine that waits for approval', () => {
  it('cannot hold more than one connection', () => {
    const world = new World(crypto);
    const founder = found(world);
    const identity = stranger(world);
    const outlaws: Outlaw[] = [];
    for (let index = 0; index < 8; index += 1)
      outlaws.push(new Outlaw(world, founder, { identity, meshTag: tag(founder), mode: 2, incarnation: index + 1 }).run());
    expect(outlaws.filter((outlaw) => outlaw.isOpen && !outlaw.isClosed)).toHaveLength(1);
  });

  it('cannot make the mesh talk by asking again and again', () => {
    const world = new World(crypto);
    const founder = found(world);
    const member = join(world, founder, 'member');
    world.run(6_000);
    const outlaw = new Outlaw(world, founder, { identity: stranger(world), meshTag: tag(founder), mode: 2 }).run(100);
    expect(outlaw.isOpen).toBe(true);
    const before = world.delivered;
    for (let frame = 0; frame < 10; frame += 1)
      outlaw.send(...Array.from({ length: 60 }, () => ({ kind: 'admit-req', name: 'x', role: 'member', capabilities: new Uint8Array(0) }) as const)).run();
    expect(member.swarm!.status().requests).toHaveLength(1);
    expect(world.delivered - before).toBeLessThan(20_000 + 10 * 3_000);
  });

  it('cannot bring control characters onto the operator’s screen', () => {
    const world = new World(crypto);
    const founder = found(world);
    new Outlaw(world, founder, { identity: stranger(world), meshTag: tag(founder), mode: 2, name: '\u001b]0;owned\u0007\u001b[2Jx' }).run();
    expect(founder.swarm!.status().requests[0]?.name).not.toMatch(/[\u0000-\u001f]/);
    world.run(11 * 60_000);
    for (const event of founder.events) expect(event.text).not.toMatch(/[\u0000-\u001f]/);
  });

  it('gets no ledger, no calls and no gossip', () => {
    const world = new World(crypto);
    const founder = found(world);
    const outlaw = new Outlaw(world, founder, { identity: stranger(world), meshTag: tag(founder), mode: 2 }).run(100);
    outlaw.messages.length = 0;
    outlaw
      .send(
        { kind: 'raft', body: encodeLogMessage({ kind: 'fetch', from: 1 }) },
        { kind: 'req', id: 1, key: null, method: 'mesh.leave', timeoutMs: 1_000, body: new Uint8Array(0) },
        { kind: 'req', id: 2, key: null, method: 'status?', timeoutMs: 1_000, body: new Uint8Array(0) },
      )
      .run(200);
    expect(outlaw.messages).toEqual([]);
    expect(founder.swarm!.status().mesh).toMatchObject({ commitIndex: 1 });
  });
});

describe('a stranger', () => {
  it('with a membership record of somebody else is not a member', () => {
    const world = new World(crypto);
    const founder = found(world);
    const device = join(world, founder, 'device');
    const welcome = decodeMessage(MESSAGE_TYPE.WELCOME, device.disk.documents.get('membership')!);
    if (welcome.kind !== 'ok' || welcome.message.kind !== 'welcome') throw new Error('no welcome');
    const outlaw = new Outlaw(world, founder, { identity: stranger(world), meshTag: tag(founder), record: welcome.message.record }).run();
    expect(outlaw.isOpen).toBe(false);
    expect(outlaw.ending?.code).toBe('NOT_PERMITTED');
  });
});
