/**
 * SECU-04: a power cut rolls a node back by its last entries: both sides return to the last common entry automatically,
 * marked *benign rollback* with a small penalty; two different signed continuations from one identity are never reconciled
 * and are escalated as a clone: secu-04-fork.test.ts has that half.
 */
import { expect, test } from 'vitest';
import type { NodeView } from '#mesh/swarm/views.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const STATE = '/var/lib/robonet';
const EARLIER = '/srv/earlier';
const members = ['laptop', 'pi'];

const lan = useLan(
  () => members.map((name) => ({ name, programs: { robonet: robonetProgram() } })),
  async () => {
    await found(lan.host('laptop'), { trustProfile: 'lab' });
    await adopt(lan.host('laptop'), [lan.host('pi')]);
    await waitForMembers(lan.host('laptop'), members, lan.evidence);
  },
);

async function piSeenByLaptop(): Promise<NodeView | undefined> {
  return (await nodesOf(lan.host('laptop'))).find((node) => node.name === 'pi');
}

async function powerCycle(change: () => Promise<void> = async () => undefined): Promise<void> {
  const pi = lan.host('pi');
  await pi.powerCut();
  await change();
  await pi.powerOn();
  await pi.check(['robonet', 'agent', 'start']);
}

test('SECU-04 a power cut that takes the last entries with it: both sides go on from the last common one, as a benign rollback', async () => {
  const pi = lan.host('pi');
  const before = (await statusOf(pi)).self;
  await pi.check(['cp', '-a', STATE, EARLIER]);
  // Lives that the older disk knows nothing of.
  for (let life = 0; life < 2; life += 1) {
    await powerCycle();
    // The laptop has to have met this life; that it shows the pi as up may still be the life before.
    const { incarnation } = (await statusOf(pi)).self;
    await waitFor('the laptop has met this life', { withinMs: 60_000, evidence: lan.evidence }, async () => {
      const seen = await piSeenByLaptop();
      return seen?.incarnation === incarnation && seen?.liveness === 'up';
    });
  }
  const lived = (await statusOf(pi)).self.incarnation ?? 0;
  expect(lived).toBe((before.incarnation ?? 0) + 2);
  const startedAt = performance.now();
  await powerCycle(async () => {
    await pi.copyFolderFrom(pi, STATE, EARLIER);
  });
  const told = await waitFor('the laptop tells of a benign rollback', { withinMs: 60_000, evidence: lan.evidence }, async () =>
    (await eventsOf(lan.host('laptop'))).find(({ code }) => code === 'ROLLED_BACK'),
  );
  record({ useCase: 'SECU-04', what: 'rolled back and on again', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  expect(told.value.text).toMatch(/benign rollback; it went on as incarnation \d+ from/);
  await waitForMembers(lan.host('laptop'), members, lan.evidence);
  const own = await waitFor('the pi tells the same of itself', { withinMs: 20_000, evidence: lan.evidence }, async () =>
    (await eventsOf(pi)).find(({ code }) => code === 'STATE_RESTORED'),
  );
  expect(own.value.text).toContain('benign rollback');
  const after = await statusOf(pi);
  expect(after).toMatchObject({ state: 'member', startReason: 'restore', self: { aid: before.aid } });
  expect(after.self.incarnation).toBeGreaterThan(lived);
  expect(after.problems.map(({ code }) => code)).toContain('ROLLED_BACK');
  const view = await piSeenByLaptop();
  expect(view?.trust?.breaks['B2']).toBe(1);
  expect(view?.trust).toMatchObject({ standing: 'clear', debt: 0.35 });
  const events = [...(await eventsOf(lan.host('laptop'))), ...(await eventsOf(pi))].map(({ code }) => code);
  expect(events).not.toContain('IDENTITY_CONTESTED');
  expect(events).not.toContain('EQUIVOCATION');
});
