import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findRootAccess } from '#provisioner/inspect/inspect.ts';
import { asRoot, checkRoot } from './as-root.ts';
import type { Route } from './client-config.ts';
import type { NewHostKey } from './host-keys.ts';
import { openSsh, type SshOptions } from './over-ssh.ts';
import { sshdProblem, startSshd, type TestSshd } from './sshd-for-tests.ts';

let sshd: TestSshd;
let knownHosts = '';
const problem = sshdProblem();

beforeAll(async () => {
  if (problem !== null) return;
  sshd = await startSshd();
  knownHosts = join(sshd.dir, 'known_hosts');
  // Encrypted copy of the key for the passphrase case.
  writeFileSync(join(sshd.dir, 'locked'), readFileSync(sshd.key), { mode: 0o600 });
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'open sesame', '-f', join(sshd.dir, 'locked')], { stdio: 'ignore' });
}, 20_000);
afterAll(() => {
  if (problem === null) sshd.stop();
});

function route(user: string, change: Partial<Route> = {}): Route {
  return {
    name: '127.0.0.1',
    address: '127.0.0.1',
    port: sshd.port,
    user,
    identityFiles: [sshd.key],
    identitiesNamed: true,
    identitiesOnly: false,
    agentSocket: null,
    knownHostsFiles: [knownHosts],
    jumps: [],
    ...change,
  };
}

function options(change: { password?: (attempt: number) => string | null; passphrase?: string | null; onKey?: (key: NewHostKey) => void } = {}): SshOptions {
  return {
    secrets: {
      password: (_route, attempt) => Promise.resolve(change.password?.(attempt) ?? null),
      passphrase: () => Promise.resolve(change.passphrase ?? null),
    },
    hostKeys: { mode: 'accept-new', confirm: () => Promise.resolve(false), onKey: (key) => change.onKey?.(key) },
    connectTimeoutMs: 3_000,
  };
}

describe.skipIf(problem !== null)(`a session over SSH against a real sshd${problem === null ? '' : ` (skipped: ${problem})`}`, () => {
  it('runs argv exactly as given, with stdin, both outputs and the exit code', async () => {
    const session = await openSsh(route('admin'), options());
    const result = await session.run({ argv: ['sh', '-c', 'cat; printf %s "$1" >&2; exit 7', 'x', "it's $HOME; `id`"], stdin: 'fed in' });
    expect(result).toEqual({ exitCode: 7, signal: null, stdout: 'fed in', stderr: "it's $HOME; `id`" });
    await fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 20 }).map((text) => Buffer.from(text.replaceAll('\0', '')).toString()),
        async (text) => {
          expect((await session.run({ argv: ['printf', '%s', text] })).stdout).toBe(text);
        },
      ),
      { numRuns: 25 },
    );
    await session.close();
  });

  it('a login that greets does not mix into what a command says, as the user and as root', async () => {
    const session = await openSsh(route('noisy'), options());
    expect(await session.run({ argv: ['id', '-un'] })).toMatchObject({ exitCode: 0, stdout: 'noisy\n' });
    expect(await findRootAccess(session, () => Promise.resolve(null))).toEqual({ kind: 'sudo-free' });
    expect((await asRoot(session, { kind: 'sudo-free' }).run({ argv: ['cat'], stdin: 'a\nb' })).stdout).toBe('a\nb');
    await session.close();
  });

  it('a user whose shell runs nothing is told apart from a failed command, with what the host said', async () => {
    const session = await openSsh(route('shut'), options());
    await expect(session.run({ argv: ['id', '-u'] })).rejects.toMatchObject({
      code: 'RN-PROV-038',
      exit: 77,
      message: expect.stringMatching(/does not run commands.*not available/),
    });
    await session.close();
  });

  it('shows the fingerprint ssh-keygen shows, before any login is tried', async () => {
    const seen: NewHostKey[] = [];
    const before = sshd.log().length;
    await expect(
      openSsh(route('admin', { knownHostsFiles: [join(sshd.dir, 'empty')] }), {
        ...options(),
        hostKeys: { mode: 'strict', confirm: () => Promise.resolve(true), onKey: (key) => seen.push(key) },
      }),
    ).rejects.toMatchObject({ code: 'RN-PROV-003', message: expect.stringContaining(sshd.hostFingerprint) });
    expect(sshd.log().slice(before)).not.toMatch(/Accepted|Failed|Invalid user/);
    const session = await openSsh(route('admin'), options({ onKey: (key) => seen.push(key) }));
    expect(seen.map((key) => key.fingerprint)).toEqual([sshd.hostFingerprint]);
    await session.close();
  });

  it('a changed key is a hard stop that names file and line and offers no credential', async () => {
    const file = join(sshd.dir, 'changed');
    const other = readFileSync(join(sshd.dir, 'id.pub'), 'utf8').split(' ')[1] ?? '';
    writeFileSync(file, `# mine\n[127.0.0.1]:${sshd.port} ssh-ed25519 ${other}\n`);
    const before = sshd.log().length;
    await expect(openSsh(route('admin', { knownHostsFiles: [file] }), options())).rejects.toMatchObject({
      code: 'RN-PROV-002',
      retry: 'never',
      message: expect.stringContaining(`${file} line 2`),
    });
    expect(sshd.log().slice(before)).not.toMatch(/Accepted|Failed/);
  });

  it('logs in by password, and says so when it is wrong', async () => {
    const session = await openSsh(route('pi'), options({ password: () => 'raspberry' }));
    expect((await session.run({ argv: ['id', '-un'] })).stdout.trim()).toBe('pi');
    await session.close();
    const asked: number[] = [];
    await expect(openSsh(route('pi'), options({ password: (attempt) => (asked.push(attempt), attempt > 2 ? null : 'wrong') }))).rejects.toMatchObject({
      code: 'RN-PROV-006',
      exit: 77,
      message: expect.stringContaining('the password'),
    });
    expect(asked).toEqual([1, 2, 3]);
  });

  it('opens a locked key with its passphrase, and reports a wrong one', async () => {
    const locked = route('admin', { identityFiles: [join(sshd.dir, 'locked')] });
    await (await openSsh(locked, options({ passphrase: 'open sesame' }))).close();
    await expect(openSsh(locked, options({ passphrase: 'nope' }))).rejects.toMatchObject({
      code: 'RN-PROV-006',
      message: expect.stringContaining('passphrase'),
    });
  });

  it('uses the keys of a running ssh-agent', async () => {
    const text = execFileSync('ssh-agent', ['-s', '-a', join(sshd.dir, 'agent')]).toString();
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(text)?.[1]);
    try {
      execFileSync('ssh-add', ['-q', sshd.key], { env: { ...process.env, SSH_AUTH_SOCK: join(sshd.dir, 'agent') }, stdio: 'ignore' });
      const session = await openSsh(route('admin', { identityFiles: [], identitiesNamed: false, agentSocket: join(sshd.dir, 'agent') }), options());
      await session.close();
    } finally {
      process.kill(pid);
    }
  });

  it('passes through a jump host, checking the host key of each', async () => {
    const seen: NewHostKey[] = [];
    const session = await openSsh(
      route('admin', { name: 'behind', jumps: [route('plain', { name: 'bastion' })] }),
      options({ onKey: (key) => seen.push(key) }),
    );
    expect((await session.run({ argv: ['id', '-un'] })).stdout.trim()).toBe('admin');
    expect(seen.map((key) => key.host)).toEqual(['bastion', 'behind']);
    await session.close();
  });

  it('becomes root with a sudo password, without one, and never feeds the password to the program', async () => {
    const bytes = randomBytes(300_000);
    const digest = createHash('sha256').update(bytes).digest('hex');
    for (const [user, access] of [
      ['pi', { kind: 'sudo-password', password: 'raspberry' }],
      ['admin', { kind: 'sudo-free' }],
      // sudo asks admin for nothing: the password line must vanish, not reach the program.
      ['admin', { kind: 'sudo-password', password: 'unused' }],
      ['root', { kind: 'is-root' }],
    ] as const) {
      const session = await openSsh(route(user), options({ password: () => 'raspberry' }));
      await checkRoot(session, access);
      const root = asRoot(session, access);
      const result = await root.run({ argv: ['sh', '-c', 'id -u; sha256sum'], stdin: Readable.from([bytes.subarray(0, 1000), bytes.subarray(1000)]) });
      expect(result.stdout.split(/\s+/).slice(0, 2)).toEqual(['0', digest]);
      expect((await root.run({ argv: ['cat'], stdin: 'a\nb' })).stdout).toBe('a\nb');
      await session.close();
    }
  });

  it('tells a wrong sudo password from a user who may not use sudo', async () => {
    const pi = await openSsh(route('pi'), options({ password: () => 'raspberry' }));
    await expect(checkRoot(pi, { kind: 'sudo-password', password: 'wrong' })).rejects.toMatchObject({ code: 'RN-PROV-011' });
    await expect(checkRoot(pi, { kind: 'sudo-free' })).rejects.toMatchObject({ code: 'RN-PROV-011' });
    await pi.close();
    const plain = await openSsh(route('plain'), options());
    await expect(checkRoot(plain, { kind: 'sudo-free' })).rejects.toMatchObject({ code: expect.stringMatching(/RN-PROV-01[01]/) });
    await plain.close();
  }, 20_000);

  it('a command that hangs ends at its limit, and the session lives on', async () => {
    const session = await openSsh(route('admin'), options());
    await expect(session.run({ argv: ['sleep', '30'], timeoutMs: 300 })).rejects.toMatchObject({ code: 'RN-PROV-009' });
    expect((await session.run({ argv: ['echo', 'alive'] })).stdout).toBe('alive\n');
    await session.close();
  });

  it('a server that dies in the middle is a lost connection, not a hang', async () => {
    const session = await openSsh(route('admin'), options());
    const running = session.run({ argv: ['sleep', '30'] });
    await sshd.restart();
    // The connection's own process outlives the listener's group on some systems; end it from inside the session then.
    await Promise.race([running.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 2_000))]);
    await session.close();
    await expect(running).rejects.toMatchObject({ code: 'RN-PROV-008' });
  });

  it('tells a closed port, a silent server and a foreign protocol apart', async () => {
    await expect(openSsh(route('admin', { port: 1 }), options())).rejects.toMatchObject({
      code: 'RN-PROV-001',
      exit: 69,
      message: expect.stringContaining('no SSH server'),
    });
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    await expect(openSsh(route('admin', { port }), options())).rejects.toMatchObject({ code: 'RN-PROV-033' });
    server.close();
    await expect(openSsh(route('admin', { address: 'no-such-host.invalid', name: 'x' }), options())).rejects.toMatchObject({ code: 'RN-PROV-001' });
  });
});
