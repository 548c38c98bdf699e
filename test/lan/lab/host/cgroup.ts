/**
 * A booted host's systemd needs a place of its own in every mounted control-group hierarchy (pure v2, hybrid or v1). This
 * file makes those places below our own group and removes them again; they are the only thing of the lab that the outer
 * namespace does not take with it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'robonet-lab-';

/** v1 hierarchies a container's systemd looks at; others (cpuset, devices) need settings before they take a process. */
const HIERARCHIES = new Set(['name=systemd', 'memory', 'cpu', 'cpu,cpuacct', 'pids', '']);

/** Directories of our own group, one per usable hierarchy. */
function ownGroups(): readonly string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .map((line) => / (\/sys\/fs\/cgroup\S*) .* - (cgroup2?) \S+ (\S+)/.exec(line))
    .filter((match) => match !== null)
    .map(([, point = '', type = '', options = '']) => ({ point, type, options: options.split(',') }));
  const groups: string[] = [];
  for (const line of readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n')) {
    const [, controllers = '', path = '/'] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (!HIERARCHIES.has(controllers)) continue;
    const mount = mounts.find((each) =>
      controllers === '' ? each.type === 'cgroup2' : each.type === 'cgroup' && controllers.split(',').every((name) => each.options.includes(name)),
    );
    if (mount !== undefined) groups.push(join(mount.point, path));
  }
  return groups;
}

/** Makes a group for a host in every hierarchy; the launcher moves itself there before it becomes the host. */
export function makeCgroups(name: string): readonly string[] {
  return ownGroups().map((group) => {
    const directory = join(group, `${PREFIX}${process.env['ROBONET_LAB'] ?? 0}-${name}`);
    mkdirSync(directory, { recursive: true });
    return directory;
  });
}

/** Removes a host's groups once its processes are gone; whatever is still busy is left to the sweep. */
export function removeCgroups(directories: readonly string[]): void {
  for (const directory of directories) removeTree(directory);
}

/** Removes the groups of every lab whose outer process is gone or is this one; busy groups stay. True when none is left. */
export function sweepCgroups(): boolean {
  if (!existsSync('/sys/fs/cgroup')) return true;
  const left = ownGroups().flatMap((group) =>
    childGroups(group).filter((name) => {
      const [, owner] = /^robonet-lab-(\d+)-/.exec(name) ?? [];
      const isOver = owner !== undefined && (Number(owner) === process.pid || !existsSync(`/proc/${owner}`));
      return isOver && !removeTree(join(group, name));
    }),
  );
  return left.length === 0;
}

/** Kills what is left in a group. Used only on a host that has been told to stop. */
export function killCgroups(directories: readonly string[]): void {
  for (const directory of directories) {
    for (const pid of processesBelow(directory)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (!isCode(error, 'ESRCH')) throw error;
      }
    }
  }
}

function processesBelow(directory: string): readonly number[] {
  if (!existsSync(directory)) return [];
  const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  // 0 stands for a process of another PID namespace, which is not ours to touch.
  return [...own.filter((pid) => pid > 0), ...childGroups(directory).flatMap((name) => processesBelow(join(directory, name)))];
}

/** False when a process still lives there. */
function removeTree(directory: string): boolean {
  for (const name of childGroups(directory)) removeTree(join(directory, name));
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true;
    if (isCode(error, 'EBUSY')) return false;
    throw error;
  }
}

function childGroups(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
