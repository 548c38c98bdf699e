/** H-10 inside a session: our own signatures, shown by a peer in an EVIDENCE frame; good, known, forged, malformed, too large, repeated. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { fromHex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { decodeBoot, makeBoot } from '#mesh/hcth/boot-event.ts';
import { createIdentity, IDENTITY_RANDOM_BYTES } from '#mesh/hcth/create-identity.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import { type Label, LABELS } from '#mesh/hcth/labels.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import { unpackStatement } from '#mesh/hcth/own-statements.ts';
import { signObject, type SignedObject } from '#mesh/hcth/signed-object.ts';
import { FLAG, MESSAGE_TYPE } from '#mesh/wire/message-type.ts';
import type { EvidenceKind, SessionMessage } from '#mesh/wire/message.ts';
import { checkpointAt, statementOf } from '#test/kit/proofs.ts';
import { SWARM_LIMITS } from './limits.ts';
import { Outlaw } from './outlaw-for-tests.ts';
import type { Invitation } from './views.ts';
import { World, type WorldNode } from './world.ts';

const plain = createNodeCrypto();
let verified = 0;
/** The real thing, counted: what work a frame makes. */
const crypto: CryptoPort = {
  ...plain,
  verify: (...args) => {
    verified += 1;
    return plain.verify(...args);
  },
};

let world: World;
let founder: WorldNode;
let outlaw: Outlaw;

function done(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(JSON.stringify(reply));
  return reply.value;
}

/** A founder with one member, in whose place an outlaw has come. */
beforeEach(() => {
  world = new World(crypto, 'evidence');
  founder = world.add('founder');
  done(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  // A life behind it, so that there is an earlier one.
  world.kill(founder);
  world.run(100);
  world.start(founder);
  world.run(100);
  const invitation = { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } as const;
  const { token } = done(founder, world.command(founder, { kind: 'invite', options: invitation })) as Invitation;
  const attic = world.add('attic');
  world.command(attic, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(attic, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => attic.swarm!.status().state === 'member', 5_000);
  world.kill(attic);
  world.run(100);
  outlaw = new Outlaw(world, founder, { identity: attic.identity, meshTag: fromHex(founder.swarm!.status().mesh!.tag)!, incarnation: 9 }).run(60);
  expect(outlaw.isOpen).toBe(true);
});

function bootBy(identity: Identity, incarnation: number, label: Label = LABELS.boot, signer = identity): SignedObject {
  const none = new Uint8Array(32);
  const { aid, head } = identity.established;
  const made = makeBoot(plain, identity.signKey, {
    aid,
    incarnation,
    nonce: new Uint8Array(16).fill(incarnation),
    establishmentHead: head,
    previousBoot: none,
    previousStatement: none,
    why: 'start',
    software: 'somebody',
  });
  return signObject(plain, signer.signKey, label, made.body);
}

const told = (...objects: readonly SignedObject[]): SessionMessage => ({
  kind: 'evidence',
  items: objects.map((object) => ({ of: 'boot' satisfies EvidenceKind, object })),
});
const stateOf = (): string => founder.swarm!.status().state;
const violations = (): number => founder.swarm!.status().nodes.find(({ self }) => !self)?.trust?.breaks['PV'] ?? 0;

/** Nothing has happened: the node is what it was, the link stands, nobody is blamed, nothing was said. */
function expectUnmoved(before: readonly string[]): void {
  expect(stateOf()).toBe('member');
  expect(outlaw.ending).toBeNull();
  expect(violations()).toBe(0);
  expect(founder.codes.slice(before.length)).toEqual([]);
}

describe('H-10: evidence inside a session', () => {
  it.each<readonly [string, () => SignedObject]>([
    ['a boot event of a later life', () => bootBy(founder.identity, 40)],
    ['a checkpoint of a later life', () => checkpointAt(founder.identity, outlaw.self as unknown as Identity, 7, 'head', { incarnation: 40 })],
  ])('%s, signed by this very node, which has run all along: it knows that it has been copied', (_what, make) => {
    outlaw.send(told(make())).run(40);
    expect(stateOf()).toBe('contested');
    expect(founder.codes).toContain('IDENTITY_CONTESTED');
  });

  it('what the node knows already changes nothing: its present boot event, and one of an earlier life', () => {
    const before = founder.codes.slice();
    const { boot } = outlaw.session.peer!;
    expect(boot.incarnation).toBe(2);
    const earlier = unpackStatement(founder.disk.statements[0]!)!;
    expect(decodeBoot(earlier.body)?.incarnation).toBe(1);
    outlaw.send(told(outlaw.session.peer!.bootObject, earlier)).run(40);
    expectUnmoved(before);
  });

  it('H-53: a boot event of an earlier life that its log does not hold: it says that its past is damaged, and nobody is blamed', () => {
    const before = founder.codes.slice();
    outlaw.send(told(bootBy(founder.identity, 1))).run(40);
    expect(founder.codes.slice(before.length)).toEqual(['PAST_DAMAGED']);
    expect(stateOf()).toBe('member');
    expect(violations()).toBe(0);
  });

  it.each<readonly [string, () => SignedObject]>([
    ['signed by the bringer', () => bootBy(founder.identity, 40, LABELS.boot, outlaw.self as unknown as Identity)],
    ['of the bringer’s own, properly signed', () => bootBy(outlaw.self as unknown as Identity, 40)],
    ['of a stranger’s', () => bootBy(createIdentity(plain, new Uint8Array(IDENTITY_RANDOM_BYTES).fill(5), BOARD).identity, 40)],
    ['signed by this node for another purpose', () => bootBy(founder.identity, 40, LABELS.statement)],
    ['a checkpoint for another peer', () => checkpointAt(founder.identity, founder.identity, 7, 'head', { incarnation: 40 })],
    ['a statement, which is no word about a start', () => statementOf(founder.identity, 'later')],
    ['with a changed bit', () => ({ ...bootBy(founder.identity, 40), body: bootBy(founder.identity, 41).body })],
    ['of nothing', () => ({ body: new Uint8Array(0), sig: new Uint8Array(64) })],
    ['larger than anything that is signed', () => signObject(plain, founder.identity.signKey, LABELS.boot, new Uint8Array(HCTH_LIMITS.signedBodyBytesMax + 1))],
  ])('forged, %s: nothing changes and nobody is blamed', (_what, make) => {
    const before = founder.codes.slice();
    outlaw.send(told(make())).run(40);
    expectUnmoved(before);
  });

  it.each<readonly [string, RmpInput]>([
    ['no items', []],
    ['seventeen items', Array.from({ length: 17 }, () => [2, new Uint8Array(8), new Uint8Array(64)])],
    ['a kind that is none', [[5, new Uint8Array(8), new Uint8Array(64)]]],
    ['a short signature', [[2, new Uint8Array(8), new Uint8Array(63)]]],
    ['an item of two fields', [[2, new Uint8Array(8)]]],
    ['text for a body', [[2, 'body', new Uint8Array(64)]]],
    ['no list', 7],
  ])('malformed, %s: the link ends with RMP_INVALID, one violation, and the node goes on', (_what, value) => {
    const sequence = outlaw.session.link!.sending.sequence + 1;
    outlaw.raw({ type: MESSAGE_TYPE.EVIDENCE, flags: FLAG.ENC, channel: 0, sequence }, encodeRmp(value)).run(60);
    expect(outlaw.isClosed).toBe(true);
    expect(outlaw.ending?.code).toBe('RMP_INVALID');
    expect(violations()).toBe(1);
    expect(stateOf()).toBe('member');
  });

  it('repeated, and fresh each time: the work is bounded whatever a frame holds', () => {
    const before = founder.codes.slice();
    const forged = (n: number): SignedObject => bootBy(founder.identity, 40 + n, LABELS.boot, outlaw.self as unknown as Identity);
    const one = told(forged(0));
    verified = 0;
    outlaw.send(one).run(20);
    const each = verified;
    expect(each, 'the first one was looked at').toBeGreaterThan(0);
    for (let round = 0; round < 20; round += 1) outlaw.send(one, one, one).run(20);
    expect(verified, 'the same one is looked at once').toBe(each);
    verified = 0;
    for (let n = 1; n <= 200; n += 1) outlaw.send(told(forged(n)));
    outlaw.run(40);
    expect(verified).toBeGreaterThan(0);
    expect(verified / each, 'others within the budget of their bringer').toBeLessThanOrEqual(SWARM_LIMITS.proofsBurst + SWARM_LIMITS.proofsPerSecond);
    expectUnmoved(before);
  });
});

const BOARD = { kind: 'none', digest: new Uint8Array(32), secret: new Uint8Array(32), facts: new Map<string, string>() } as const;
