/**
 * PHYS-07: a copy of a node's disk is booted as a second host: within 10 s everyone sees "one identity, two machines" with
 * both MACs and boot ids, the newcomer gets no vote, task or secret, the original's calls go on, and after the owner picks
 * which is the copy both run with different identities.
 */
import { expect, test } from 'vitest';
import { stageBoard } from '#agent/hardware/stage-facts.ts';
import type { AdmissionRequest, NodeView } from '#mesh/swarm/views.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonetOk, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const FACTS = '/srv/facts';
const members = ['laptop', 'pi', 'bystander'];
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });

const lan = useLan(
  () => [...members, 'second'].map((name) => ({ name, programs: programs() })),
  async () => {
    // What the identity is bound to is on the copied disk: else the copy would not even open it (PHYS-08).
    stageBoard(lan.host('pi').path(FACTS), 'raspberry-pi-4b');
    await lan.host('pi').writeFile('/etc/robonet/config.yaml', `facts: ${FACTS}\n`);
    await found(lan.host('laptop'), { trustProfile: 'lab' });
    await adopt(lan.host('laptop'), [lan.host('pi'), lan.host('bystander')]);
    await waitForMembers(lan.host('laptop'), members, lan.evidence);
    await waitForMembers(lan.host('bystander'), members, lan.evidence);
  },
);

async function piSeenBy(observer: string, aid: string): Promise<NodeView | undefined> {
  return (await nodesOf(lan.host(observer))).find((node) => node.aid === aid);
}

let identity = '';

test('PHYS-07 within 10 s everyone sees one identity on two machines, with both MACs and boot ids', async () => {
  const [pi, second] = [lan.host('pi'), lan.host('second')];
  identity = (await statusOf(pi)).self.aid;
  for (const folder of [FACTS, '/etc/robonet', '/var/lib/robonet']) await second.copyFolderFrom(pi, folder);
  await second.check(['robonet', 'agent', 'install']);
  const startedAt = performance.now();
  for (const observer of ['laptop', 'bystander']) {
    const seen = await waitFor(`${observer} sees two machines`, { withinMs: 10_000, evidence: lan.evidence }, async () => {
      const contest = (await piSeenBy(observer, identity))?.contest;
      return contest != null && contest.holders.every(({ macs }) => macs.length > 0) ? contest : undefined;
    });
    expect(seen.value.holders.map(({ address }) => address)).toEqual([pi.address, second.address]);
    expect(seen.value.holders[0]?.macs).toContain(pi.card.mac);
    expect(seen.value.holders[1]?.macs).toContain(second.card.mac);
    expect(new Set(seen.value.holders.map(({ boot }) => boot)).size).toBe(2);
    const { problems } = await statusOf(lan.host(observer));
    expect(problems.find(({ code }) => code === 'IDENTITY_CONTESTED')).toMatchObject({
      severity: 'critical',
      text: expect.stringContaining('one identity on two machines') as string,
      next: expect.stringContaining('robonet identity settle pi --copy') as string,
    });
  }
  record({ useCase: 'PHYS-07', what: 'two machines seen everywhere', measuredMs: Math.round(performance.now() - startedAt), promisedMs: 10_000 });
  for (const machine of [pi, second])
    await waitFor(`${machine.name} knows of it`, { withinMs: 10_000, evidence: lan.evidence }, async () => (await statusOf(machine)).state === 'contested');
});

test('PHYS-07 the newcomer gets nothing, the original goes on', async () => {
  const second = await statusOf(lan.host('second'));
  expect(second.nodes.filter((node) => !node.self && node.liveness === 'up')).toEqual([]);
  for (const observer of ['laptop', 'bystander']) {
    const view = await piSeenBy(observer, identity);
    expect(view).toMatchObject({ liveness: 'up', voter: false, trust: { standing: 'contested' } });
    expect(view?.trust?.score).toBeLessThanOrEqual(0.29);
    const { ping } = await robonetOk<{ readonly ping: { readonly count: number } }>(lan.host(observer), ['node', identity, '--ping', '3']);
    expect(ping.count).toBe(3);
  }
});

test('PHYS-07 after the owner picked the copy both run, with different identities', async () => {
  const [laptop, pi, second] = [lan.host('laptop'), lan.host('pi'), lan.host('second')];
  await robonetOk(laptop, ['identity', 'settle', identity, '--copy', second.address]);
  const waiting = await waitFor('the copy asks to be let in as somebody new', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const { requests } = await robonetOk<{ readonly requests: readonly AdmissionRequest[] }>(laptop, ['requests']);
    return requests[0];
  });
  expect(waiting.value.aid).not.toBe(identity);
  expect(waiting.value.fingerprint).toBe(await fingerprintOf(second));
  expect((await eventsOf(second)).some(({ code }) => code === 'IDENTITY_GIVEN_UP')).toBe(true);
  expect(second.has('/var/lib/robonet/identity.copy-1')).toBe(true);
  await robonetOk(laptop, ['approve', waiting.value.fingerprint]);
  await waitFor('four members, all up', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const nodes = await nodesOf(laptop);
    return nodes.length === 4 && nodes.every(({ liveness }) => liveness === 'up');
  });
  for (const observer of ['laptop', 'bystander']) expect(await piSeenBy(observer, identity)).toMatchObject({ contest: null, trust: { standing: 'clear' } });
  expect((await statusOf(pi)).self.aid).toBe(identity);
  expect((await statusOf(pi)).state).toBe('member');
  expect((await statusOf(second)).state).toBe('member');
});
