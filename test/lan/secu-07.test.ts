/**
 * SECU-07: one host presents fifty fresh identities: none changes an election, quorum or trust score, joins are rate-
 * limited, and the operator sees one grouped alert with the common MAC.
 */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StatusView } from '#mesh/swarm/views.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, type Problem, robonet, robonetOk, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { robonetProgram } from './stage/programs.ts';

const SCRIPTS = join(import.meta.dirname, 'stage/stranger');
const PORT = 7411;
const IDENTITIES = 50;
/** The host changes its network address as it likes; its card stays the same. */
const FACES = Array.from({ length: 10 }, (_, index) => `10.77.0.${100 + index}`);
const WAITING_PER_MACHINE = 4;
const programs = (): { readonly robonet: string } => ({ robonet: robonetProgram() });

const lan = useLan(
  () => [
    { name: 'owner', programs: programs() },
    { name: 'member', programs: programs() },
    { name: 'newcomer', programs: programs() },
    { name: 'stranger', programs: programs() },
  ],
  async () => {
    await found(lan.host('owner'));
    await adopt(lan.host('owner'), [lan.host('member')]);
    await waitForMembers(lan.host('member'), ['owner', 'member'], lan.evidence);
    await lan.host('stranger').check(['sh', '-c', FACES.map((face) => `ip addr add ${face}/24 dev eth0`).join('; ')]);
  },
);

/** What decides anything: who is a member, who votes, who leads, what each is trusted. */
function decisive(status: StatusView): unknown {
  const { mesh, nodes } = status;
  return {
    mesh: { ...mesh, commitIndex: 0 },
    nodes: nodes.map(({ aid, voter, leader, trust }) => ({ aid, voter, leader, level: trust?.level, debt: trust?.debt, breaks: trust?.breaks })),
  };
}

test('SECU-07 fifty identities of one host change nothing, are held back, and are one alert with its MAC', async () => {
  const [owner, member, stranger, newcomer] = [lan.host('owner'), lan.host('member'), lan.host('stranger'), lan.host('newcomer')];
  const before = [decisive(await statusOf(owner)), decisive(await statusOf(member))];
  const crowd = stranger.startOnNetwork(
    [
      'chrt',
      '--idle',
      '0',
      process.execPath,
      join(SCRIPTS, 'many-identities.ts'),
      `${stranger.path('/tmp')}/crowd`,
      `${owner.address}:${PORT}`,
      String(IDENTITIES),
      ...FACES,
    ],
    { timeoutMs: 170_000 },
  );
  try {
    await waitFor('all of them have asked', { withinMs: 90_000, evidence: () => crowd.stderr() }, () => crowd.stdout().includes(`asked ${IDENTITIES}`));
    const alert = await waitFor('the alert', { withinMs: 30_000, evidence: async () => JSON.stringify(await eventsOf(owner, 60), null, 1) }, async () =>
      (await eventsOf(owner, 1_000)).find(({ code }) => code === 'SYBIL_SUSPECTED'),
    );
    expect(alert.value.data['mac']).toBe(stranger.card.mac);
    expect(alert.value.text).toContain(stranger.card.mac);
    // The list of requests stays a list: a few of the crowd, and room for an honest machine.
    const requests = (await statusOf(owner)).requests;
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.length).toBeLessThanOrEqual(WAITING_PER_MACHINE);
    await robonetOk(newcomer, ['join', '--request', '--peer', `${owner.address}:${PORT}`]);
    const listed = await waitFor('the honest machine is listed', { withinMs: 20_000, evidence: lan.evidence }, async () =>
      (await statusOf(owner)).requests.find(({ name }) => name === 'newcomer'),
    );
    expect(listed.value.fingerprint).toBe(await fingerprintOf(newcomer));
    // One alert for all, in the events and in status; it counts on.
    const status = await statusOf(owner);
    const [group] = status.strangers;
    expect(status.strangers).toHaveLength(1);
    expect(group?.mac).toBe(stranger.card.mac);
    expect(group?.addresses.every((address) => [...FACES, stranger.address].includes(address))).toBe(true);
    expect(new Set(group?.addresses).size).toBeGreaterThan(1);
    expect((group?.identities ?? 0) + (group?.turnedAway ?? 0)).toBeGreaterThanOrEqual(IDENTITIES);
    expect(group?.turnedAway).toBeGreaterThan(0);
    record({ useCase: 'SECU-07', what: 'identities that proved themselves (count)', measuredMs: group?.identities ?? 0, promisedMs: null });
    record({ useCase: 'SECU-07', what: 'attempts turned away (count)', measuredMs: group?.turnedAway ?? 0, promisedMs: null });
    const shown = (await robonet<{ readonly problems: readonly Problem[] }>(owner, ['status'])).document.problems.filter(
      ({ code }) => code === 'SYBIL_SUSPECTED',
    );
    expect(shown).toHaveLength(1);
    expect(shown[0]?.text).toContain(stranger.card.mac);
    const events = await eventsOf(owner, 1_000);
    expect(events.filter(({ code }) => code === 'SYBIL_SUSPECTED')).toHaveLength(1);
    expect(events.some(({ code }) => code === 'RATE_LIMIT' || code === 'LOBBY_FULL')).toBe(true);
    // Nothing that decides has moved.
    expect([decisive(await statusOf(owner)), decisive(await statusOf(member))]).toEqual(before);
  } finally {
    crowd.child.kill('SIGKILL');
  }
});

test('SECU-07 meanwhile the honest machine is approved, and the mesh is healthy', async () => {
  const [owner, member, newcomer] = [lan.host('owner'), lan.host('member'), lan.host('newcomer')];
  await robonetOk(owner, ['approve', await fingerprintOf(newcomer)]);
  await waitForMembers(owner, ['owner', 'member', 'newcomer'], lan.evidence);
  await expectHealthy([owner, member, newcomer]);
});
