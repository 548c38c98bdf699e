/**
 * The blank Debian tree every lab host starts from. Built once by `mmdebstrap` from the machine's own apt sources, cached
 * outside the repository under a name derived from this recipe, and never written to again: hosts lay an overlay over it.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runChecked } from './command.ts';

const PACKAGES = ['openssh-server', 'avahi-daemon', 'dbus', 'sudo', 'systemd-sysv', 'iproute2', 'iputils-ping', 'libnss-mdns', 'procps', 'nftables'];

/** Bump when the code below (not the package list) changes what ends up in the tree. */
const RECIPE = 3;

/** Passwords of the accounts every lab host has; these machines live for seconds inside a namespace. */
export const labPasswords = { pi: 'raspberry', root: 'toor' } as const;

/** Where the tree is, building it when it is not there yet (about 20 s). */
export async function baseTree(progress: (text: string) => void = () => undefined): Promise<string> {
  const suite = await machineSuite();
  const key = createHash('sha256')
    .update(JSON.stringify([RECIPE, suite, PACKAGES, process.arch]))
    .digest('hex')
    .slice(0, 16);
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'robonet', 'lab');
  const tree = join(cache, `base-${key}`);
  if (existsSync(tree)) return tree;
  await mkdir(cache, { recursive: true });
  const unfinished = join(cache, `unfinished-${process.pid}-${key}`);
  progress(`building the blank ${suite} tree for lab hosts (once, about 20 s)`);
  try {
    await bootstrap(suite, unfinished);
    await customize(unfinished);
    await rename(unfinished, tree);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    if (!existsSync(tree)) throw error;
  }
  return tree;
}

/** Code name of the machine's own distribution release; the hosts run the same. */
export async function machineSuite(): Promise<string> {
  const release = await readFile('/etc/os-release', 'utf8');
  const suite = /^VERSION_CODENAME=(.+)$/m.exec(release)?.[1]?.replaceAll('"', '');
  if (suite === undefined) throw new Error('/etc/os-release names no VERSION_CODENAME; the lab builds its hosts from Debian or Ubuntu packages');
  return suite;
}

async function bootstrap(suite: string, target: string): Promise<void> {
  let lines = await knownSources(suite);
  if (lines.size === 0) {
    await runChecked(['apt-get', 'update'], { timeoutMs: 300_000 });
    lines = await knownSources(suite);
  }
  if (lines.size === 0) throw new Error(`apt knows no sources for ${suite}; look at /etc/apt/sources.list and sources.list.d`);
  const sources = [...lines].map((line) => `deb ${line}`).join('\n');
  const config = await runChecked(['apt-config', 'dump', '--no-empty', '--format', '%f "%v";%n', 'Acquire']);
  const passedOn = config.stdout.split('\n').filter((line) => /^Acquire::(Check-|https?::|Retries)/.test(line));
  const argv = ['mmdebstrap', '--mode=root', '--variant=minbase', `--include=${PACKAGES.join(',')}`, '--aptopt=APT::Install-Recommends "false"'];
  for (const option of passedOn) argv.push(`--aptopt=${option.replace(/;$/, '')}`);
  for (const unwanted of ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*']) argv.push(`--dpkgopt=path-exclude=${unwanted}`);
  await runChecked([...argv, suite, target, '-'], { stdin: `${sources}\n`, timeoutMs: 600_000 });
}

/** `URI SUITE COMPONENT` of the machine's own distribution; other people's repositories have no place in a blank host. */
async function knownSources(suite: string): Promise<ReadonlySet<string>> {
  const listing = await runChecked(['apt-get', 'indextargets', '--format', '$(SITE) $(RELEASE) $(COMPONENT)', 'Created-By: Packages']);
  return new Set(listing.stdout.split('\n').filter((line) => line.split(' ')[1]?.startsWith(suite)));
}

async function customize(tree: string): Promise<void> {
  const inTree = async (argv: readonly string[], stdin = ''): Promise<void> => {
    await runChecked(['chroot', tree, ...argv], { stdin, env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' } });
  };
  await inTree(['useradd', '-m', '-s', '/bin/bash', '-G', 'sudo', 'pi']);
  await inTree(['useradd', '-m', '-s', '/bin/bash', 'admin']);
  await inTree(['useradd', '-m', '-s', '/bin/bash', 'guest']);
  await inTree(['chpasswd'], `pi:${labPasswords.pi}\nroot:${labPasswords.root}\nguest:guest\n`);
  // A usable account without a usable password: only the key opens it.
  await inTree(['chpasswd', '-e'], 'admin:*\n');
  await writeFile(join(tree, 'etc/sudoers.d/010-admin'), 'admin ALL=(ALL) NOPASSWD: ALL\n');
  await chmod(join(tree, 'etc/sudoers.d/010-admin'), 0o440);
  await runChecked(['find', join(tree, 'etc/ssh'), '-name', 'ssh_host_*', '-delete']);
  await writeFile(join(tree, 'etc/machine-id'), '');
  await rm(join(tree, 'etc/resolv.conf'), { force: true });
  await writeFile(join(tree, 'etc/resolv.conf'), '');
  // What a namespace cannot do or a lab does not need; without it booting is four times slower and noisier.
  for (const unit of [
    'apt-daily.timer',
    'apt-daily-upgrade.timer',
    'dpkg-db-backup.timer',
    'e2scrub_all.timer',
    'fstrim.timer',
    'systemd-timesyncd.service',
    'getty@tty1.service',
    'console-getty.service',
    'systemd-pstore.service',
  ]) {
    await rm(join(tree, 'etc/systemd/system', unit), { force: true });
    await runChecked(['ln', '-sf', '/dev/null', join(tree, 'etc/systemd/system', unit)]);
  }
}
