/**
 * PHYS-06: owner undoes a colonization: files, users, service units, authorized keys and firewall match the snapshot taken
 * before, the mesh shows an orderly departure, and the same host can be adopted again under the same name.
 */
import { expect, test } from 'vitest';
import type { Host } from './lab/host/host.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms } from './stage/programs.ts';
import { asAdmin, changesSince, provision } from './stage/provisioning.ts';

interface Before {
  readonly files: Snapshot;
  readonly units: string;
  readonly accounts: string;
  readonly firewall: string;
}

const before = new Map<string, Before>();
const targets = ['pi', 'plain'];
const all = ['laptop', 'bystander', ...targets];

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    { name: 'bystander', kind: 'light' },
    { name: 'pi', kind: 'booted' },
    { name: 'plain', kind: 'light' },
  ],
  async () => {
    await found(lan.host('laptop'));
    for (const name of targets) before.set(name, await stateOf(lan.host(name)));
    await adoptAll();
  },
);

async function stateOf(host: Host): Promise<Before> {
  const units = host.description.kind === 'booted' ? await host.check(['systemctl', 'list-unit-files', '--no-pager', '--no-legend', '--plain']) : '';
  const accounts = await host.check(['sh', '-c', 'getent passwd; getent group; cat /etc/shadow /home/*/.ssh/authorized_keys']);
  return { files: await host.snapshot(), units, accounts, firewall: await host.firewall() };
}

async function adoptAll(): Promise<void> {
  const run = await provision(lan.host('laptop'), [...targets, 'bystander'].map((name) => asAdmin(lan.host(name))).concat(['--accept-new', '--yes']));
  expect(run.result.code, run.result.stderr).toBe(0);
  await waitForMembers(lan.host('laptop'), all, lan.evidence);
}

const fingerprints = new Map<string, string>();

test('PHYS-06 undo leaves files, users, units, keys and firewall as they were', async () => {
  const laptop = lan.host('laptop');
  for (const name of targets) {
    fingerprints.set(name, await fingerprintOf(lan.host(name)));
    // Non-vacuous: the colonization did leave something to undo.
    expect(await changesSince(lan.host(name), before.get(name)!.files)).not.toBe('');
  }
  const run = await provision(laptop, ['--undo', ...targets.map((name) => asAdmin(lan.host(name))), '--yes']);
  expect(run.result.code, run.result.stderr).toBe(0);
  record({ useCase: 'PHYS-06', what: 'undo of two hosts', measuredMs: run.result.elapsedMs, promisedMs: null });
  for (const name of targets) {
    const [was, is] = [before.get(name)!, await stateOf(lan.host(name))];
    expect(await changesSince(lan.host(name), was.files), name).toBe('');
    expect(is.units, name).toBe(was.units);
    expect(is.accounts, name).toBe(was.accounts);
    expect(is.firewall, name).toBe(was.firewall);
    expect(
      (await lan.host(name).processes()).filter((process) => process.command.includes('robonet')),
      name,
    ).toEqual([]);
    expect(lan.host(name).has('/run/robonet'), name).toBe(false);
  }
});

test('PHYS-06 the mesh saw an orderly departure, not a failure', async () => {
  for (const observer of ['laptop', 'bystander']) {
    const host = lan.host(observer);
    await waitFor(`${observer} no longer lists them`, { withinMs: 20_000, evidence: lan.evidence }, async () =>
      (await nodesOf(host)).every((node) => !targets.includes(node.name)),
    );
    const events = await eventsOf(host);
    for (const name of targets) {
      const about = events.filter((event) => event.text.includes(name) || event.data['name'] === name);
      expect(
        about.some((event) => /LEFT|DEPART|REMOVED/.test(event.code)),
        `${observer} on ${name}: ${JSON.stringify(about)}`,
      ).toBe(true);
      expect(
        about.some((event) => /SUSPECT|DOWN/.test(event.code)),
        `${observer} on ${name}: ${JSON.stringify(about)}`,
      ).toBe(false);
    }
  }
  await expectHealthy([lan.host('laptop'), lan.host('bystander')]);
});

test('PHYS-06 undoing what is not there changes nothing and says so', async () => {
  const run = await provision(lan.host('laptop'), ['--undo', asAdmin(lan.host('pi')), '--yes']);
  expect(run.result.code).toBe(1);
  expect(run.of(lan.host('pi')).error?.code).toBe('RN-PROV-029');
  expect(await changesSince(lan.host('pi'), before.get('pi')!.files)).toBe('');
});

test('PHYS-06 the same hosts are adopted again under the same names, with new identities', async () => {
  await adoptAll();
  for (const name of targets) expect(await fingerprintOf(lan.host(name)), name).not.toBe(fingerprints.get(name));
  await expectHealthy(all.map((name) => lan.host(name)));
});

test('PHYS-06 what the owner put beside it stays, and is named', async () => {
  await lan.host('plain').writeFile('/etc/robonet/config.yaml', 'name: shelf\n');
  const run = await provision(lan.host('laptop'), ['--undo', asAdmin(lan.host('plain')), '--yes']);
  expect(run.result.code, run.result.stderr).toBe(0);
  expect(run.of(lan.host('plain')).left).toContain('/etc/robonet/config.yaml');
  const changes = (await changesSince(lan.host('plain'), before.get('plain')!.files)).split('\n').map((line) => line.split(':')[0]);
  expect(changes).toEqual(['/etc/robonet', '/etc/robonet/config.yaml']);
});
