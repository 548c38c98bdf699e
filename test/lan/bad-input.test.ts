/**
 * Bad input: each gets its own clear error and exit code, and nothing is lost or half-done. (Wrong password, wrong sudo
 * password and a changed host key are in PHYS-03; hostile and broken frames in MESH-11.)
 */
import { expect, test } from 'vitest';
import { pretend32BitUserland, pretendMachine, withoutStandardCxx, withoutSudo, withoutSudoRights } from './lab/host/alterations.ts';
import type { HostOptions } from './lab/lab.ts';
import type { Snapshot } from './lab/host/snapshot.ts';
import { waitFor } from './lab/wait-for.ts';
import { nodesOf, robonetOk, robonetRefused, statusOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { adopt, expectHealthy, found, invite, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms, robonetProgram } from './stage/programs.ts';
import { asAdmin, changesSince, provision } from './stage/provisioning.ts';

const PORT = 7411;

interface BadHost {
  readonly what: string;
  readonly host: HostOptions;
  readonly code: string;
  readonly exit: number;
  /** What the message must name, so that a person sees the particular and not only the kind. */
  readonly names: RegExp;
}

const badHosts: readonly BadHost[] = [
  { what: 'an unsupported CPU', host: { name: 'old-cpu', alterations: [pretendMachine('armv6l')] }, code: 'RN-PROV-012', exit: 69, names: /armv6l/ },
  { what: 'a 32-bit userland', host: { name: 'half-old', alterations: [pretend32BitUserland] }, code: 'RN-PROV-013', exit: 69, names: /32-bit/ },
  {
    what: 'too little disk',
    host: { name: 'tiny-disk', smallDisks: [{ path: '/usr/local', size: '20m' }] },
    code: 'RN-PROV-014',
    exit: 75,
    names: /\/usr\/local\/bin has \d+ MiB free/,
  },
  { what: 'no sudo', host: { name: 'no-sudo', alterations: [withoutSudo] }, code: 'RN-PROV-010', exit: 77, names: /root|sudo/ },
  { what: 'a user without the right to sudo', host: { name: 'no-rights', alterations: [withoutSudoRights] }, code: 'RN-PROV-01[01]', exit: 77, names: /sudo/ },
  { what: 'a read-only root', host: { name: 'read-only', readOnly: true }, code: 'RN-PROV-015', exit: 75, names: /read-only/ },
  { what: 'a missing C++ library', host: { name: 'no-library', alterations: [withoutStandardCxx] }, code: 'RN-PROV-016', exit: 69, names: /libstdc\+\+/ },
];

const before = new Map<string, Snapshot>();
let brief: { readonly token: string; readonly expiresAt: number };

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    { name: 'member', programs: { robonet: robonetProgram() } },
    { name: 'foreign', programs: { robonet: robonetProgram() } },
    { name: 'fresh', programs: { robonet: robonetProgram() } },
    ...badHosts.map((bad) => bad.host),
  ],
  async () => {
    await found(lan.host('laptop'));
    await found(lan.host('foreign'), { name: 'neighbours' });
    await adopt(lan.host('laptop'), [lan.host('member')]);
    // An invitation lives for a minute at least; the other tests run while it grows old.
    brief = await robonetOk(lan.host('laptop'), ['invite', '--expires', '1m']);
    for (const bad of badHosts) before.set(bad.host.name, await lan.host(bad.host.name).snapshot());
  },
);

for (const bad of badHosts) {
  test(`bad input: ${bad.what} is refused with its own code, and the host is unchanged`, async () => {
    const host = lan.host(bad.host.name);
    const run = await provision(lan.host('laptop'), [asAdmin(host), '--accept-new', '--yes']);
    expect(run.of(host).error?.code).toMatch(new RegExp(`^${bad.code}$`));
    expect(run.result.code).toBe(bad.exit);
    expect(run.of(host).error?.message).toMatch(bad.names);
    expect(run.of(host).error?.next.length ?? 0).toBeGreaterThan(10);
    expect(await changesSince(host, before.get(bad.host.name)!)).toBe('');
  });
}

test('bad input: a host that does not answer is refused in reasonable time', async () => {
  const nobody = '10.77.0.250';
  const run = await provision(lan.host('laptop'), [`admin@${nobody}`, '--accept-new', '--yes']);
  expect(run.result.code).toBe(69);
  expect(run.hosts[0]?.error?.code).toBe('RN-PROV-001');
  expect(run.result.elapsedMs).toBeLessThan(30_000);
});

test("bad input: another mesh's agent is left alone", async () => {
  const foreign = lan.host('foreign');
  const run = await provision(lan.host('laptop'), [asAdmin(foreign), '--accept-new', '--yes']);
  expect(run.result.code).toBe(77);
  expect(run.of(foreign).error?.code).toBe('RN-PROV-017');
  expect(run.of(foreign).error?.message).toContain('neighbours');
  expect((await statusOf(foreign)).mesh?.name).toBe('neighbours');
});

test('bad input: one bad host does not stop the others, and each has its own line', async () => {
  const [laptop, good] = [lan.host('laptop'), await lan.lab.addHost({ name: 'good' })];
  const run = await provision(laptop, [asAdmin(lan.host('old-cpu')), asAdmin(good), asAdmin(lan.host('no-library')), '--accept-new', '--yes']);
  expect(run.result.code).toBe(2);
  expect(run.of(lan.host('old-cpu')).error?.code).toBe('RN-PROV-012');
  expect(run.of(lan.host('no-library')).error?.code).toBe('RN-PROV-016');
  await waitForMembers(laptop, ['laptop', 'member', 'good'], lan.evidence);
});

test('bad input: a malformed inventory is refused with line and column, and no host is contacted', async () => {
  const laptop = lan.host('laptop');
  const log = await lan.host('member').authLog();
  await laptop.writeFile('/root/syntax.yaml', `hosts:\n  - host: ${lan.host('member').address}\n    user: "admin\n`);
  const syntax = await laptop.run(['provision', '--inventory', '/root/syntax.yaml', '--yes']);
  expect(syntax.code).toBe(65);
  expect(syntax.stderr).toMatch(/line \d+, column \d+|syntax\.yaml:\d+:\d+/);
  await laptop.writeFile('/root/key.yaml', `hosts:\n  - host: ${lan.host('member').address}\n    usr: admin\n`);
  const key = await laptop.run(['provision', '--inventory', '/root/key.yaml', '--yes']);
  expect(key.code).toBe(65);
  expect(key.stderr).toMatch(/line 3, column 5|key\.yaml:3:5/);
  expect(key.stderr).toMatch(/user/);
  expect((await lan.host('member').authLog()).slice(log.length)).not.toMatch(/Accepted|Failed|Connection from/);
});

test('bad input: unknown verbs and options are answered with the nearest, exit 64', async () => {
  const laptop = lan.host('laptop');
  for (const [argv, nearest] of [
    [['robonet', 'stauts'], 'status'],
    [['robonet', 'status', '--jsno'], '--json'],
    [['robonet', 'invite', 'lst'], 'list'],
    [['provision', '--scna'], '--scan'],
    [['provision', 'docter', '--no-such'], '--|doctor'],
  ] as const) {
    const result = await laptop.run(argv);
    expect(result.code, argv.join(' ')).toBe(64);
    expect(result.stderr, argv.join(' ')).toMatch(new RegExp(nearest));
  }
});

test('bad input: an expired, a used, a foreign, a revoked and a garbled token each get their own error, and nothing is joined', async () => {
  const [laptop, foreign, fresh] = [lan.host('laptop'), lan.host('foreign'), lan.host('fresh')];
  const join = (token: string) =>
    robonetRefused(fresh, ['join', '--token-file', '-', '--peer', `${laptop.address}:${PORT}`, '--wait', '15'], { stdin: `${token}\n`, timeoutMs: 60_000 });

  const garbled = await join('rnj1.this-is-no-token');
  expect(garbled.exit).toBe(65);

  const ofAnother = await join(await invite(foreign));
  expect(ofAnother.message).toMatch(/mesh/i);

  await waitFor('the invitation has expired', { withinMs: 70_000 }, () => Date.now() > brief.expiresAt + 500);
  const expired = await join(brief.token);
  expect(expired.message).toMatch(/expired/i);

  const taken = await robonetOk<{ readonly token: string; readonly tokenId: string }>(laptop, ['invite']);
  await robonetOk(laptop, ['invite', 'revoke', taken.tokenId]);
  const revoked = await join(taken.token);

  const user = await lan.lab.addHost({ name: 'first-user', programs: { robonet: robonetProgram() } });
  const single = await invite(laptop);
  await robonetOk(user, ['join', '--token-file', '-', '--wait', '30'], { stdin: `${single}\n` });
  const used = await join(single);
  expect(used.message).toMatch(/used/i);
  expect((await lan.host('laptop').check(['robonet', 'events', '--limit', '100', '--json'])).includes('TOKEN_REUSED')).toBe(true);

  const codes = [garbled, ofAnother, expired, used].map((error) => `${error.code} ${error.message}`);
  expect(new Set(codes).size).toBe(codes.length);
  for (const error of [garbled, ofAnother, expired, used, revoked]) {
    expect(error.next.length).toBeGreaterThan(10);
    expect(error.effect.length).toBeGreaterThan(10);
    for (const secret of [single, taken.token, brief.token]) expect(JSON.stringify(error)).not.toContain(secret.slice(5, 60));
  }
  expect((await statusOf(fresh)).state).toBe('unjoined');
  expect((await nodesOf(laptop)).some((node) => node.name === 'fresh')).toBe(false);
});

test('bad input: after all this the mesh is as healthy as before', async () => {
  const members = ['laptop', 'member', 'good', 'first-user'];
  await expectHealthy([lan.host('laptop'), lan.host('member')], members);
});
