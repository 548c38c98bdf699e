/**
 * `node scripts/lab-shell.ts -- COMMAND…` runs a command inside a throw-away namespace in which a virtual LAN may be
 * built (own network, mounts, processes, IPC). When the command ends, or this process dies in whatever way, every host,
 * mount, link and namespace made inside is gone: the kernel does the cleaning. Exit code and terminal pass through.
 */
import { spawn } from 'node:child_process';
import { runOuterNamespace } from '#test/lan/lab/outer-namespace.ts';

const argv = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
if (argv.length === 0) {
  process.stderr.write('usage: node scripts/lab-shell.ts -- COMMAND [ARGUMENT…]\n');
  process.exitCode = 64;
} else {
  process.exitCode = await runOuterNamespace(argv, spawn);
}
