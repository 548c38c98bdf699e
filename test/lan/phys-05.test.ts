/**
 * PHYS-05: the cable is pulled during upload, and in another run between install and join: retry resumes or restarts
 * cleanly, never leaves a half-enabled service, and the host ends either working or with no trace.
 */
import { expect, test } from 'vitest';
import type { Host } from './lab/host/host.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { nodesOf, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms } from './stage/programs.ts';
import { asAdmin, changesSince, provision, readRun, waitForNoTrace } from './stage/provisioning.ts';
import { bytesArriving } from './stage/transfer.ts';

/** The catalogue of faults promises "within half a minute"; noticing a dead connection comes on top. */
const SETTLED_WITHIN_MS = 90_000;
const before = new Map<string, Snapshot>();

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    { name: 'pi', kind: 'booted' },
    { name: 'plain', kind: 'light' },
    { name: 'bystander', kind: 'light' },
  ],
  async () => {
    await found(lan.host('laptop'));
    const run = await provision(lan.host('laptop'), [asAdmin(lan.host('bystander')), '--accept-new', '--yes']);
    expect(run.result.code, run.result.stderr).toBe(0);
    for (const name of ['pi', 'plain']) before.set(name, await lan.host(name).snapshot());
  },
);

async function provisionAndPull(host: Host, moment: () => Promise<unknown>): Promise<ReturnType<typeof readRun>> {
  const running = await lan.host('laptop').start(['provision', asAdmin(host), '--accept-new', '--yes', '--json'], { timeoutMs: 180_000 });
  await moment();
  await host.unplug();
  const run = readRun(await running.ended);
  return run;
}

/** The host has settled when it is a working member's agent or bears no trace; returns which. */
async function settle(host: Host): Promise<'working' | 'no trace'> {
  const waited = await waitFor(
    `${host.name} is working or bears no trace`,
    { withinMs: SETTLED_WITHIN_MS, everyMs: 500, evidence: () => host.evidence() },
    async () => {
      const changes = await changesSince(host, before.get(host.name)!);
      const processes = (await host.processes()).filter((process) => process.command.includes('robonet'));
      if (changes === '' && processes.length === 0) return 'no trace' as const;
      if (host.has('/run/robonet/agent.sock') && (await statusOf(host)).state === 'member') return 'working' as const;
      throw new Error(`${processes.map((process) => process.command).join('\n')}\n${changes}`);
    },
  );
  record({ useCase: 'PHYS-05', what: `${host.name} settled as ${waited.value}`, measuredMs: waited.elapsedMs, promisedMs: null });
  return waited.value;
}

async function expectNoHalfService(host: Host): Promise<void> {
  if (host.description.kind !== 'booted') return;
  const enabled = (await host.run(['systemctl', 'is-enabled', 'robonet'])).stdout.trim();
  const active = (await host.run(['systemctl', 'is-active', 'robonet'])).stdout.trim();
  expect(['enabled active', ' inactive', 'not-found inactive']).toContain(`${enabled} ${active}`);
}

for (const name of ['pi', 'plain']) {
  test(`PHYS-05 ${name}: the cable is pulled during the upload; no trace is left, and the retry works`, async () => {
    const host = lan.host(name);
    await host.limitRate('40mbit');
    const run = await provisionAndPull(host, () => bytesArriving(host, 1_000_000));
    expect(run.result.code).toBe(75);
    expect(run.of(host).error?.code).toBe('RN-PROV-008');
    expect(await settle(host)).toBe('no trace');
    await expectNoHalfService(host);
    expect((await nodesOf(lan.host('laptop'))).map((node) => node.name).sort()).toEqual(['bystander', 'laptop']);
    await host.limitRate(null);
    await host.replug();
  });

  test(`PHYS-05 ${name}: the cable is pulled between install and join; the host ends working or with no trace, and the retry makes it a member`, async () => {
    const [laptop, host] = [lan.host('laptop'), lan.host(name)];
    const run = await provisionAndPull(host, () =>
      waitFor('the executable is installed', { withinMs: 60_000, everyMs: 2 }, () => host.has('/usr/local/bin/robonet')),
    );
    expect([1, 75]).toContain(run.result.code);
    const end = await settle(host);
    await expectNoHalfService(host);
    await host.replug();
    await waitFor('the host answers', { withinMs: 20_000 }, async () => (await laptop.run(['ping', '-c', '1', '-W', '1', host.address])).code === 0);
    const again = await provision(laptop, [asAdmin(host), '--accept-new', '--yes']);
    expect(again.result.code, again.result.stderr).toBe(0);
    expect(again.of(host).result).toBe(end === 'working' ? 'already-member' : 'joined');
    const node = (
      await waitFor(`${name} is up`, { withinMs: 45_000, evidence: lan.evidence }, async () =>
        (await nodesOf(laptop)).find((each) => each.name === name && each.liveness === 'up'),
      )
    ).value;
    expect(node.fingerprint).toBe((await statusOf(host)).self.fingerprint);
    // Undone again, nothing of the interrupted run is left either.
    const undone = await provision(laptop, ['--undo', asAdmin(host), '--yes']);
    expect(undone.result.code, undone.result.stderr).toBe(0);
    await waitForNoTrace(host, before.get(name)!, 20_000);
  });
}

test('PHYS-05 the others never noticed', async () => {
  await waitForMembers(lan.host('laptop'), ['laptop', 'bystander'], lan.evidence);
  await expectHealthy([lan.host('laptop'), lan.host('bystander')]);
});
