/**
 * Turns a prepared root and network namespace into a running machine, in one of two kinds. Light: sshd, D-Bus and avahi
 * under a small PID 1, in well under a second. Booted: real systemd as PID 1 under systemd-nspawn. Either way the machine
 * is one PID namespace, so killing its PID 1 is pulling its plug.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '../wait-for.ts';
import { killCgroups, makeCgroups, removeCgroups } from './cgroup.ts';
import type { HostRoot } from './root.ts';

/** The kind of machine. */
export type HostKind = 'light' | 'booted';

/** A file system of its own and of limited size, to stage a small or full disk. */
export interface SmallDisk {
  readonly path: string;
  /** As mount takes it, e.g. `20m`. */
  readonly size: string;
}

/** What the machine is started with. */
export interface PowerOptions {
  readonly kind: HostKind;
  readonly name: string;
  readonly namespace: string;
  readonly root: HostRoot;
  readonly smallDisks: readonly SmallDisk[];
  readonly readOnly: boolean;
  readonly avahi: boolean;
}

/** A running machine. */
export interface Machine {
  /** PID 1 of the machine, as this process numbers it. */
  readonly pid: number;
  readonly launcher: ChildProcess;
  readonly cgroups: readonly string[];
}

const READY_WITHIN_MS = 60_000;
const GONE_WITHIN_MS = 20_000;
const LIGHT_INIT = join(import.meta.dirname, 'light-init.sh');

/** Boots the machine; resolves when its sshd listens. */
export async function powerOn(options: PowerOptions): Promise<Machine> {
  const console_ = openSync(join(options.root.logs, 'console.log'), 'a');
  const cgroups = options.kind === 'booted' ? makeCgroups(options.namespace) : [];
  const argv = options.kind === 'booted' ? bootedArgv(options, cgroups) : lightArgv(options);
  const [program = '', ...rest] = argv;
  const launcher = spawn(program, rest, { stdio: ['ignore', console_, console_], env: { PATH: process.env['PATH'] ?? '/usr/sbin:/usr/bin:/sbin:/bin' } });
  const consoleText = (): string => readFileSync(join(options.root.logs, 'console.log'), 'utf8').slice(-4_000);
  const ready = await waitFor(`${options.name} has booted`, { withinMs: READY_WITHIN_MS, everyMs: 15, evidence: consoleText }, () => {
    if (launcher.exitCode !== null) throw new Error(`its launcher ended with exit ${launcher.exitCode}`);
    const pid = initOf(launcher.pid ?? 0);
    return pid !== undefined && existsSync(`/proc/${pid}/root/run/sshd.pid`) ? pid : undefined;
  });
  return { pid: ready.value, launcher, cgroups };
}

/** Ends the machine from one moment to the next; nothing in it gets a chance to say goodbye. */
export async function cutPower(machine: Machine): Promise<void> {
  await end(machine, 'SIGKILL');
}

/** Asks PID 1 to shut down in order. */
export async function shutDown(machine: Machine, kind: HostKind): Promise<void> {
  // systemd takes SIGRTMIN+4 as "power off"; Node knows signals of that range only by number.
  await end(machine, kind === 'booted' ? 38 : 'SIGTERM');
}

async function end(machine: Machine, signal: NodeJS.Signals | number): Promise<void> {
  kill(machine.pid, signal);
  await waitFor(
    'the machine is off',
    { withinMs: GONE_WITHIN_MS, everyMs: 10 },
    () => machine.launcher.exitCode !== null || machine.launcher.signalCode !== null,
  );
  killCgroups(machine.cgroups);
  removeCgroups(machine.cgroups);
}

function kill(pid: number, signal: NodeJS.Signals | number): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

/** The first process inside the new PID namespace: the launcher's child (unshare) or what nspawn calls the leader. */
function initOf(launcher: number): number | undefined {
  const file = `/proc/${launcher}/task/${launcher}/children`;
  if (!existsSync(file)) return undefined;
  for (const child of readFileSync(file, 'utf8').split(' ').filter(Boolean)) {
    const status = readFileSync(`/proc/${child}/status`, 'utf8');
    const numbers = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    if (numbers.at(-1) === '1') return Number(child);
  }
  return undefined;
}

function lightArgv(options: PowerOptions): readonly string[] {
  const { root, name, namespace } = options;
  writeFileSync(join(root.logs, 'small-disks'), options.smallDisks.map((disk) => `${disk.path} ${disk.size}\n`).join(''));
  if (options.readOnly) writeFileSync(join(root.logs, 'read-only'), '');
  const unshare = ['unshare', '-m', '-u', '-i', '-p', '--fork', '--kill-child=SIGKILL', '--propagation', 'private'];
  return ['ip', 'netns', 'exec', namespace, ...unshare, 'bash', LIGHT_INIT, root.merged, name, root.logs, ...(options.avahi ? [] : ['no-avahi'])];
}

function bootedArgv(options: PowerOptions, cgroups: readonly string[]): readonly string[] {
  const { root, name, namespace } = options;
  const nspawn = [
    'systemd-nspawn',
    '-q',
    '-D',
    root.merged,
    '-b',
    '-M',
    namespace,
    `--hostname=${name}`,
    '--register=no',
    '--keep-unit',
    `--network-namespace-path=/run/netns/${namespace}`,
  ];
  nspawn.push('--console=pipe', '--link-journal=no', '--resolv-conf=off', '--timezone=off');
  for (const disk of options.smallDisks) nspawn.push(`--tmpfs=${disk.path}:size=${disk.size},mode=755`);
  if (options.readOnly) nspawn.push('--read-only');
  // The launcher enters its control groups first, so that everything of the machine is born there.
  return ['bash', '-c', 'while [ "$1" != -- ]; do echo $$ >"$1/cgroup.procs"; shift; done; shift; exec "$@"', 'boot', ...cgroups, '--', ...nspawn];
}
