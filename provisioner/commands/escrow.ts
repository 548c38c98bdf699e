/** `provision escrow …`: the next keys that this machine keeps for others. */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { isFault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { printable, renderTable } from '#core/terminal/table.ts';
import { collectNextKey } from '#provisioner/escrow/collect.ts';
import { escrowFolder, EscrowStore } from '#provisioner/escrow/escrow-store.ts';
import { inParallel } from '#provisioner/fleet/fleet.ts';
import { findRootAccess } from '#provisioner/inspect/inspect.ts';
import { asRoot } from '#provisioner/ssh/as-root.ts';
import type { SshSession } from '#provisioner/ssh/over-ssh.ts';
import { hostsOf } from './targets.ts';
import { makeWorkbench } from './workbench.ts';

const pullParallel = 10;

/** `provision escrow list`. */
export function listEscrow(_invocation: Invocation, { output, env }: VerbContext): ExitCode {
  const store = new EscrowStore(escrowFolder(env));
  const entries = store.list();
  const rows = entries.map((entry) =>
    entry.kind === 'damaged'
      ? [output.palette.bad('damaged'), '-', '-', '-', '-', printable(`${entry.path}: ${entry.why}`)]
      : [
          printable(entry.file.name),
          entry.file.fingerprint,
          printable(entry.file.mesh?.name ?? '-'),
          String(entry.file.rotation + 1),
          formatTimestamp(entry.file.escrowedAt),
          printable(entry.file.host),
        ],
  );
  output.line(
    ...renderTable(
      ['NAME', 'FINGERPRINT', 'MESH', 'FOR ROTATION', 'SINCE', 'HOST'].map((heading) => ({ heading })),
      rows,
      output.palette.dim,
    ),
  );
  if (rows.length === 0) output.note(`no next keys are in escrow in ${store.folder}`);
  output.document('escrow', {
    folder: store.folder,
    keys: entries.map((entry) =>
      entry.kind === 'damaged'
        ? { path: entry.path, damaged: entry.why }
        : {
            path: entry.path,
            aid: entry.file.aid,
            fingerprint: entry.file.fingerprint,
            name: entry.file.name,
            mesh: entry.file.mesh,
            rotation: entry.file.rotation + 1,
            host: entry.file.host,
            escrowedAt: entry.file.escrowedAt,
          },
    ),
  });
  return entries.some((entry) => entry.kind === 'damaged') ? EXIT.failed : EXIT.ok;
}

/** `provision escrow show NAME`. */
export function showEscrow(invocation: Invocation, { output, env }: VerbContext): undefined {
  const { path, ...file } = new EscrowStore(escrowFolder(env)).find(invocation.argument(0) ?? '');
  output.document('escrow-key', { ...file, path });
  output.line(file.nextKey);
  output.note(
    `next key of ${printable(file.name)} (${file.fingerprint}) for rotation ${String(file.rotation + 1)}, from ${path}`,
    'a secret: pipe it, `provision escrow show NAME | ssh HOST sudo robonet identity rotate --next-key -`; on another device `robonet identity recover` takes the whole file',
  );
  return undefined;
}

/** `provision escrow pull HOST…`. */
export async function pullEscrow(invocation: Invocation, context: VerbContext): Promise<ExitCode> {
  const { output, signal } = context;
  const store = new EscrowStore(escrowFolder(context.env));
  const hosts = hostsOf(invocation);
  if (invocation.flag('dryRun')) {
    const would = hosts.map(({ label }) => `take the next key of ${label} into ${store.folder}, and have the device delete its copy`);
    output.line(...would.map((text) => `would ${printable(text)}`));
    output.document('dry-run', { would });
    return EXIT.ok;
  }
  const bench = makeWorkbench(invocation, context);
  const results = await inParallel(hosts, pullParallel, async (named) => {
    const host = bench.reach.bind(named);
    let session: SshSession | null = null;
    try {
      session = await host.connect(signal);
      const root = asRoot(session, await findRootAccess(session, host.sudoPassword, signal));
      const taken = await collectNextKey(root, store, host.label, { signal });
      output.line(
        `${printable(host.label)}: next key of ${printable(taken.name)} (${taken.fingerprint}) for rotation ${String(taken.rotation)} is in ${taken.path}`,
      );
      return { host: host.label, result: 'escrowed' as const, ...taken };
    } catch (error) {
      if (!isFault(error)) throw error;
      output.line(
        `${printable(host.label)}: ${output.palette.bad('failed')}: ${printable(error.message)}`,
        `  effect  ${error.effect}`,
        `  next    ${error.next}`,
      );
      const { code, message, effect, next, exit } = error;
      return { host: host.label, result: 'failed' as const, exit, error: { code, message, effect, next } };
    } finally {
      await session?.close();
    }
  });
  const failed = results.filter((result) => result.result === 'failed');
  output.document('escrow-pull', { folder: store.folder, hosts: results });
  if (failed.length === 0) return EXIT.ok;
  const [only] = failed;
  return results.length === 1 && only !== undefined ? only.exit : failed.length === results.length ? EXIT.failed : EXIT.partlyFailed;
}
