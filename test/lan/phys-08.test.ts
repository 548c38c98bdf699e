/**
 * PHYS-08: a node reboots with less RAM, a different disk or another board serial: the owner sees a before/after diff,
 * stale capabilities are withdrawn before the next placement, and a changed serial needs approval before the node may
 * vote again.
 */
import { expect, test } from 'vitest';
import { stageBoard, stageFacts, stagings } from '#agent/hardware/stage-facts.ts';
import type { AdmissionRequest, NodeView } from '#mesh/swarm/views.ts';
import type { Host } from './lab/host/host.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonetOk, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const FACTS = '/srv/facts';
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });
const names = ['laptop', 'pi', 'bystander'];

const lan = useLan(
  () => names.map((name) => ({ name, programs: programs() })),
  async () => {
    stageBoard(lan.host('pi').path(FACTS), 'raspberry-pi-4b');
    await lan.host('pi').writeFile('/etc/robonet/config.yaml', `facts: ${FACTS}\n`);
    await found(lan.host('laptop'));
    await adopt(lan.host('laptop'), [lan.host('pi'), lan.host('bystander')]);
    await waitForMembers(lan.host('laptop'), names, lan.evidence);
  },
);

/** The machine is switched off, somebody works on it with a screwdriver, it is switched on again. */
async function rebootWith(staging: keyof typeof stagings): Promise<void> {
  const pi: Host = lan.host('pi');
  await pi.powerCut();
  stageFacts(pi.path(FACTS), stagings[staging]);
  await pi.powerOn();
  await pi.check(['robonet', 'agent', 'start']);
}

async function piSeenBy(observer: string): Promise<NodeView | undefined> {
  return (await nodesOf(lan.host(observer))).find((node) => node.name === 'pi');
}

async function changeSeenBy(observer: string): Promise<string | undefined> {
  return (await piSeenBy(observer))?.conditions.find((condition) => condition.kind === 'hardware-changed')?.text;
}

test('PHYS-08 less memory: a before/after difference, and the old capability is gone everywhere', async () => {
  const before = (await piSeenBy('bystander'))?.capabilities?.memoryBytes ?? 0;
  expect(before).toBeGreaterThan(3_000_000_000);
  const startedAt = performance.now();
  await rebootWith('less-memory');
  await waitFor('the smaller memory is announced', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const pi = await piSeenBy('bystander');
    return pi?.liveness === 'up' && (pi.capabilities?.memoryBytes ?? before) < 2_100_000_000;
  });
  record({ useCase: 'PHYS-08', what: 'less memory known mesh-wide after reboot', measuredMs: Math.round(performance.now() - startedAt), promisedMs: null });
  const text = (await waitFor('the difference is shown', { withinMs: 20_000, evidence: lan.evidence }, () => changeSeenBy('laptop'))).value;
  expect(text).toMatch(/memory/i);
  expect(text).toMatch(/→|->|from .* to|was .* (is|now)|before .* after/i);
  // Same board: it is the same member, and needs nobody's approval.
  expect((await statusOf(lan.host('pi'))).state).toBe('member');
});

test('PHYS-08 another card: a before/after difference naming the disk', async () => {
  await rebootWith('other-card');
  const text = await waitFor('the difference is shown', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const seen = await changeSeenBy('laptop');
    return seen !== undefined && /disk|card|storage/i.test(seen) ? seen : undefined;
  });
  expect(text.value).toMatch(/→|->|from .* to|was .* (is|now)|before .* after/i);
});

test('PHYS-08 another board serial: the old identity is not used, and the node waits for approval', async () => {
  const pi = lan.host('pi');
  const old = await fingerprintOf(pi);
  await rebootWith('other-serial');
  const waiting = await waitFor('the changed machine asks again', { withinMs: 60_000, evidence: lan.evidence }, async () => {
    const { requests } = await robonetOk<{ readonly requests: readonly AdmissionRequest[] }>(lan.host('laptop'), ['requests']);
    return requests[0];
  });
  expect(waiting.value.fingerprint).not.toBe(old);
  const status = await statusOf(pi);
  expect(status.state).toBe('lobby');
  expect(status.self.voter).toBe(false);
  const mismatch = (await eventsOf(pi)).find((event) => event.code === 'HW_MISMATCH');
  expect(mismatch?.text).toMatch(/serial/i);
  expect(`${mismatch?.text} ${JSON.stringify(mismatch?.data)} ${status.stateReason}`).toMatch(new RegExp(`${old}|rn1`));
  const members = await nodesOf(lan.host('laptop'));
  expect(members.some((node) => node.fingerprint === waiting.value.fingerprint)).toBe(false);
});

test('PHYS-08 after the approval it is a member again, and nobody else was touched', async () => {
  const [laptop, pi] = [lan.host('laptop'), lan.host('pi')];
  const fingerprint = await fingerprintOf(pi);
  await robonetOk(laptop, ['approve', fingerprint]);
  await waitFor('the approved machine is up', { withinMs: 60_000, evidence: lan.evidence }, async () =>
    (await nodesOf(laptop)).some((node) => node.fingerprint === fingerprint && node.liveness === 'up'),
  );
  expect((await statusOf(pi)).state).toBe('member');
  for (const observer of ['laptop', 'bystander']) {
    const others = (await nodesOf(lan.host(observer))).filter((node) => ['laptop', 'bystander'].includes(node.name));
    expect(others.map((node) => node.liveness)).toEqual(['up', 'up']);
  }
  // The identity of the machine that is no more is removed by hand, and then everything is healthy.
  const gone = (await nodesOf(laptop)).filter((node) => node.name.startsWith('pi') && node.fingerprint !== fingerprint);
  for (const node of gone) await robonetOk(laptop, ['node', 'forget', node.aid]);
  const name = (await nodesOf(laptop)).find((node) => node.fingerprint === fingerprint)?.name ?? 'pi';
  await expectHealthy([laptop, lan.host('bystander')], ['laptop', 'bystander', name]);
});
