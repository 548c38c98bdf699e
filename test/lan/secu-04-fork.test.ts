/**
 * SECU-04, its second half, and PHYS-07 the other way round. Two machines with the same disk go on from it, each among peers that
 * do not see the other: two signed continuations of one identity. When the network is whole again they are never made into
 * one, everybody is told of a clone, and the owner's word ends it. And a copy that is booted before its original is no less a copy.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { stageBoard } from '#agent/hardware/stage-facts.ts';
import type { ContestView, NodeView } from '#mesh/swarm/views.ts';
import type { Host } from './lab/host/host.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonetOk, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const FACTS = '/srv/facts';
const members = ['laptop', 'pi', 'bystander'];
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
/** Time in which two sides that wanted to come to terms would have tried many times over. */
const RECONCILED_MS = 6_000;
/** What a node says when it goes on behind, or from, what another machine has signed. */
const RECONCILED = ['STATE_RESTORED', 'ROLLED_BACK', 'HISTORY_RENEWED', 'STATE_RECALLED'];
let identity = '';

const lan = useLan(
  () => [...members, 'second'].map((name) => ({ name, programs: programs() })),
  async () => {
    // What the identity is bound to is on the copied disk: else the copy would not even open it (PHYS-08).
    stageBoard(lan.host('pi').path(FACTS), 'raspberry-pi-4b');
    await lan.host('pi').writeFile('/etc/robonet/config.yaml', `facts: ${FACTS}\n`);
    await found(lan.host('laptop'), { trustProfile: 'lab' });
    await adopt(lan.host('laptop'), [lan.host('pi'), lan.host('bystander')]);
    for (const observer of members) await waitForMembers(lan.host(observer), members, lan.evidence);
    identity = (await statusOf(lan.host('pi'))).self.aid;
  },
);

async function piSeenBy(observer: string): Promise<NodeView | undefined> {
  return (await nodesOf(lan.host(observer))).find((node) => node.aid === identity);
}

/** The pi is switched off, and its disk is in the second machine as well. */
async function copyOffline(): Promise<void> {
  const [pi, second] = [lan.host('pi'), lan.host('second')];
  await pi.powerCut();
  await second.powerCut();
  for (const folder of [FACTS, '/etc/robonet', '/var/lib/robonet']) await second.copyFolderFrom(pi, folder);
}

async function boot(host: Host): Promise<number> {
  await host.powerOn();
  await host.check(['robonet', 'agent', 'start']);
  return (await statusOf(host)).self.incarnation ?? 0;
}

/** Both members tell of two machines; who came first at each is not the same. */
async function expectTwoMachines(observer: string, withinMs: number): Promise<ContestView> {
  const addresses = [lan.host('pi').address, lan.host('second').address];
  const seen = await waitFor(`${observer} tells of two machines`, { withinMs, evidence: lan.evidence }, async () => {
    const contest = (await piSeenBy(observer))?.contest ?? undefined;
    return contest?.holders.every(({ address }) => addresses.some((one) => address?.startsWith(one) === true)) === true ? contest : undefined;
  });
  expect(new Set(seen.value.holders.map(({ boot }) => boot)).size).toBe(2);
  return seen.value;
}

test('SECU-04 two signed continuations of one identity are never made into one, and are told as a clone', async () => {
  const [laptop, pi, bystander, second] = [lan.host('laptop'), lan.host('pi'), lan.host('bystander'), lan.host('second')];
  await copyOffline();
  const split = [];
  for (const one of [laptop, pi]) for (const other of [bystander, second]) split.push(await lan.lab.cut(one, other));
  const [original, copy] = [await boot(pi), await boot(second)];
  // The same number, as each counted on from the same disk; another beginning under it.
  expect(copy).toBe(original);
  for (const observer of ['laptop', 'bystander'])
    await waitFor(`${observer} has taken one of them for the pi`, { withinMs: 30_000, evidence: lan.evidence }, async () => {
      const view = await piSeenBy(observer);
      return view?.liveness === 'up' && view.incarnation === original && view.contest === null;
    });
  const eaten = await Promise.all(split.map((fault) => fault.count()));
  expect(Math.max(...eaten)).toBeGreaterThan(0);
  await lan.lab.healAll();
  const healedAt = performance.now();
  const contests = [await expectTwoMachines('laptop', 30_000), await expectTwoMachines('bystander', 30_000)];
  record({
    useCase: 'SECU-04',
    what: 'a fork told everywhere after the network healed',
    measuredMs: Math.round(performance.now() - healedAt),
    promisedMs: null,
  });
  expect(contests[0]?.holders.map(({ boot }) => boot).toSorted()).toEqual(contests[1]?.holders.map(({ boot }) => boot).toSorted());
  for (const machine of [pi, second])
    await waitFor(`${machine.name} knows of it`, { withinMs: 10_000, evidence: lan.evidence }, async () => (await statusOf(machine)).state === 'contested');
  await delay(RECONCILED_MS);
  for (const machine of [pi, second]) {
    const { self, state } = await statusOf(machine);
    expect(state).toBe('contested');
    expect(self.incarnation, 'neither has gone on from what the other one signed').toBe(original);
    const events = (await eventsOf(machine)).map(({ code }) => code);
    for (const code of RECONCILED) expect(events).not.toContain(code);
  }
  for (const observer of ['laptop', 'bystander']) {
    const view = await piSeenBy(observer);
    expect(view).toMatchObject({ incarnation: original, voter: false, trust: { standing: 'contested' } });
    expect(view?.trust?.score).toBeLessThanOrEqual(0.29);
    const { problems } = await statusOf(lan.host(observer));
    expect(problems.find(({ code }) => code === 'IDENTITY_CONTESTED')).toMatchObject({ severity: 'critical' });
    expect((await eventsOf(lan.host(observer))).map(({ code }) => code)).not.toContain('ROLLED_BACK');
  }
});

/** The owner's word: the second machine is the copy. Afterwards there is one pi, everywhere, and the copy is somebody new. */
async function settleOnTheOriginal(): Promise<void> {
  const [laptop, pi, second] = [lan.host('laptop'), lan.host('pi'), lan.host('second')];
  await robonetOk(laptop, ['identity', 'settle', identity, '--copy', second.address]);
  for (const observer of ['laptop', 'bystander'])
    await waitFor(`${observer} has the original`, { withinMs: 60_000, evidence: lan.evidence }, async () => {
      const view = await piSeenBy(observer);
      return view?.liveness === 'up' && view.contest === null && view.trust?.standing === 'clear' && view.address?.startsWith(pi.address) === true;
    });
  await waitFor('the pi is a member', { withinMs: 30_000, evidence: lan.evidence }, async () => (await statusOf(pi)).state === 'member');
  await waitFor('the copy is somebody else', { withinMs: 60_000, evidence: lan.evidence }, async () => (await statusOf(second)).self.aid !== identity);
  expect((await statusOf(pi)).self.aid).toBe(identity);
}

test('SECU-04 the owner says which is the copy: everybody goes on with the original, the peer of the copy too', async () => {
  await settleOnTheOriginal();
});

test('PHYS-07 a copy that is booted before its original is found when the original comes, and settled alike', async () => {
  const [pi, second] = [lan.host('pi'), lan.host('second')];
  await copyOffline();
  await boot(second);
  for (const observer of ['laptop', 'bystander'])
    await waitFor(`${observer} takes the copy for the pi`, { withinMs: 60_000, evidence: lan.evidence }, async () => {
      const view = await piSeenBy(observer);
      return view?.liveness === 'up' && view.address?.startsWith(second.address) === true;
    });
  await boot(pi);
  const startedAt = performance.now();
  for (const observer of ['laptop', 'bystander']) {
    const { holders } = await expectTwoMachines(observer, 10_000);
    // Who was there first stays until the owner says otherwise: nobody can tell the copy by its manners.
    expect(holders.map(({ address }) => address?.split(':')[0])).toEqual([second.address, pi.address]);
  }
  record({
    useCase: 'PHYS-07',
    what: 'original after copy: two machines seen everywhere',
    measuredMs: Math.round(performance.now() - startedAt),
    promisedMs: 10_000,
  });
  for (const machine of [pi, second])
    await waitFor(`${machine.name} knows of it`, { withinMs: 10_000, evidence: lan.evidence }, async () => (await statusOf(machine)).state === 'contested');
  await settleOnTheOriginal();
});
