/**
 * PHYS-02 and PHYS-03 as a person does them: picks machines out of the scan with the keys of a real terminal, walks away
 * from the question, colonizes from a machine that runs no agent (`--via` the voter: other members cannot invite), and through a door named in ~/.ssh/config.
 */
import { expect, test } from 'vitest';
import type { Host } from './lab/host/host.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { Terminal, keys } from './lab/terminal.ts';
import { statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms, provisionProgram } from './stage/programs.ts';
import { asAdmin, changesSince, provision } from './stage/provisioning.ts';

const LOGGED_IN = /Accepted|Failed|Invalid user|authenticating user/;
const candidates = ['alpha', 'bravo'] as const;
const scanning = ['provision', '--scan', '--user', 'admin', '--accept-new'];
/** What the first tests find out and the later ones go on with. */
const picked = { chosen: '', passedOver: '' };

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    ...candidates.map((name) => ({ name })),
    { name: 'visitor', ownsKey: true, programs: { provision: provisionProgram() }, off: true },
    { name: 'inner', off: true },
  ],
  async () => found(lan.host('laptop')),
);

/** Scans at a terminal until the question is on the screen; returns the offered names from top to bottom. */
async function atTheQuestion(): Promise<{ readonly screen: Terminal; readonly offered: readonly string[] }> {
  const screen = await Terminal.open(lan.host('laptop'), scanning);
  try {
    await screen.sees(/Which machines shall become members/, 30_000);
    const options = (await screen.sees(/(alpha|bravo)\S* +10\.77\.\d+\.\d+[^]*?(alpha|bravo)\S* +10\.77\.\d+\.\d+/, 5_000)).value;
    return { screen, offered: options.slice(1, 3) };
  } catch (error) {
    screen.close();
    throw error;
  }
}

/** What a host is before something that must leave it alone. */
async function beforehand(host: Host): Promise<{ readonly snapshot: Snapshot; readonly log: number }> {
  return { snapshot: await host.snapshot(), log: (await host.authLog()).length };
}

async function expectUntouched(host: Host, before: { readonly snapshot: Snapshot; readonly log: number }): Promise<void> {
  expect(await changesSince(host, before.snapshot), host.name).toBe('');
  expect((await host.authLog()).slice(before.log), host.name).not.toMatch(LOGGED_IN);
}

test.each([
  { name: 'Ctrl-C', key: keys.interrupt },
  { name: 'Escape', key: keys.escape },
])('PHYS-02 choosing: $name at the selection ends with 130 and nothing is changed anywhere', async ({ key }) => {
  const before = new Map(await Promise.all(candidates.map(async (name) => [name, await beforehand(lan.host(name))] as const)));
  const laptop = await lan.host('laptop').snapshot();
  const { screen, offered } = await atTheQuestion();
  try {
    expect([...offered].sort()).toEqual(candidates);
    // Something is already marked: walking away is still walking away.
    screen.type(keys.space);
    await screen.sees(/◼/, 5_000);
    screen.type(key);
    expect((await screen.ended()).code, screen.text()).toBe(130);
  } finally {
    screen.close();
  }
  for (const name of candidates) await expectUntouched(lan.host(name), before.get(name)!);
  // The laptop's own agent goes on writing its state; nothing else may differ there, known hosts included.
  const changed = (await changesSince(lan.host('laptop'), laptop)).split('\n').filter((line) => line !== '' && !line.includes('/var/lib/robonet'));
  expect(changed).toEqual([]);
  await waitForMembers(lan.host('laptop'), ['laptop'], lan.evidence);
});

test('PHYS-03 choosing: arrow, space and enter make exactly the marked one of two candidates a member', async () => {
  const before = new Map(await Promise.all(candidates.map(async (name) => [name as string, await beforehand(lan.host(name))] as const)));
  const { screen, offered } = await atTheQuestion();
  try {
    [picked.passedOver = '', picked.chosen = ''] = offered;
    screen.type(keys.down);
    screen.type(keys.space);
    const marked = await screen.sees(/◼\s+(alpha|bravo)/, 5_000);
    expect(marked.value[1]).toBe(picked.chosen);
    screen.type(keys.enter);
    expect((await screen.ended()).code, screen.text()).toBe(0);
    expect(screen.text()).toContain(await fingerprintOf(lan.host(picked.chosen)));
  } finally {
    screen.close();
  }
  await waitForMembers(lan.host('laptop'), ['laptop', picked.chosen], lan.evidence);
  expect(lan.host(picked.passedOver).has('/usr/local/bin/robonet')).toBe(false);
  await expectUntouched(lan.host(picked.passedOver), before.get(picked.passedOver)!);
});

test('PHYS-03 choosing: --via a newcomer, which may not have decisions made yet, is refused with the reason, and the host is unchanged', async () => {
  const [visitor, member, blank] = [lan.host('visitor'), lan.host(picked.chosen), lan.host(picked.passedOver)];
  await visitor.powerOn();
  const snapshot = await blank.snapshot();
  const run = await provision(visitor, [asAdmin(blank), '--via', asAdmin(member), '--accept-new', '--yes']);
  expect(run.result.code, run.result.stderr).toBe(1);
  expect(run.of(blank).error?.code).toBe('RN-PROV-023');
  expect(run.of(blank).error?.message).toMatch(/carried out from trust level T2 on, it is at T[01] here; run it at a voter/);
  expect(run.of(blank).error?.retry, 'waiting does not help').toBe('never');
  expect(await changesSince(blank, snapshot)).toBe('');
});

test('PHYS-03 choosing: a machine that runs no agent colonizes through the voter named with --via', async () => {
  const [visitor, member, blank] = [lan.host('visitor'), lan.host('laptop'), lan.host(picked.passedOver)];
  const without = await provision(visitor, [asAdmin(blank), '--accept-new', '--yes']);
  expect(without.result.code, without.result.stderr).toBe(69);
  expect(without.result.stdout).toContain('RN-PROV-022');
  expect(blank.has('/usr/local/bin/robonet')).toBe(false);
  const run = await provision(visitor, [asAdmin(blank), '--via', asAdmin(member), '--accept-new', '--yes']);
  expect(run.result.code, `${run.result.stdout}${run.result.stderr}`).toBe(0);
  expect(run.of(blank).result).toBe('joined');
  expect(run.of(blank).fingerprint).toBe(await fingerprintOf(blank));
  await waitForMembers(member, ['laptop', ...candidates], lan.evidence);
  expect((await statusOf(blank)).mesh?.id).toBe((await statusOf(member)).mesh?.id);
  expect(visitor.has('/usr/local/bin/robonet')).toBe(false);
});

test('PHYS-03 choosing: an alias of ~/.ssh/config with ProxyJump through a member reaches a blank host', async () => {
  const [laptop, door, inner] = [lan.host('laptop'), lan.host(picked.chosen), lan.host('inner')];
  await inner.powerOn();
  await laptop.writeFile(
    '/root/.ssh/config',
    `Host door\n  HostName ${door.address}\n  User admin\n\nHost cellar\n  HostName ${inner.address}\n  User admin\n  ProxyJump door\n`,
  );
  const run = await provision(laptop, ['cellar', '--accept-new', '--yes']);
  expect(run.result.code, run.result.stderr).toBe(0);
  expect(run.hosts).toMatchObject([{ host: 'cellar', result: 'joined' }]);
  const visits = (await inner.authLog()).split('\n').filter((line) => line.includes('Accepted publickey for'));
  expect(visits.length).toBeGreaterThan(0);
  for (const line of visits) expect(line).toContain(`from ${door.address} `);
  await expectHealthy([laptop, inner], ['laptop', ...candidates, 'inner']);
});
