/**
 * A host's own root: an overlay over the blank tree, with the identity every real machine has for itself (name, machine
 * id, SSH host key). The upper layer is the list of what was ever changed on this host.
 */
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runChecked, runCommand } from '../command.ts';

/** A change made to a host's root before its first boot: the host is "found" like that. */
export type Alteration = (root: string) => Promise<void>;

/** Directories of one host. */
export interface HostRoot {
  /** The merged tree, as the host sees it. */
  readonly merged: string;
  /** The overlay's upper layer. */
  readonly upper: string;
  /** The blank tree below it. */
  readonly lower: string;
  /** Logs and settings of the lab about this host; invisible to the host. */
  readonly logs: string;
}

/** What makes the root this host's own. */
export interface RootOptions {
  readonly name: string;
  readonly directory: string;
  readonly base: string;
  /** Public key that opens the `admin` account. */
  readonly authorizedKey: string;
  readonly alterations: readonly Alteration[];
}

/** Mounts a fresh root and gives it its identity; about 30 ms. */
export async function makeRoot(options: RootOptions): Promise<HostRoot> {
  const { directory, base, name } = options;
  const root: HostRoot = { merged: join(directory, 'root'), upper: join(directory, 'upper'), lower: base, logs: join(directory, 'logs') };
  const work = join(directory, 'work');
  for (const each of [root.merged, root.upper, root.logs, work]) await mkdir(each, { recursive: true });
  await runChecked(['mount', '-t', 'overlay', 'overlay', '-o', `lowerdir=${base},upperdir=${root.upper},workdir=${work}`, root.merged]);
  const at = (path: string): string => join(root.merged, path);
  await writeFile(at('etc/hostname'), `${name}\n`);
  await writeFile(at('etc/hosts'), `127.0.0.1 localhost\n127.0.1.1 ${name}\n`);
  await writeFile(at('etc/machine-id'), `${randomBytes(16).toString('hex')}\n`);
  await runChecked(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', `root@${name}`, '-f', at('etc/ssh/ssh_host_ed25519_key')]);
  await writeHomeFile(root, 'admin', '.ssh/authorized_keys', `${options.authorizedKey.trim()}\n`, 0o600);
  for (const alter of options.alterations) await alter(root.merged);
  return root;
}

/** Unmounts and forgets a root. */
export async function dropRoot(root: HostRoot, directory: string): Promise<void> {
  await runCommand(['umount', '-R', '-l', root.merged]);
  await rm(directory, { recursive: true, force: true });
}

/** Writes a file below a user's home, owned by that user, its directory private. */
export async function writeHomeFile(root: HostRoot, user: string, path: string, text: string, mode: number): Promise<void> {
  const account = await accountOf(root.merged, user);
  const file = join(root.merged, account.home, path);
  const folder = join(file, '..');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  await writeFile(file, text);
  await chmod(file, mode);
  for (const each of [folder, file]) await chown(each, account.uid, account.gid);
}

/** A line of the host's own password file. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Looks a user up in the host's own password file. */
export async function accountOf(tree: string, user: string): Promise<Account> {
  const line = (await readFile(join(tree, 'etc/passwd'), 'utf8')).split('\n').find((each) => each.startsWith(`${user}:`));
  const [, , uid, gid, , home] = line?.split(':') ?? [];
  if (uid === undefined || gid === undefined || home === undefined) throw new Error(`the host has no user ${user}`);
  return { uid: Number(uid), gid: Number(gid), home };
}
