/**
 * PHYS-02: owner runs `provision --scan` on a laptop: within 10 s every host answering mDNS or SSH is listed as member,
 * foreign mesh, candidate or unreachable, with address, hostname, OS/arch when known; file-tree hashes and auth logs
 * prove no host was changed or logged into.
 */
import { expect, test } from 'vitest';
import { announcingServices } from './lab/host/alterations.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { record } from './lab/report.ts';
import { Terminal, keys } from './lab/terminal.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms, robonetProgram } from './stage/programs.ts';
import { changesSince } from './stage/provisioning.ts';
import { type ScannedHost, scan } from './stage/scanning.ts';

const ROWS_WITHIN_MS = 2_000;
const COMPLETE_WITHIN_MS = 10_000;
const visited = ['member', 'foreign', 'announcing', 'plain', 'silent', 'filtered'];
const snapshots = new Map<string, Snapshot>();
const logs = new Map<string, string>();

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    { name: 'member', programs: { robonet: robonetProgram() } },
    { name: 'foreign', programs: { robonet: robonetProgram() }, maker: 'intel' },
    { name: 'announcing', alterations: [announcingServices], maker: 'raspberry-pi-5' },
    { name: 'plain', maker: 'raspberry-pi-zero' },
    { name: 'silent', avahi: false, maker: 'hewlett-packard' },
    { name: 'filtered', maker: 'raspberry-pi-400' },
  ],
  async () => {
    const laptop = lan.host('laptop');
    await found(laptop);
    await adopt(laptop, [lan.host('member')]);
    await found(lan.host('foreign'), { name: 'neighbours' });
    await lan.lab.blockTcp(laptop, lan.host('filtered'), 22);
    await waitForMembers(laptop, ['laptop', 'member'], lan.evidence);
    for (const name of visited) {
      snapshots.set(name, await lan.host(name).snapshot());
      logs.set(name, await lan.host(name).authLog());
    }
  },
);

function rowOf(rows: readonly ScannedHost[], name: string): ScannedHost | undefined {
  return rows.find((row) => row.address === lan.host(name).address);
}

test('PHYS-02 within 10 s every host that answers is listed as what it is', async () => {
  // Somebody who does not speak mDNS is known once the laptop has exchanged a packet with it.
  await lan.host('laptop').run(['ping', '-c', '1', '-W', '1', lan.host('silent').address]);
  const { hosts, elapsedMs } = await scan(lan.host('laptop'));
  record({ useCase: 'PHYS-02', what: 'complete list', measuredMs: elapsedMs, promisedMs: COMPLETE_WITHIN_MS });
  expect(elapsedMs).toBeLessThan(COMPLETE_WITHIN_MS + 2_000);
  expect(Object.fromEntries(visited.map((name) => [name, rowOf(hosts, name)?.standing]))).toEqual({
    member: 'member',
    foreign: 'foreign',
    announcing: 'candidate',
    plain: 'candidate',
    silent: 'candidate',
    filtered: 'unreachable',
  });
});

test('PHYS-02 each row has address, host name and what is known of system and maker', async () => {
  const { hosts } = await scan(lan.host('laptop'));
  for (const name of ['announcing', 'plain', 'filtered']) expect(rowOf(hosts, name)?.name).toMatch(new RegExp(`^${name}(\\.local)?$`));
  expect(rowOf(hosts, 'plain')?.maker).toMatch(/raspberry/i);
  expect(rowOf(hosts, 'announcing')?.maker).toMatch(/raspberry/i);
  // The SSH banner of a Debian names the system.
  expect(rowOf(hosts, 'plain')?.os).toMatch(/debian|ubuntu/i);
  // A member says its architecture itself.
  expect(rowOf(hosts, 'member')?.arch).toBe(process.arch);
});

test('PHYS-02 with --sweep a host nobody has ever spoken with is found', async () => {
  const stranger = await lan.lab.addHost({ name: 'never-met', avahi: false });
  const before = await stranger.snapshot();
  const { hosts, elapsedMs } = await scan(lan.host('laptop'), ['--sweep']);
  record({ useCase: 'PHYS-02', what: 'complete list with --sweep', measuredMs: elapsedMs, promisedMs: COMPLETE_WITHIN_MS });
  expect(hosts.find((row) => row.address === stranger.address)?.standing).toBe('candidate');
  expect(await changesSince(stranger, before)).toBe('');
  expect(await stranger.authLog()).not.toMatch(/Accepted|Failed|Invalid user|authenticating user/);
});

test('PHYS-02 on the screen the first rows appear within 2 s, and leaving it changes nothing', async () => {
  const startedAt = performance.now();
  const screen = await Terminal.open(lan.host('laptop'), ['provision', '--scan']);
  try {
    await screen.sees(/10\.77\.0\.\d+/, 15_000);
    const elapsedMs = Math.round(performance.now() - startedAt);
    record({ useCase: 'PHYS-02', what: 'first row on the screen', measuredMs: elapsedMs, promisedMs: ROWS_WITHIN_MS });
    expect(elapsedMs).toBeLessThan(ROWS_WITHIN_MS + 1_000);
    await screen.sees(/plain/, 15_000);
    screen.type(keys.interrupt);
    expect((await screen.ended()).code).toBe(130);
  } finally {
    screen.close();
  }
});

test('PHYS-02 no host was changed or logged into', async () => {
  for (const name of visited) {
    const host = lan.host(name);
    const log = (await host.authLog()).slice(logs.get(name)?.length ?? 0);
    expect(log, name).not.toMatch(/Accepted|Failed|Invalid user|authenticating user|publickey|password/);
    // The agents of the two nodes write their own state; blank hosts write nothing at all.
    if (name === 'member' || name === 'foreign') continue;
    expect(await changesSince(host, snapshots.get(name)!), name).toBe('');
  }
  await expectHealthy([lan.host('laptop'), lan.host('member')]);
});

test('PHYS-02 a scan that finds nothing says which interfaces were searched and what to check', async () => {
  const lonely = await lan.lab.addHost({ name: 'lonely', programs: laptopPrograms() });
  await lonely.unplug();
  const found_ = await lonely.run(['provision', '--scan', '--yes', '--no-color', '--timeout', '3'], { timeoutMs: 60_000 });
  expect(found_.code).not.toBe(0);
  const said = `${found_.stdout}\n${found_.stderr}`;
  expect(said).toMatch(/eth0/);
  expect(said).toMatch(/carrier|cable|no link/i);
});
