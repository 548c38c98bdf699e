/**
 * PHYS-03: owner colonizes one plain Linux host: sees its SSH host-key fingerprint, enters login and (if needed) sudo
 * password, the right-architecture binary is pushed and checksum-verified, both ends show the same phrase, and it is a
 * member within 60 s; a wrong password gives a clear refusal, non-zero exit and an unchanged host.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labPasswords } from './lab/base-tree.ts';
import { record } from './lab/report.ts';
import { Terminal, keys } from './lab/terminal.ts';
import { nodesOf } from './stage/documents.ts';
import { useLan } from './stage/lan.ts';
import { expectHealthy, fingerprintOf, found, waitForMembers } from './stage/mesh.ts';
import { laptopPrograms, robonetProgram } from './stage/programs.ts';
import { asPi, changesSince, passwordFile, provision } from './stage/provisioning.ts';

const MEMBER_WITHIN_MS = 60_000;

const lan = useLan(
  () => [
    { name: 'laptop', maker: 'dell', ownsKey: true, programs: laptopPrograms() },
    { name: 'pi', kind: 'booted' },
    { name: 'plain', kind: 'light' },
  ],
  async () => found(lan.host('laptop')),
);

async function hostKeyOf(name: string): Promise<string> {
  const line = await lan.host(name).check(['ssh-keygen', '-lf', '/etc/ssh/ssh_host_ed25519_key.pub']);
  return /SHA256:\S+/.exec(line)?.[0] ?? 'no fingerprint';
}

test('PHYS-03 a wrong password is refused clearly, with its own exit code, and the host is unchanged', async () => {
  const [laptop, pi] = [lan.host('laptop'), lan.host('pi')];
  const before = await pi.snapshot();
  const wrong = await passwordFile(laptop, 'wrong', 'strawberry');
  const run = await provision(laptop, [asPi(pi), '--password-file', wrong, '--accept-new', '--yes']);
  expect(run.result.code).toBe(77);
  expect(run.of(pi).error?.code).toBe('RN-PROV-006');
  expect(`${run.of(pi).error?.message} ${run.of(pi).error?.next}`).toMatch(/password/i);
  expect(`${run.result.stdout}${run.result.stderr}`).not.toContain('strawberry');
  expect(await changesSince(pi, before)).toBe('');
  expect(await pi.authLog()).toMatch(/Failed password for pi/);
  expect((await nodesOf(laptop)).map((node) => node.name)).toEqual(['laptop']);
});

test('PHYS-03 a right login with a wrong sudo password is refused, and the host is unchanged', async () => {
  const [laptop, pi] = [lan.host('laptop'), lan.host('pi')];
  const before = await pi.snapshot();
  const files = [await passwordFile(laptop, 'right', labPasswords.pi), await passwordFile(laptop, 'wrong', 'strawberry')];
  const run = await provision(laptop, [asPi(pi), '--password-file', files[0]!, '--sudo-password-file', files[1]!, '--accept-new', '--yes']);
  expect(run.result.code).toBe(77);
  expect(run.of(pi).error?.code).toBe('RN-PROV-011');
  expect(await changesSince(pi, before)).toBe('');
});

test('PHYS-03 the owner sees the host key, enters both passwords, and the host is a member within 60 s', async () => {
  const [laptop, pi] = [lan.host('laptop'), lan.host('pi')];
  await laptop.run(['rm', '-f', '/root/.ssh/known_hosts']);
  const startedAt = performance.now();
  const screen = await Terminal.open(laptop, ['provision', asPi(pi), '--ask-password', '--ask-sudo-password']);
  try {
    const question = await screen.sees(/(SHA256:[A-Za-z0-9+/]{43}); is it the one/, 20_000);
    expect(question.value[1]).toBe(await hostKeyOf('pi'));
    screen.type(`y${keys.enter}`);
    await screen.sees(/login password/i, 20_000);
    screen.type(`${labPasswords.pi}${keys.enter}`);
    await screen.sees(/sudo password/i, 20_000);
    screen.type(`${labPasswords.pi}${keys.enter}`);
    const ended = await screen.ended();
    record({ useCase: 'PHYS-03', what: 'from the command to a member', measuredMs: Math.round(performance.now() - startedAt), promisedMs: MEMBER_WITHIN_MS });
    expect(ended.code, screen.text()).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(MEMBER_WITHIN_MS);
    const phrase = await fingerprintOf(pi);
    expect(screen.text()).toContain(phrase);
    expect(screen.text()).not.toContain(labPasswords.pi);
    const listed = (await waitForMembers(laptop, ['laptop', 'pi'], lan.evidence)).value.find((node) => node.name === 'pi');
    expect(listed?.fingerprint).toBe(phrase);
    expect(await pi.check(['robonet', 'identity', 'show', '--no-color'])).toContain(phrase);
  } finally {
    screen.close();
  }
});

test('PHYS-03 what runs there is the executable of its architecture, byte for byte, as a real service', async () => {
  const pi = lan.host('pi');
  const ours = createHash('sha256').update(readFileSync(robonetProgram())).digest('hex');
  expect(await pi.check(['sha256sum', '/usr/local/bin/robonet'])).toContain(ours);
  expect(await pi.check(['systemctl', 'is-active', 'robonet'])).toBe('active\n');
  expect(await pi.check(['systemctl', 'is-enabled', 'robonet'])).toBe('enabled\n');
  await expectHealthy([lan.host('laptop'), pi], ['laptop', 'pi']);
});

test('PHYS-03 after a reboot the host is back by itself', async () => {
  await lan.host('pi').reboot();
  const back = await waitForMembers(lan.host('laptop'), ['laptop', 'pi'], lan.evidence);
  record({ useCase: 'PHYS-03', what: 'back after a reboot', measuredMs: back.elapsedMs, promisedMs: null });
});

test('PHYS-03 a host without systemd becomes a member too, as a supervised process', async () => {
  const [laptop, plain] = [lan.host('laptop'), lan.host('plain')];
  const run = await provision(laptop, [`admin@${plain.address}`, '--accept-new', '--yes']);
  expect(run.result.code, run.result.stderr).toBe(0);
  expect(run.of(plain).fingerprint).toBe(await fingerprintOf(plain));
  await waitForMembers(laptop, ['laptop', 'pi', 'plain'], lan.evidence);
  await expectHealthy([laptop, lan.host('pi'), plain]);
});

test('PHYS-03 a changed host key is a hard stop before any credential is offered', async () => {
  const [laptop, plain] = [lan.host('laptop'), lan.host('plain')];
  const before = await plain.authLog();
  await laptop.check(
    [
      'sh',
      '-c',
      `ssh-keygen -q -t ed25519 -N '' -f /tmp/other <<<y; ssh-keygen -R ${plain.address}; echo "${plain.address} $(cut -d' ' -f1,2 /tmp/other.pub)" >>/root/.ssh/known_hosts`,
    ].map((word) => (word === 'sh' ? 'bash' : word)),
  );
  const run = await provision(laptop, [`admin@${plain.address}`, '--accept-new', '--yes']);
  expect(run.result.code).toBe(77);
  expect(run.of(plain).error?.code).toBe('RN-PROV-002');
  expect((await plain.authLog()).slice(before.length)).not.toMatch(/Accepted|Failed/);
});
