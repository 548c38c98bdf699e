import { describe, expect, it } from 'vitest';
import { fromHex, hex } from '#core/bytes/bytes.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { decodeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { storedPeer } from '#test/kit/stored-peers.ts';
import { encodeProof, makeProof, proofDigest } from '#mesh/hcth/proof.ts';
import { checkTrustExport } from '#mesh/trust/export/check-export.ts';
import { GOSSIP_TOPIC, type SessionMessage } from '#mesh/wire/message.ts';
import { checkpointAt, rotated, statementOf } from '#test/kit/proofs.ts';
import { Outlaw } from './outlaw-for-tests.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode, type WorldNodeOptions } from './world.ts';

const crypto = createNodeCrypto();

function reply(node: WorldNode, id: number): unknown {
  const found = node.replies.get(id);
  if (found?.kind !== 'done') throw new Error(`${node.name}: ${JSON.stringify(found)}`);
  return found.value;
}

function refusal(node: WorldNode, id: number): string {
  const found = node.replies.get(id);
  if (found?.kind !== 'refused') throw new Error(`${node.name}: ${JSON.stringify(found)}`);
  return found.refusal.code;
}

function join(world: World, founder: WorldNode, name: string, options: WorldNodeOptions = {}): WorldNode {
  const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
  const node = world.add(name, options);
  world.command(node, { kind: 'join', options: { mode: 'token', token: (reply(founder, id) as Invitation).token, peers: [] } });
  world.hint(node, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => node.swarm!.status().state === 'member', 5_000);
  return node;
}

const BOARD = { kind: 'otp', digest: new Uint8Array(32).fill(7), secret: new Uint8Array(32).fill(8), facts: new Map() } as const;

interface Stage {
  readonly world: World;
  readonly founder: WorldNode;
  readonly kitchen: WorldNode;
  readonly attic: WorldNode;
  readonly tag: Uint8Array;
}

function three(options: WorldNodeOptions = {}): Stage {
  const world = new World(crypto);
  const founder = world.add('founder');
  reply(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const kitchen = join(world, founder, 'kitchen', options);
  const attic = join(world, founder, 'attic');
  const all = [founder, kitchen, attic];
  world.runUntil(() => all.every((node) => node.swarm!.status().nodes.filter(({ liveness }) => liveness === 'up').length === 3), 20_000);
  return { world, founder, kitchen, attic, tag: fromHex(founder.swarm!.status().mesh!.tag)! };
}

/** Somebody in the place of the attic, which is switched off. */
function outlawAs(stage: Stage, node: WorldNode, identity: Identity = node.identity): Outlaw {
  stage.world.kill(node);
  stage.world.run(100);
  return new Outlaw(stage.world, stage.founder, { identity, meshTag: stage.tag, incarnation: 9 }).run(40);
}

function proofAgainst(identity: Identity, place = 17): Uint8Array {
  const other = createIdentity(crypto, new Uint8Array(IDENTITY_RANDOM_BYTES).fill(3), { ...BOARD, kind: 'none' }).identity;
  const [one, two] = [checkpointAt(identity, other, place, 'one'), checkpointAt(identity, other, place, 'two')];
  return encodeProof(makeProof(crypto, 'checkpoint', identity.established.aid, identity.established.events, one, two));
}

const gossip = (from: Outlaw, body: Uint8Array): SessionMessage => ({ kind: 'gossip', topic: GOSSIP_TOPIC.PROOF, origin: from.self.aid, serial: 0, body });
const barredOn = (node: WorldNode): readonly string[] => node.swarm!.status().barred.map(({ aid }) => aid);
const isMember = (on: WorldNode, who: WorldNode): boolean => on.swarm!.status().nodes.some(({ aid }) => aid === who.text);

describe('B5: a proof of equivocation', () => {
  it('H-43: from a stranger to everybody convicts on every node: links cut, barred in the ledger, refused after restarts', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    const spare = join(world, founder, 'spare');
    world.runUntil(() => kitchen.swarm!.status().nodes.filter(({ liveness }) => liveness === 'up').length === 4, 20_000);
    const outlaw = outlawAs(stage, attic);
    expect(founder.swarm!.status().nodes.find(({ aid }) => aid === attic.text)?.trust?.level).toBe(0);
    const proof = proofAgainst(kitchen.identity);
    outlaw.send(gossip(outlaw, proof)).run(100);
    const took = world.runUntil(() => [founder, spare].every((node) => node.codes.includes('EQUIVOCATION') && barredOn(node).includes(kitchen.text)), 10_000);
    expect(took).toBeLessThanOrEqual(5_000);
    expect(founder.swarm!.status().barred[0]).toMatchObject({
      name: 'kitchen',
      cause: 'equivocation',
      evidence: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    });
    world.runUntil(() => kitchen.swarm!.status().state === 'refused', 30_000);
    expect([...founder.disk.evidence.keys()].filter((name) => name.startsWith('proof-'))).toHaveLength(1);
    expect([...spare.disk.evidence.keys()].filter((name) => name.startsWith('proof-'))).toHaveLength(1);
    // The founder told it on; the bringer is not told what it told.
    expect(outlaw.messages.filter((message) => message.kind === 'gossip' && message.topic === GOSSIP_TOPIC.PROOF)).toEqual([]);
    for (const node of [founder, spare, kitchen]) {
      world.kill(node);
      world.run(200);
      world.start(node);
    }
    world.run(60_000);
    for (const node of [founder, spare]) {
      expect(isMember(node, kitchen)).toBe(false);
      expect(barredOn(node)).toEqual([kitchen.text]);
      expect(node.events.filter(({ code, aid }) => code === 'MEMBER_UP' && aid === kitchen.text).length).toBeLessThanOrEqual(1);
    }
    const id = world.command(founder, { kind: 'unbar', who: 'kitchen' });
    expect(refusal(founder, id)).toBe('RN-MESH-030');
  });

  it('T-27: is part of the trust export of whom it convicts, for the offline checker', () => {
    const { world, founder, kitchen } = three();
    world.kill(kitchen);
    kitchen.disk.evidence.set(`proof-${'0'.repeat(64)}`, proofAgainst(founder.identity));
    world.start(kitchen);
    world.run(1_000);
    const { exported } = reply(kitchen, world.command(kitchen, { kind: 'explain-trust', who: 'founder' })) as { exported: unknown };
    const verdict = checkTrustExport(crypto, JSON.parse(JSON.stringify(exported)));
    expect(verdict).toMatchObject({ kind: 'consistent', score: 0, level: 0, verified: { proofs: 1 } });
    expect(verdict.kind === 'consistent' ? verdict.lines.join(' ') : '').not.toContain('rests on the word');
  });

  it('H-43: reaches who was away, and convicts from the evidence store alone', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    // The founder is not asked: the attic has the proof from its own store, as after a restart.
    world.kill(attic);
    const proof = proofAgainst(kitchen.identity);
    const digest = proofDigest(
      crypto,
      makeProof(
        crypto,
        'checkpoint',
        kitchen.identity.established.aid,
        kitchen.identity.established.events,
        checkpointAt(kitchen.identity, founder.identity, 1, 'a'),
        checkpointAt(kitchen.identity, founder.identity, 1, 'b'),
      ),
    );
    attic.disk.evidence.set(`proof-${hex(digest)}`, proof);
    world.run(20_000);
    expect(isMember(founder, kitchen)).toBe(true);
    world.start(attic);
    world.runUntil(() => barredOn(founder).includes(kitchen.text), 20_000);
    expect(founder.codes).toContain('EQUIVOCATION');
  });

  it('H-44: what proves nothing changes nothing, and looking at it is limited', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    const outlaw = outlawAs(stage, attic);
    const { aid, events } = kitchen.identity.established;
    const [one, other] = [checkpointAt(kitchen.identity, founder.identity, 17, 'one'), checkpointAt(kitchen.identity, founder.identity, 18, 'two')];
    const forged = checkpointAt(kitchen.identity, founder.identity, 17, 'two', {}, 'HCTH1:ck', attic.identity);
    for (const pair of [
      [one, one],
      [one, other],
      [one, forged],
      [statementOf(kitchen.identity, 'x'), one],
    ] as const)
      outlaw.send(gossip(outlaw, encodeProof(makeProof(crypto, 'checkpoint', aid, events, pair[0], pair[1])))).run();
    outlaw.send(gossip(outlaw, new Uint8Array(3_000))).run();
    for (let at = 20; at < 220; at += 1)
      outlaw.send(gossip(outlaw, encodeProof(makeProof(crypto, 'checkpoint', aid, events, one, checkpointAt(kitchen.identity, founder.identity, at, 'x')))));
    outlaw.run(400);
    world.run(20_000);
    expect(founder.codes.filter((code) => code === 'EVIDENCE_REFUSED').length).toBeGreaterThan(2);
    expect(founder.codes.filter((code) => code === 'EVIDENCE_REFUSED').length).toBeLessThan(40);
    expect(founder.disk.evidence.size).toBe(0);
    expect(founder.swarm!.status().nodes.find(({ aid: text }) => text === kitchen.text)).toMatchObject({ liveness: 'up', trust: { standing: 'clear' } });
  });

  it('H-44: about somebody who is nobody here is neither kept nor told on', () => {
    const stage = three();
    const stranger = createIdentity(crypto, stage.world.entropy(IDENTITY_RANDOM_BYTES), { ...BOARD, kind: 'none' }).identity;
    const outlaw = outlawAs(stage, stage.attic);
    outlaw.send(gossip(outlaw, proofAgainst(stranger))).run(200);
    expect(stage.founder.disk.evidence.size).toBe(0);
    expect(stage.founder.codes).not.toContain('EQUIVOCATION');
  });

  it('H-45: of a key that a rotation has replaced convicts nobody: it may be in a thief’s hands', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    const proof = proofAgainst(kitchen.identity);
    world.kill(kitchen);
    world.run(100);
    const late = rotatedWithStatic(kitchen.identity);
    const again = new Outlaw(world, founder, { identity: late, meshTag: stage.tag, incarnation: 12 }).run(60);
    expect(again.isOpen).toBe(true);
    const outlaw = outlawAs(stage, attic);
    outlaw.send(gossip(outlaw, proof)).run(200);
    expect(founder.codes).not.toContain('EQUIVOCATION');
    expect([...founder.disk.evidence.keys()].filter((name) => name.startsWith('break-'))).toHaveLength(1);
    expect(barredOn(founder)).toEqual([]);
  });

  it('R5: two checkpoints that contradict each other are found on resuming, and convict', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    world.run(130_000);
    world.kill(kitchen);
    world.kill(founder);
    world.run(100);
    world.start(founder);
    world.runUntil(() => founder.swarm!.status().nodes.find(({ aid }) => aid === attic.text)?.liveness === 'up', 20_000);
    const held = founder.disk.peers.get(kitchen.text);
    expect(held).toBeDefined();
    const { incarnation, nonce, sequence } = newestCheckpoint(founder, kitchen);
    const conflicting = checkpointAt(kitchen.identity, founder.identity, sequence, 'another head', { incarnation, nonce });
    new Outlaw(world, founder, {
      identity: kitchen.identity,
      meshTag: stage.tag,
      incarnation: 5,
      block: (own) => ({ ...own, ownCheckpoint: conflicting }),
    }).run(100);
    expect(founder.codes).toContain('EQUIVOCATION');
    world.runUntil(() => barredOn(attic).includes(kitchen.text), 5_000);
    expect(attic.codes).toContain('EQUIVOCATION');
  });
});

describe('bars', () => {
  it('H-46: the owner bars a member and lifts the bar again; it begins at trust 0', () => {
    const stage = three();
    const { world, founder, kitchen, attic } = stage;
    world.run(600_000);
    const before = founder.swarm!.status().nodes.find(({ aid }) => aid === kitchen.text)!.trust!.score;
    expect(before).toBeGreaterThan(0);
    expect(reply(founder, world.command(founder, { kind: 'bar', who: 'kitchen', reason: 'stolen from the shed' }))).toMatchObject({ name: 'kitchen' });
    world.run(1_000);
    for (const node of [founder, attic])
      expect(node.swarm!.status().barred).toMatchObject([{ name: 'kitchen', cause: 'owner', reason: 'stolen from the shed', evidence: null }]);
    expect(kitchen.swarm!.status()).toMatchObject({ state: 'refused' });
    world.run(60_000);
    expect(founder.events.find(({ code }) => code === 'BARRED_SEEN')).toMatchObject({
      severity: 'critical',
      text: expect.stringContaining(kitchen.address.host) as string,
    });
    expect(refusal(founder, world.command(founder, { kind: 'bar', who: kitchen.text, reason: 'again' }))).toBe('RN-MESH-030');
    const asked = world.command(attic, { kind: 'unbar', who: 'nobody' });
    world.run(1_000);
    expect(refusal(attic, asked), 'as the leader says').toBe('RN-MESH-020');
    expect(refusal(founder, world.command(founder, { kind: 'bar', who: 'founder', reason: 'no' }))).toBe('RN-MESH-030');
    expect(refusal(founder, world.command(founder, { kind: 'unbar', who: 'nobody' }))).toBe('RN-MESH-020');
    reply(founder, world.command(founder, { kind: 'unbar', who: 'kitchen' }));
    world.runUntil(() => founder.swarm!.status().nodes.find(({ aid }) => aid === kitchen.text)?.liveness === 'up', 60_000);
    const after = founder.swarm!.status().nodes.find(({ aid }) => aid === kitchen.text)!;
    expect(after.trust!.score).toBeLessThan(before);
    expect(founder.swarm!.status().barred).toEqual([]);
    // Our side of the history went on where it stood: a second beginning would convict us.
    world.run(130_000);
    expect(kitchen.codes.filter((code) => ['EQUIVOCATION', 'CHAIN_MISMATCH', 'SEQ'].includes(code))).toEqual([]);
    world.runUntil(() => kitchen.swarm!.status().state === 'member', 30_000);
  });

  it('H-46: with a machine whose hardware keeps a secret the machine is barred, under whatever new identity it comes', () => {
    const stage = three({ binding: BOARD });
    const { world, founder, kitchen } = stage;
    reply(founder, world.command(founder, { kind: 'bar', who: 'kitchen', reason: 'it is not ours' }));
    world.run(1_000);
    expect(founder.swarm!.status().barred[0]?.hardware).toBe('otp');
    const fresh = world.add('fresh', { binding: BOARD });
    const id = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    world.command(fresh, { kind: 'join', options: { mode: 'token', token: (reply(founder, id) as Invitation).token, peers: [] } });
    world.hint(fresh, founder, founder.swarm!.status().mesh!.tag);
    world.run(20_000);
    expect(isMember(founder, fresh)).toBe(false);
    expect(founder.events.some(({ code, text }) => code === 'IDENTITY_BARRED' && text.includes('runs on the machine of kitchen'))).toBe(true);
    void kitchen;
  });
});

describe('PV: a peer that breaks the protocol', () => {
  it('H-47: is turned away for a while, longer each time, and told for how long', () => {
    const stage = three();
    const { world, founder, attic } = stage;
    world.kill(attic);
    const waits: number[] = [];
    for (let round = 0; round < 3; round += 1) {
      const outlaw = new Outlaw(world, founder, { identity: attic.identity, meshTag: stage.tag, incarnation: 20 + round }).run(40);
      expect(outlaw.isOpen, `round ${round}`).toBe(true);
      outlaw.raw({ type: 0x55, flags: 1, channel: 0, sequence: outlaw.session.link!.sending.sequence + 1 }, new Uint8Array(4)).run(40);
      expect(outlaw.ending?.code).toBe('FRAME_TYPE');
      const early = new Outlaw(world, founder, { identity: attic.identity, meshTag: stage.tag, incarnation: 20 + round }).run(40);
      expect(early.isOpen).toBe(false);
      expect(early.ending).toMatchObject({ by: 'peer', code: 'RATE_LIMIT' });
      waits.push(early.ending!.reject!.retryAfterMs!);
      world.run(waits.at(-1)! + 1_000);
    }
    expect(waits[0]).toBeGreaterThan(9_000);
    expect(waits[1]! / waits[0]!).toBeGreaterThan(1.8);
    expect(waits[2]! / waits[1]!).toBeGreaterThan(1.8);
    expect(founder.swarm!.status().nodes.find(({ aid }) => aid === attic.text)!.trust!.breaks).toMatchObject({ PV: 3 });
  });
});

function rotatedWithStatic(identity: Identity): Identity {
  const staticKey = crypto.dhKey(new Uint8Array(32).fill(5));
  const late = rotated(identity, 'static 2', staticKey.publicKey);
  return { ...late, staticKey };
}

function newestCheckpoint(on: WorldNode, of: WorldNode): { incarnation: number; nonce: Uint8Array; sequence: number } {
  const record = storedPeer(on.disk.peers.get(of.text)!)!;
  return decodeCheckpoint(record.peerCheckpoints.at(-1)!.body)!;
}
