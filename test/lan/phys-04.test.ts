/**
 * PHYS-04: owner colonizes ten hosts at once (seven good; one bad password, one dropped mid-copy, one unsupported CPU):
 * seven join within 120 s, three are listed each with cause and next step; running again touches only those three and is
 * a no-op once all are in.
 */
import { expect, test } from 'vitest';
import { labPasswords } from './lab/base-tree.ts';
import { pretendMachine } from './lab/host/alterations.ts';
import type { Host } from './lab/host/host.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { useLan } from './stage/lan.ts';
import { agentPid, expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms } from './stage/programs.ts';
import { type ProvisionRun, asPi, changesSince, passwordFile, readRun, waitForNoTrace } from './stage/provisioning.ts';
import { bytesArriving } from './stage/transfer.ts';

const JOINED_WITHIN_MS = 120_000;
const good = ['good-1', 'good-2', 'good-3', 'good-4', 'good-5', 'good-6', 'good-7'];
const bad = ['bad-password', 'dropped', 'old-cpu'];
const before = new Map<string, Snapshot>();
let first: ProvisionRun;

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    // Real systemd on some, none on others: a drawer of computers is mixed.
    ...good.map((name, index) => ({ name, kind: index < 3 ? ('booted' as const) : ('light' as const) })),
    { name: 'bad-password', kind: 'booted' },
    { name: 'dropped', kind: 'booted' },
    { name: 'old-cpu', alterations: [pretendMachine('armv6l')] },
  ],
  async () => {
    await found(lan.host('laptop'));
    await lan.host('bad-password').check(['chpasswd'], { stdin: 'pi:another\n' });
    for (const name of [...good, ...bad]) before.set(name, await lan.host(name).snapshot());
  },
);

async function argv(): Promise<readonly string[]> {
  const password = await passwordFile(lan.host('laptop'), 'password', labPasswords.pi);
  const hosts = [...good, ...bad].map((name) => asPi(lan.host(name)));
  return ['provision', ...hosts, '--password-file', password, '--sudo-password-file', password, '--accept-new', '--parallel', '10', '--yes', '--json'];
}

test('PHYS-04 seven of ten join within 120 s although one has another password, one is dropped mid-copy and one has an old CPU', async () => {
  const [laptop, dropped] = [lan.host('laptop'), lan.host('dropped')];
  await dropped.limitRate('40mbit');
  const startedAt = performance.now();
  const running = await laptop.start(await argv(), { timeoutMs: 240_000 });
  const arrived = await bytesArriving(dropped, 1_000_000);
  await dropped.unplug();
  expect(arrived).toBeGreaterThan(1_000_000);
  await waitForMembers(laptop, ['laptop', ...good], lan.evidence, JOINED_WITHIN_MS);
  const elapsedMs = Math.round(performance.now() - startedAt);
  record({ useCase: 'PHYS-04', what: 'seven of ten joined', measuredMs: elapsedMs, promisedMs: JOINED_WITHIN_MS });
  expect(elapsedMs).toBeLessThan(JOINED_WITHIN_MS);
  first = readRun(await running.ended);
  expect(first.result.code).toBe(2);
  for (const name of good) expect(first.of(lan.host(name)).result, name).toBe('joined');
});

test('PHYS-04 three are listed, each with its own cause and next step', async () => {
  expect(first.of(lan.host('bad-password')).error?.code).toBe('RN-PROV-006');
  expect(first.of(lan.host('dropped')).error?.code).toMatch(/RN-PROV-00(1|8)/);
  expect(first.of(lan.host('old-cpu')).error?.code).toBe('RN-PROV-012');
  expect(first.of(lan.host('old-cpu')).error?.message).toContain('armv6l');
  for (const name of bad) expect(first.of(lan.host(name)).error?.next.length ?? 0, name).toBeGreaterThan(10);
  for (const name of ['bad-password', 'old-cpu']) expect(await changesSince(lan.host(name), before.get(name)!), name).toBe('');
  record({
    useCase: 'PHYS-04',
    what: 'no trace on the dropped host',
    measuredMs: await waitForNoTrace(lan.host('dropped'), before.get('dropped')!, 60_000),
    promisedMs: null,
  });
});

test('PHYS-04 running again touches only those three', async () => {
  const laptop = lan.host('laptop');
  await lan.host('dropped').limitRate(null);
  await lan.host('dropped').replug();
  await lan.host('bad-password').check(['chpasswd'], { stdin: `pi:${labPasswords.pi}\n` });
  await lan.host('old-cpu').check(['mv', '/usr/bin/uname.real', '/usr/bin/uname']);
  await waitFor(
    'the replugged host answers',
    { withinMs: 20_000 },
    async () => (await laptop.run(['ping', '-c', '1', '-W', '1', lan.host('dropped').address])).code === 0,
  );
  const pids = new Map<string, number | undefined>();
  const snapshots = new Map<string, Snapshot>();
  for (const name of good) {
    pids.set(name, await agentPid(lan.host(name)));
    snapshots.set(name, await lan.host(name).snapshot());
    expect(pids.get(name), name).toBeDefined();
  }
  const again = readRun(await laptop.run(await argv(), { timeoutMs: 240_000 }));
  expect(again.result.code, again.result.stderr).toBe(0);
  for (const name of bad) expect(again.of(lan.host(name)).result, name).toBe('joined');
  for (const name of good) {
    expect(again.of(lan.host(name)).result, name).toBe('already-member');
    expect(await agentPid(lan.host(name)), name).toBe(pids.get(name));
    expect(await changedPrograms(lan.host(name), snapshots.get(name)!), name).toBe('');
  }
  await waitForMembers(laptop, ['laptop', ...good, ...bad], lan.evidence);
});

test('PHYS-04 once all are in, running again is a no-op', async () => {
  const pids = await Promise.all([...good, ...bad].map(async (name) => agentPid(lan.host(name))));
  const run = readRun(await lan.host('laptop').run(await argv(), { timeoutMs: 240_000 }));
  expect(run.result.code, run.result.stderr).toBe(0);
  record({ useCase: 'PHYS-04', what: 'a run with nothing to do on ten hosts', measuredMs: run.result.elapsedMs, promisedMs: null });
  for (const name of [...good, ...bad]) expect(run.of(lan.host(name)).result, name).toBe('already-member');
  expect(await Promise.all([...good, ...bad].map(async (name) => agentPid(lan.host(name))))).toEqual(pids);
  await expectHealthy([lan.host('laptop'), lan.host('good-1'), lan.host('dropped')], ['laptop', ...good, ...bad]);
});

/** Changes outside the running agent's own state. */
async function changedPrograms(host: Host, snapshot: Snapshot): Promise<string> {
  return (await changesSince(host, snapshot))
    .split('\n')
    .filter((line) => !line.startsWith('/var/lib/robonet'))
    .join('\n');
}
