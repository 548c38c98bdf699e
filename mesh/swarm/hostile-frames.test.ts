import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { sealEntry, encodeLogMessage } from '#mesh/consensus/entry-codec.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { makeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { encodeMessage } from '#mesh/wire/codec.ts';
import { FLAG, MESSAGE_TYPE, isPermittedType } from '#mesh/wire/message-type.ts';
import type { SessionMessage } from '#mesh/wire/message.ts';
import { encodeAddresses, encodeCapabilities, encodeConditions } from './facts-codec.ts';
import { Outlaw } from './outlaw-for-tests.ts';
import { SOME_CAPABILITIES, World, type WorldNode } from './world.ts';

const crypto = createNodeCrypto();

/** One of nearly every message there is, all of them well-formed. */
function specimens(outlaw: Outlaw, founder: WorldNode): readonly SessionMessage[] {
  const { aid, signKey, boot } = outlaw.self;
  const link = outlaw.session.link!;
  const checkpoint = makeCheckpoint(crypto, signKey, {
    from: aid,
    to: founder.identity.established.aid,
    sending: link.sending,
    received: link.receiving.position,
    echo: new Uint8Array(16),
    slot: 0,
  });
  const signed = { body: new Uint8Array(80), sig: new Uint8Array(64) };
  const key = { aid, incarnation: boot.incarnation, request: 1 };
  const entry = sealEntry(crypto, signKey, {
    index: 2,
    term: 1,
    previous: new Uint8Array(32),
    kind: 'remove',
    body: encodeRmp({ a: aid }),
    key,
    at: 1,
    voter: founder.identity.established.aid,
  });
  const gossip = (topic: number, body: Uint8Array, origin = aid): SessionMessage => ({ kind: 'gossip', topic, origin, serial: 9, body });
  const condition = { kind: 'hot', severity: 'critical', text: '\u001b[2J', value: 1.5, worst: null, unit: 'C', since: 1, until: null } as const;
  return [
    { kind: 'ping', id: 1, challenge: new Uint8Array(16) },
    { kind: 'pong', id: 1, challenge: new Uint8Array(16) },
    { kind: 'ckpt', checkpoint },
    { kind: 'ckpt', checkpoint: signed },
    { kind: 'void', from: 0, to: 7, head: new Uint8Array(32) },
    { kind: 'evidence', items: [{ of: 'ck', object: checkpoint }] },
    { kind: 'est-fetch', aid, from: 0 },
    { kind: 'est', aid, from: 0, events: [signed] },
    { kind: 'raft', body: encodeLogMessage({ kind: 'append', entries: [entry], term: 1, commit: Number.MAX_SAFE_INTEGER }) },
    { kind: 'raft', body: encodeLogMessage({ kind: 'fetch', from: Number.MAX_SAFE_INTEGER }) },
    gossip(1, encodeRmp([{ aid: 'x' }])),
    gossip(4, encodeCapabilities('\u001b]0;x\u0007', SOME_CAPABILITIES)),
    gossip(5, encodeConditions([condition])),
    gossip(6, encodeAddresses([{ host: '10.0.0.77', port: 1 }])),
    gossip(6, encodeAddresses([{ host: '10.0.0.78', port: 65_535 }]), new Uint8Array(32)),
    gossip(6, encodeAddresses([{ host: '10.0.0.79', port: 7 }]), founder.identity.established.aid),
    { kind: 'req', id: 1, key: null, method: 'status?', timeoutMs: 1_000, body: new Uint8Array(0) },
    { kind: 'req', id: 2, key: new Uint8Array(16), method: 'no such verb', timeoutMs: 0, body: new Uint8Array(9) },
    { kind: 'res', id: 1, body: new Uint8Array(0) },
    { kind: 'err', id: 1, code: 'X', text: '\u001b[2J' },
    { kind: 'cancel', id: 1 },
    { kind: 'bulk-offer', id: 1, purpose: 'x', bytes: 1, chunkBytes: 65_536, digests: new Uint8Array(32) },
    { kind: 'bulk-chunk', id: 1, index: 0, data: new Uint8Array(10) },
    { kind: 'bulk-ack', id: 1, state: 'want', next: 0 },
    { kind: 'admit-req', name: '\u001b[2J', role: 'voter', capabilities: encodeRmp({ x: 1 }) },
    { kind: 'admit-status', state: 'approved', remainingMs: null, reason: null },
    { kind: 'welcome', meshId: new Uint8Array(32), role: 'voter', genesis: new Uint8Array(10), record: new Uint8Array(10) },
    { kind: 'sentinel', body: new Uint8Array(3) },
    { kind: 'bye', code: 'LEAVE', checkpoint },
    { kind: 'bye', code: 'IDENTITY_BARRED', checkpoint: null },
  ];
}

const typeOf: Readonly<Record<SessionMessage['kind'], number>> = {
  bye: MESSAGE_TYPE.BYE,
  ping: MESSAGE_TYPE.PING,
  pong: MESSAGE_TYPE.PONG,
  ckpt: MESSAGE_TYPE.CKPT,
  void: MESSAGE_TYPE.VOID,
  evidence: MESSAGE_TYPE.EVIDENCE,
  'est-fetch': MESSAGE_TYPE.EST_FETCH,
  est: MESSAGE_TYPE.EST,
  raft: MESSAGE_TYPE.RAFT,
  gossip: MESSAGE_TYPE.GOSSIP,
  req: MESSAGE_TYPE.REQ,
  res: MESSAGE_TYPE.RES,
  err: MESSAGE_TYPE.ERR,
  cancel: MESSAGE_TYPE.CANCEL,
  'bulk-offer': MESSAGE_TYPE.BULK_OFFER,
  'bulk-chunk': MESSAGE_TYPE.BULK_CHUNK,
  'bulk-ack': MESSAGE_TYPE.BULK_ACK,
  'admit-req': MESSAGE_TYPE.ADMIT_REQ,
  'admit-status': MESSAGE_TYPE.ADMIT_STATUS,
  welcome: MESSAGE_TYPE.WELCOME,
  sentinel: MESSAGE_TYPE.SENTINEL,
} as never;

const flips = fc.array(fc.record({ at: fc.nat(4_000), to: fc.nat(255) }), { maxLength: 3 });
const attack = fc.record({
  choice: fc.nat(1_000),
  flips,
  cut: fc.option(fc.nat(400)),
  kind: fc.constantFrom('whole', 'whole', 'batch', 'noise', 'header'),
  noise: fc.uint8Array({ maxLength: 64 }),
  type: fc.nat(255),
  flags: fc.nat(255),
  channel: fc.nat(255),
  skip: fc.integer({ min: -3, max: 3 }),
});
type Attack = typeof attack extends fc.Arbitrary<infer Value> ? Value : never;

function spoiled(payload: Uint8Array, { flips: changes, cut }: Attack): Uint8Array {
  const bytes = payload.slice(0, cut === null ? payload.length : cut);
  for (const { at, to } of changes) if (bytes.length > 0) bytes[at % bytes.length] = to;
  return bytes;
}

function strike(outlaw: Outlaw, founder: WorldNode, how: Attack): void {
  const link = outlaw.session.link!;
  const all = specimens(outlaw, founder);
  const message = all[how.choice % all.length]!;
  const type = typeOf[message.kind];
  const sequence = link.sending.sequence + 1;
  const payload = spoiled(encodeMessage(message), how);
  switch (how.kind) {
    case 'whole':
      outlaw.raw({ type, flags: FLAG.ENC, channel: 0, sequence }, payload);
      return;
    case 'batch': {
      const entries = [type, ...all.slice(0, 5).map((other) => typeOf[other.kind])].map((of, index) => [
        of,
        0,
        index === 0 ? payload : encodeMessage(all[index - 1]!),
      ]);
      outlaw.raw({ type, flags: FLAG.ENC | FLAG.BATCH, channel: 0, sequence }, spoiled(encodeRmp(entries as never), { ...how, cut: null }));
      return;
    }
    case 'noise':
      outlaw.raw({ type: how.type, flags: FLAG.ENC, channel: how.channel % 6, sequence }, how.noise);
      return;
    case 'header':
      outlaw.raw({ type, flags: how.flags | FLAG.ENC, channel: how.channel, sequence: Math.max(0, sequence + how.skip) }, payload);
      return;
  }
}

/** A founder, an honest member beside it, and the identity that the outlaw uses; the world goes on from run to run. */
function stage(mode: 0 | 2): { world: World; founder: WorldNode; honest: WorldNode; call: () => Outlaw } {
  const world = new World(crypto);
  const founder = world.add('founder');
  world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } });
  const joined = (name: string): WorldNode => {
    const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    const reply = founder.replies.get(id);
    const token = reply?.kind === 'done' ? (reply.value as { token: string }).token : '';
    const node = world.add(name);
    world.command(node, { kind: 'join', options: { mode: 'token', token, peers: [] } });
    world.hint(node, founder, founder.swarm!.status().mesh!.tag);
    world.runUntil(
      () => node.swarm!.status().state === 'member' && founder.swarm!.status().nodes.find((view) => view.aid === node.text)?.liveness === 'up',
      5_000,
    );
    return node;
  };
  const honest = joined('honest');
  // A member that broke the protocol has to wait before it may return, twice as long each time (H-47): four times, then another one.
  let taken: WorldNode | null = null;
  let uses = 0;
  const takeOver = (): Identity => {
    uses += 1;
    if (taken !== null && uses < 4) {
      world.run(6_000 * 2 ** uses);
      return taken.identity;
    }
    uses = 0;
    if (taken !== null) world.command(founder, { kind: 'forget', who: taken.text });
    taken = joined('taken');
    world.kill(taken);
    world.run(100);
    return taken.identity;
  };
  const stranger = createIdentity(crypto, world.entropy(IDENTITY_RANDOM_BYTES), {
    kind: 'none',
    digest: new Uint8Array(32),
    secret: new Uint8Array(32),
    facts: new Map(),
  }).identity;
  let incarnation = 1;
  return {
    world,
    founder,
    honest,
    call: () => {
      incarnation += 1;
      world.run(7_000);
      return new Outlaw(world, founder, {
        identity: mode === 0 ? takeOver() : stranger,
        meshTag: fromHex(founder.swarm!.status().mesh!.tag)!,
        mode,
        incarnation,
      }).run(30);
    },
  };
}

function unharmed(founder: WorldNode, honest: WorldNode): void {
  const { state, nodes, mesh } = founder.swarm!.status();
  expect(state).toBe('member');
  expect(mesh?.voters).toBe(1);
  expect(nodes.find((node) => node.aid === honest.text)).toMatchObject({ liveness: 'up', name: 'honest' });
  expect(honest.swarm!.status().state).toBe('member');
}

describe('frames of an authenticated peer, spoiled in every way', () => {
  for (const [who, mode] of [
    ['a member', 0],
    ['a machine in the lobby', 2],
  ] as const) {
    it(`from ${who} never harm the node or its other links`, () => {
      const { world, founder, honest, call } = stage(mode);
      let outlaw = call();
      let opened = 0;
      fc.assert(
        fc.property(fc.array(attack, { minLength: 1, maxLength: 6 }), (attacks) => {
          if (outlaw.isClosed || !outlaw.isOpen) outlaw = call();
          if (outlaw.isOpen) opened += 1;
          else return;
          for (const how of attacks) if (isPermittedType(how.type) || how.kind !== 'noise') strike(outlaw, founder, how);
          outlaw.run(10);
          unharmed(founder, honest);
        }),
        { numRuns: 150 },
      );
      expect(opened).toBeGreaterThan(50);
      world.run(120_000);
      unharmed(founder, honest);
      for (const event of [...founder.events, ...honest.events]) expect(event.text).not.toMatch(/[\u0000-\u001f]/);
    });
  }
});
