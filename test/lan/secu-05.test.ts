/**
 * SECU-05: owner rotates a node's key: peers accept only the pre-committed successor; an attacker holding the old key is
 * refused; a node that lost all keys re-enters as new with trust 0 and its old identity is marked closed everywhere.
 */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EventRecord, NodeView } from '#mesh/swarm/views.ts';
import type { Host } from './lab/host/host.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';
import { eventsOf, nodesOf, robonetOk, robonetRefused, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms, robonetProgram } from './stage/programs.ts';
import { asAdmin, provision } from './stage/provisioning.ts';

const STATE = '/var/lib/robonet';
const ESCROW = '/root/.local/share/robonet/escrow';
const STRANGER_SCRIPTS = join(import.meta.dirname, 'stage/stranger');
const WITHIN_MS = 45_000;
/** A slot of a minute must pass before a newcomer has earned anything that a rotation could lose. */
const CREDIT_WITHIN_MS = 180_000;
const devices = ['kitchen', 'attic', 'cellar'];
const members = ['laptop', ...devices];

/** The soft binding would notice the thief's other board; what is left without it is to be shown. */
const UNBOUND = 'hardware_binding: none\n';

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    ...devices.map((name) => ({ name })),
    { name: 'thief', programs: { robonet: robonetProgram() } },
  ],
  async () => {
    await found(lan.host('laptop'), { name: 'cottage', trustProfile: 'lab' });
    for (const name of devices) await lan.host(name).writeFile('/etc/robonet/config.yaml', UNBOUND);
    // Nor does the thief give itself away by the name of its machine.
    await lan.host('thief').writeFile('/etc/robonet/config.yaml', `${UNBOUND}name: cellar\n`);
  },
);

const hosts = (names: readonly string[]): readonly Host[] => names.map((name) => lan.host(name));

async function viewOf(observer: string, name: string): Promise<NodeView> {
  const found = (await nodesOf(lan.host(observer))).find((node) => node.name === name);
  if (found === undefined) throw new Error(`${observer} does not see ${name}`);
  return found;
}

async function identityOf(name: string): Promise<{
  readonly aid: string;
  readonly fingerprint: string;
  readonly rotation: number;
  readonly nextKey: { readonly where: string; readonly place?: { readonly how: string } };
}> {
  return robonetOk(lan.host(name), ['identity', 'show']);
}

async function escrowOf(name: string): Promise<{ readonly nextKey: string; readonly rotation: number; readonly path: string }> {
  return JSON.parse(await lan.host('laptop').check(['provision', 'escrow', 'show', name, '--json'])) as { nextKey: string; rotation: number; path: string };
}

/** A copy of a host's state on this machine, and its way onto the thief's card. */
async function copyState(from: Host, to: Host): Promise<void> {
  await rm(to.path(STATE), { recursive: true, force: true });
  await cp(from.path(STATE), to.path(STATE), { recursive: true, filter: (path) => !path.endsWith('.lock') && !path.endsWith('events.jsonl') });
}

async function eventOn(observer: string, what: string, fits: (event: EventRecord) => boolean): Promise<EventRecord> {
  const waited = await waitFor(`${observer} records ${what}`, { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
    (await eventsOf(lan.host(observer))).find(fits),
  );
  return waited.value;
}

async function stopThief(): Promise<void> {
  await lan.host('thief').run(['robonet', 'agent', 'stop']);
}

test('SECU-05 colonizing takes the next key of each device into escrow on the laptop, and off the device', async () => {
  const laptop = lan.host('laptop');
  const run = await provision(laptop, [...devices.map((name) => asAdmin(lan.host(name))), '--accept-new', '--yes']);
  expect(run.hosts.map((host) => host.result)).toEqual(devices.map(() => 'joined'));
  await expectHealthy(hosts(members), members);
  expect(`${run.result.stdout}${run.result.stderr}`).not.toContain('rnk1.');
  for (const name of devices) {
    const { aid, nextKey } = await identityOf(name);
    expect(nextKey).toMatchObject({ where: 'away', place: { how: 'escrowed' } });
    expect((await laptop.check(['stat', '-c', '%a %U', `${ESCROW}/${aid}.json`])).trim()).toBe('600 root');
    const exported = await robonetRefused(lan.host(name), ['identity', 'export-next', '-']);
    expect(exported.code).toBe('RN-MESH-061');
  }
  const listed = await laptop.check(['provision', 'escrow', 'list']);
  for (const name of devices) expect(listed).toContain(name);
  expect(listed).not.toContain('rnk1.');
});

test('SECU-05 without the next key, or with another one, nothing is rotated', async () => {
  const attic = lan.host('attic');
  const without = await robonetRefused(attic, ['identity', 'rotate']);
  expect([without.code, without.exit]).toEqual(['RN-MESH-061', 65]);
  const other = await robonetRefused(attic, ['identity', 'rotate', '--next-key', '-'], { stdin: `${(await escrowOf('cellar')).nextKey}\n` });
  expect(other.code).toBe('RN-MESH-060');
  expect(other.message).toContain((await identityOf('cellar')).fingerprint);
  expect((await identityOf('attic')).rotation).toBe(0);
});

test('SECU-05 the owner rotates the key of the attic: every peer accepts the successor; name, role and trust stay', async () => {
  const [laptop, attic] = [lan.host('laptop'), lan.host('attic')];
  await waitFor('the attic has earned credit everywhere', { withinMs: CREDIT_WITHIN_MS, evidence: lan.evidence, everyMs: 2_000 }, async () =>
    (await Promise.all(['laptop', 'kitchen', 'cellar'].map(async (name) => (await viewOf(name, 'attic')).trust?.lengthCredit ?? 0))).every(
      (credit) => credit > 0,
    ),
  );
  const before = await Promise.all(['laptop', 'kitchen', 'cellar'].map((name) => viewOf(name, 'attic')));
  await copyState(attic, lan.host('thief'));
  const startedAt = performance.now();
  await robonetOk(attic, ['identity', 'rotate', '--next-key', '-'], { stdin: `${await laptop.check(['provision', 'escrow', 'show', 'attic'])}` });
  await waitFor('every peer has the new key and the attic is up', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
    (await Promise.all(['laptop', 'kitchen', 'cellar'].map((name) => viewOf(name, 'attic')))).every((view) => view.rotation === 1 && view.liveness === 'up'),
  );
  record({
    useCase: 'SECU-05',
    what: 'from the rotation to every peer linked under the new key',
    measuredMs: Math.round(performance.now() - startedAt),
    promisedMs: null,
  });
  const after = await Promise.all(['laptop', 'kitchen', 'cellar'].map((name) => viewOf(name, 'attic')));
  for (const [index, view] of after.entries()) {
    expect(view).toMatchObject({ aid: before[index]!.aid, role: before[index]!.role, joinedAt: before[index]!.joinedAt });
    expect(view.trust!.score).toBeGreaterThanOrEqual(before[index]!.trust!.score);
    expect(view.trust!.breaks).toEqual(before[index]!.trust!.breaks);
  }
  for (const name of ['laptop', 'kitchen', 'cellar'])
    await eventOn(name, 'the rotation', (event) => event.code === 'KEY_ROTATED' && event.text.includes('attic'));
  await expectHealthy(hosts(members), members);
});

test('SECU-05 the next key of the next rotation is collected again', async () => {
  const laptop = lan.host('laptop');
  expect((await identityOf('attic')).nextKey.where).toBe('device');
  expect(await lan.host('attic').check(['robonet', 'identity', 'show', '--no-color'])).toMatch(/next key +on this device/);
  const former = (await escrowOf('attic')).nextKey;
  await laptop.check(['provision', 'escrow', 'pull', asAdmin(lan.host('attic'))]);
  expect((await identityOf('attic')).nextKey).toMatchObject({ where: 'away' });
  expect((await escrowOf('attic')).nextKey).not.toBe(former);
});

test('SECU-05 an attacker with a copy of the card from before is refused by everybody, and named', async () => {
  const thief = lan.host('thief');
  await thief.check(['robonet', 'agent', 'install']);
  await waitFor('the copy knows that it was refused', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () => (await statusOf(thief)).state === 'refused');
  expect((await statusOf(thief)).stateReason).toContain('rotation 1 of this identity was made elsewhere');
  const seen = await eventOn('kitchen', 'the old key', (event) => event.code === 'OLD_KEY_REFUSED');
  expect(seen).toMatchObject({ severity: 'critical', source: thief.address, aid: (await identityOf('attic')).aid });
  expect(seen.text).toContain('attic');
  expect((await eventsOf(lan.host('kitchen'))).some((event) => event.code === 'IDENTITY_STALE' && event.source === thief.address)).toBe(true);
  // The attic itself is not blamed and stays where it is.
  await expectHealthy(hosts(members), members);
  expect((await viewOf('kitchen', 'attic')).trust!.breaks).not.toHaveProperty('B4');
  await stopThief();
});

test('SECU-05 the same attacker signs a rotation of its own with the old key: nobody accepts a key that was not committed to', async () => {
  const [thief, kitchen] = [lan.host('thief'), lan.host('kitchen')];
  const forger = thief.startOnNetwork([process.execPath, join(STRANGER_SCRIPTS, 'forger.ts'), thief.path(STATE), `${kitchen.address}:7411`]);
  const refused = await eventOn('kitchen', 'the forged rotation', (event) => event.code === 'IDENTITY_BAD' && event.source === thief.address);
  expect(refused.text).toContain('reveals a key that was not committed to');
  forger.child.kill();
  const result = await forger.ended;
  expect(result.stdout).toContain('showed a forged rotation');
  expect(result.stdout).toContain((await identityOf('attic')).aid);
  expect((await viewOf('kitchen', 'attic')).rotation).toBe(1);
  await expectHealthy(hosts(members), members);
});

test('SECU-05 a card that was copied is taken back with the next key alone: the copy is thrown out, trust stays', async () => {
  const [thief, cellar] = [lan.host('thief'), lan.host('cellar')];
  const before = await viewOf('kitchen', 'cellar');
  await cellar.check(['robonet', 'agent', 'stop']);
  await copyState(cellar, thief);
  // The copy speaks first and is taken for the cellar: nothing distinguishes the two yet.
  await thief.check(['robonet', 'agent', 'start']);
  await waitFor('the copy is in', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
    (await statusOf(thief)).nodes.some((node) => node.name === 'kitchen' && node.liveness === 'up'),
  );
  await cellar.check(['robonet', 'agent', 'start']);
  // Whichever member it meets first sees both; the cellar then stops pressing the matter.
  await waitFor('a member sees two machines with one identity', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
    (await Promise.all(['laptop', 'kitchen', 'attic'].map((name) => eventsOf(lan.host(name)))))
      .flat()
      .some((event) => event.code === 'IDENTITY_CONTESTED' && event.text.includes('cellar')),
  );
  await robonetOk(cellar, ['identity', 'recover', '--next-key', '-'], { stdin: await lan.host('laptop').check(['provision', 'escrow', 'show', 'cellar']) });
  await waitForMembers(cellar, members, lan.evidence);
  for (const name of ['laptop', 'kitchen', 'attic'])
    await waitFor(`${name} has the cellar back`, { withinMs: WITHIN_MS, evidence: lan.evidence }, async () => {
      const view = await viewOf(name, 'cellar');
      return view.rotation === 1 && view.liveness === 'up';
    });
  const event = await eventOn('kitchen', 'the recovery', (each) => each.code === 'KEY_ROTATED' && each.text.includes('cellar'));
  expect(event.data).toMatchObject({ rotation: 1, cause: 'recovery' });
  await waitFor('the copy is out', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () => (await statusOf(thief)).state === 'refused');
  await eventOn('kitchen', 'the old key', (each) => each.code === 'OLD_KEY_REFUSED' && each.text.includes('cellar'));
  const after = await viewOf('kitchen', 'cellar');
  expect(after).toMatchObject({ aid: before.aid, role: before.role, joinedAt: before.joinedAt });
  expect(after.trust!.lengthCredit).toBeGreaterThanOrEqual(before.trust!.lengthCredit);
  await stopThief();
});

test('SECU-05 a node that lost all keys re-enters as new with trust 0, and its old identity is closed everywhere', async () => {
  const [laptop, cellar, thief] = [lan.host('laptop'), lan.host('cellar'), lan.host('thief')];
  const old = await identityOf('cellar');
  await cellar.check(['robonet', 'agent', 'stop']);
  await copyState(cellar, thief);
  await cellar.check(['sh', '-c', `rm -rf ${STATE}/*`]);
  await cellar.check(['robonet', 'agent', 'start']);
  const fresh = await identityOf('cellar');
  expect([fresh.aid === old.aid, fresh.rotation]).toEqual([false, 0]);
  await robonetOk(cellar, ['join', '--request']);
  await waitFor('the request waits', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
    (await statusOf(laptop)).requests.some((request) => request.aid === fresh.aid),
  );
  const would = await laptop.check(['robonet', 'approve', fresh.fingerprint, '--replaces', 'cellar', '--dry-run']);
  expect(would).toContain('would close the identity of cellar');
  await robonetOk(laptop, ['approve', fresh.fingerprint, '--replaces', 'cellar']);
  for (const name of members) {
    await waitFor(`${name} has the old identity closed`, { withinMs: WITHIN_MS, evidence: lan.evidence }, async () =>
      (await statusOf(lan.host(name))).closed.some((closed) => closed.aid === old.aid),
    );
    const status = await statusOf(lan.host(name));
    expect(status.closed).toEqual([
      {
        aid: old.aid,
        fingerprint: old.fingerprint,
        name: 'cellar',
        closedAt: expect.any(Number),
        successor: { aid: fresh.aid, fingerprint: fresh.fingerprint, name: 'cellar' },
      },
    ]);
    expect(status.nodes.map((node) => node.aid)).not.toContain(old.aid);
    const shown = await lan.host(name).check(['robonet', 'nodes', '--no-color']);
    expect(shown).toContain(`cellar (${old.fingerprint}), closed `);
    expect(shown).toContain(`cellar (${fresh.fingerprint}) has taken its place`);
    if (name !== 'cellar') {
      const view = await viewOf(name, 'cellar');
      expect(view).toMatchObject({ aid: fresh.aid, trust: { level: 0 } });
      expect(view.trust!.score).toBeLessThan(0.05);
    }
  }
  expect(await lan.host('kitchen').check(['robonet', 'node', old.fingerprint, '--no-color'])).toContain('closed ');
  expect(await cellar.check(['robonet', 'identity', 'show', '--no-color'])).toMatch(/replaces +cellar/);
  await expectHealthy(hosts(members), members);
});

test('SECU-05 whoever still has the closed identity, with its current key, is refused for good', async () => {
  const thief = lan.host('thief');
  await thief.check(['robonet', 'agent', 'start']);
  const refused = await eventOn('kitchen', 'the closed identity', (event) => event.code === 'IDENTITY_BARRED' && event.source === thief.address);
  expect(refused.text).toMatch(/is closed; .* has taken its place/);
  await waitFor('it knows that it was refused', { withinMs: WITHIN_MS, evidence: lan.evidence }, async () => (await statusOf(thief)).state === 'refused');
  expect((await nodesOf(lan.host('kitchen'))).map((node) => node.name).sort()).toEqual([...members].sort());
  await expectHealthy(hosts(members), members);
});
