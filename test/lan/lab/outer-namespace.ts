/**
 * The throw-away namespace around a whole virtual LAN. Everything the lab makes lives inside it, and it dies with the
 * process that opened it, also after Ctrl-C, a crash or SIGKILL. It must never leave anything on the machine.
 */
import type { spawn as spawnFunction } from 'node:child_process';
import { existsSync } from 'node:fs';
import { baseTree } from './base-tree.ts';
import { sweepCgroups } from './host/cgroup.ts';
import { waitFor } from './wait-for.ts';

/** Where the lab keeps its hosts; a tmpfs that exists only inside the namespace. */
export const LAB_DIRECTORY = '/run/robonet-lab';

const INTERRUPT_GRACE_MS = 5_000;
const SWEEP_WITHIN_MS = 2_000;

/** PID 1 of the namespace: prepares it, runs the command, and reaps orphans meanwhile. */
const INIT = `
mount -t tmpfs -o mode=755 lab-run /run || exit 69
mkdir -p /run/netns ${LAB_DIRECTORY} /run/lock /run/user
ip link set lo up || exit 69
trap : INT
"$@"; exit $?
`;

/** Runs a command inside a fresh outer namespace; resolves with its exit code. */
export async function runOuterNamespace(argv: readonly string[], spawn: typeof spawnFunction): Promise<number> {
  if (process.getuid?.() !== 0) {
    process.stderr.write('the virtual LAN needs root (network namespaces, mounts); nothing was started. Next: run the same line with sudo.\n');
    return 69;
  }
  sweepCgroups();
  // Inside there is no network to build it from.
  await baseTree((text) => void process.stderr.write(`${text}\n`));
  const isolation = ['-n', '-m', '-p', '-i', '--fork', '--kill-child=SIGKILL', '--propagation', 'private', '--mount-proc'];
  // pdeathsig: should this very process be killed, the namespace goes with it.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', ...isolation, 'bash', '-c', INIT, 'lab', ...argv], {
    stdio: 'inherit',
    env: { ...process.env, ROBONET_LAB: String(process.pid) },
  });
  // Ctrl-C reaches the whole foreground group: the command answers it and we pass its answer on. Should it not, or should
  // the signal have been meant for us alone, the namespace is ended after a grace.
  const end = (): void => void child.kill('SIGKILL');
  const endSoon = (): void => void setTimeout(end, INTERRUPT_GRACE_MS).unref();
  process.on('SIGINT', endSoon).on('SIGTERM', end).on('SIGHUP', end);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit, signal) => resolve(exit ?? (signal === null ? 1 : 130)));
  });
  process.off('SIGINT', endSoon).off('SIGTERM', end).off('SIGHUP', end);
  // The kernel takes a moment to bury what it has killed.
  await waitFor('the control groups of the lab are gone', { withinMs: SWEEP_WITHIN_MS, everyMs: 20 }, sweepCgroups).catch(() => undefined);
  return code;
}

/** Throws, with the line to type, unless this process already runs inside the outer namespace. */
export function assertInsideLab(): void {
  if (process.env['ROBONET_LAB'] !== undefined && existsSync(LAB_DIRECTORY)) return;
  throw new Error(
    'the virtual LAN must be built inside its throw-away namespace; start with: node scripts/lab-shell.ts -- node node_modules/vitest/vitest.mjs run --project "lan*"',
  );
}
