/**
 * A real OpenSSH server on a loopback port for the tests of this area: own configuration, own host key, own accounts. The
 * accounts live in a private mount namespace (root needed), so the machine that runs the tests is not changed.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A running server; `stop` ends it and removes its folder. */
export interface TestSshd {
  readonly port: number;
  readonly dir: string;
  /** Private key that opens `admin`, `plain` and root. */
  readonly key: string;
  readonly hostFingerprint: string;
  /** Everything the server logged, for "was anybody logged in". */
  log(): string;
  restart(): Promise<void>;
  stop(): void;
}

const accounts = [
  { name: 'pi', id: 5001 },
  { name: 'admin', id: 5002 },
  { name: 'plain', id: 5003 },
  { name: 'noisy', id: 5004 },
  { name: 'shut', id: 5005 },
];

/** Why these tests cannot run on this machine; null when they can. */
export function sshdProblem(): string | null {
  if (!existsSync('/usr/sbin/sshd')) return 'openssh-server is not installed';
  if (process.getuid?.() !== 0) return 'needs root for a namespace with accounts of its own';
  return null;
}

/** Start one: `pi` (password raspberry, sudo asks), `admin` (key, sudo does not ask), `plain` (key, no sudo), `noisy` (a shell that greets), `shut` (nologin). `emptied` folders are bare there. */
export async function startSshd(emptied: readonly string[] = []): Promise<TestSshd> {
  const dir = mkdtempSync(join(tmpdir(), 'sshd-'));
  chmodSync(dir, 0o755);
  for (const name of ['host', 'id']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', join(dir, name)]);
  const publicKey = readFileSync(join(dir, 'id.pub'), 'utf8');
  writeFileSync(join(dir, 'authorized_keys'), publicKey, { mode: 0o644 });
  writeAccounts(dir);
  mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  writeFileSync(
    join(dir, 'sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${join(dir, 'host')}`,
      `PidFile ${join(dir, 'pid')}`,
      `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
      'StrictModes no',
      'UsePAM no',
      'PermitRootLogin prohibit-password',
      'PasswordAuthentication yes',
      'Match User pi',
      '  PubkeyAuthentication no',
      '',
    ].join('\n'),
  );
  const files = ['passwd', 'shadow', 'group', 'sudoers'].map((name) => `mount --bind ${join(dir, name)} /etc/${name}`);
  for (const [index] of emptied.entries()) mkdirSync(join(dir, `empty-${index}`), { mode: 0o755 });
  const hidden = emptied.map((path, index) => `mount --bind ${join(dir, `empty-${index}`)} ${path}`);
  const script = `${[...files, ...hidden].join(' && ')} && exec /usr/sbin/sshd -D -e -f ${join(dir, 'sshd_config')}`;
  let log = '';
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    child = spawn('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script], { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString()));
    await listening(port, () => log);
  };
  const stop = (): void => {
    // The server's own group: its per-connection children go with it.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  };
  await start();
  return {
    port,
    dir,
    key: join(dir, 'id'),
    hostFingerprint:
      execFileSync('ssh-keygen', ['-lf', join(dir, 'host.pub')])
        .toString()
        .split(' ')[1] ?? '',
    log: () => log,
    restart: async () => {
      stop();
      await start();
    },
    stop: () => {
      stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function writeAccounts(dir: string): void {
  const hash = execFileSync('openssl', ['passwd', '-6', 'raspberry']).toString().trim();
  const without = (text: string): string =>
    text
      .split('\n')
      .filter((line) => !accounts.some((account) => line.startsWith(`${account.name}:`)))
      .join('\n')
      .trimEnd();
  writeFileSync(join(dir, 'greeting-shell'), '#!/bin/sh\necho 1000; printf "Welcome! no line end"; echo "stty: not a tty" >&2\nexec /bin/sh "$@"\n', {
    mode: 0o755,
  });
  const shells = new Map([
    ['noisy', join(dir, 'greeting-shell')],
    ['shut', '/usr/sbin/nologin'],
  ]);
  const passwd = accounts.map(({ name, id }) => `${name}:x:${id}:${id}::${join(dir, `home-${name}`)}:${shells.get(name) ?? '/bin/sh'}`);
  const shadow = accounts.map(({ name }) => `${name}:${name === 'pi' ? hash : '*'}:19000:0:99999:7:::`);
  writeFileSync(join(dir, 'passwd'), `${without(readFileSync('/etc/passwd', 'utf8'))}\n${passwd.join('\n')}\n`, { mode: 0o644 });
  writeFileSync(join(dir, 'shadow'), `${without(readFileSync('/etc/shadow', 'utf8'))}\n${shadow.join('\n')}\n`, { mode: 0o640 });
  writeFileSync(join(dir, 'group'), `${without(readFileSync('/etc/group', 'utf8'))}\n${accounts.map(({ name, id }) => `${name}:x:${id}:`).join('\n')}\n`, {
    mode: 0o644,
  });
  writeFileSync(join(dir, 'sudoers'), 'root ALL=(ALL:ALL) ALL\npi ALL=(ALL:ALL) ALL\nadmin ALL=(ALL:ALL) NOPASSWD: ALL\nnoisy ALL=(ALL:ALL) NOPASSWD: ALL\n', {
    mode: 0o440,
  });
  for (const { name, id } of accounts) {
    mkdirSync(join(dir, `home-${name}`), { mode: 0o755 });
    chownSync(join(dir, `home-${name}`), id, id);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port'))));
    });
  });
}

async function listening(port: number, log: () => string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (performance.now() < deadline) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('data', () => (socket.destroy(), resolve(true)));
      socket.once('error', () => resolve(false));
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`sshd did not start: ${log()}`);
}
