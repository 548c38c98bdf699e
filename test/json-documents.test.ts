/**
 * What black-box tests may rely on (protocol.md §2.16): status and trust documents of real nodes are as docs/JSON.md says,
 * complete, and hold no secret.
 */
import { describe, expect, test } from 'vitest';
import { documentFault } from '#agent/api/documents.ts';
import { problemsOf } from '#agent/status/problems.ts';
import { raftOf, SANDBOX } from '#agent/status/self-report.ts';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { Invitation } from '#mesh/swarm/views.ts';
import { World, type WorldNode } from '#mesh/swarm/world.ts';

const crypto = createNodeCrypto();
const agent = { version: '1', build: 'b', pid: 1, uptimeMs: 1, port: 7_411, stateDirectory: '/x', configuration: null, interfaces: [], rssBytes: 1 };

function answerTo(node: WorldNode, id: number): unknown {
  const reply = node.replies.get(id);
  if (reply?.kind !== 'done') throw new Error(`no answer but ${JSON.stringify(reply)}`);
  return reply.value;
}

/** Two members that have been linked for a few minutes, one restart included. */
function mesh(): { readonly world: World; readonly founder: WorldNode; readonly device: WorldNode; readonly token: string } {
  const world = new World(crypto);
  const founder = world.add('founder');
  answerTo(founder, world.command(founder, { kind: 'found', options: { name: 'attic', admission: 'approve', trustProfile: 'lab' } }));
  const invite = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
  const { token } = answerTo(founder, invite) as Invitation;
  const device = world.add('device');
  world.command(device, { kind: 'join', options: { mode: 'token', token, peers: [] } });
  world.hint(device, founder, founder.swarm!.status().mesh!.tag);
  world.runUntil(() => device.swarm!.status().state === 'member', 5_000);
  world.run(240_000);
  world.kill(device);
  world.start(device);
  world.run(120_000);
  return { world, founder, device, token };
}

function statusDocument(node: WorldNode): string {
  const status = node.swarm!.status();
  return JSON.stringify({ v: 1, type: 'status', ...status, raft: raftOf(status), sandbox: SANDBOX, agent, problems: problemsOf(status, 1, 0) });
}

describe('the documents of real nodes', () => {
  const { world, founder, device, token } = mesh();
  const explained = answerTo(founder, world.command(founder, { kind: 'explain-trust', who: 'device' })) as Record<string, unknown>;

  test('status is as documented, before, in and after joining', () => {
    const stranger = world.add('stranger');
    for (const node of [founder, device, stranger]) expect(documentFault(JSON.parse(statusDocument(node)))).toBeUndefined();
    const [leader, learner, none] = [founder, device, stranger].map((node) => raftOf(node.swarm!.status()));
    expect(leader).toMatchObject({ role: 'leader', term: 1, lease: null });
    expect(learner).toEqual({ ...leader, role: 'learner' });
    expect(none).toBeNull();
  });

  test('of each peer: level, score, credits, debt, breaks by class, positions, last checkpoint; of itself: incarnation, why, what is damaged', () => {
    const { self, nodes, startReason, degraded } = founder.swarm!.status();
    expect(self.incarnation).toBe(1);
    expect([startReason, degraded]).toEqual([expect.any(String), []]);
    expect(device.swarm!.status().self.incarnation).toBe(2);
    const { trust } = nodes.find((node) => !node.self)!;
    expect(trust).toMatchObject({ breaks: { B1: 1 }, debt: 0, received: { incarnation: 2 }, sent: { incarnation: 1 } });
    for (const number of [trust!.score, trust!.lengthCredit, trust!.timeCreditMs, trust!.received.sequence, trust!.sent.sequence, trust!.lastCheckpointAt])
      expect(number).toBeGreaterThan(0);
  });

  test('trust is as documented', () => {
    expect(documentFault(JSON.parse(JSON.stringify({ v: 1, type: 'trust', ...explained })))).toBeUndefined();
  });

  test('invitations and requests are as documented', () => {
    const invite = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 2, expiresInMs: 3_600_000, label: 'for the attic' } });
    const invitation = answerTo(founder, invite) as Invitation;
    expect(documentFault({ v: 1, type: 'invitation', ...invitation })).toBeUndefined();
    const invitations = answerTo(founder, world.command(founder, { kind: 'invitations' })) as readonly Omit<Invitation, 'token'>[];
    expect(documentFault({ v: 1, type: 'invitations', invitations })).toBeUndefined();
    expect(invitations.map(({ standing, usedBy }) => [standing, usedBy.length])).toEqual([
      ['used', 1],
      ['open', 0],
    ]);
    const guest = world.add('guest');
    world.command(guest, { kind: 'join', options: { mode: 'request', mesh: null, expect: null, peers: [] } });
    world.hint(guest, founder, founder.swarm!.status().mesh!.tag);
    world.run(2_000);
    const { requests } = founder.swarm!.status();
    expect(requests).toHaveLength(1);
    expect(documentFault({ v: 1, type: 'requests', requests })).toBeUndefined();
    expect(documentFault(JSON.parse(statusDocument(guest)))).toBeUndefined();
    const denied = answerTo(founder, world.command(founder, { kind: 'deny', fingerprint: requests[0]!.fingerprint, reason: 'no' }));
    expect(documentFault({ v: 1, type: 'denied', request: denied })).toBeUndefined();
    const forgotten = answerTo(founder, world.command(founder, { kind: 'forget', who: 'device' }));
    expect(documentFault(JSON.parse(JSON.stringify({ v: 1, type: 'node', ...(forgotten as object) })))).toBeUndefined();
  });

  test('a field that is missing, foreign or of another type is a fault, and so is a document of no type', () => {
    const { type, ...document } = JSON.parse(statusDocument(founder)) as Record<string, unknown>;
    expect(documentFault(document)).toBeDefined();
    for (const key of Object.keys(document)) {
      const { [key]: _, ...rest } = document;
      expect(documentFault({ ...rest, type }), key).toBeDefined();
    }
    expect(documentFault({ ...document, type, more: 1 })).toContain('more');
    expect(documentFault({ ...document, type, raft: 'leader' })).toContain('raft');
  });

  test('secrets never appear', () => {
    const shown = [statusDocument(founder), statusDocument(device), JSON.stringify(explained), JSON.stringify(founder.events)].join('\n');
    expect(token.length).toBeGreaterThan(40);
    expect(shown).not.toContain(token);
    expect(shown).not.toContain(token.slice(5, 40));
    expect(shown).not.toMatch(/"(psk|secret|seed|private)/i);
  });
});
