/**
 * Take a colonization back: the node leaves its mesh in good order, the agent removes its own installation, and what the
 * manifest lists is removed last. What was there before, and what people put there since, stays and is named. The host
 * key in known_hosts is left alone: the machine is still the same machine.
 */
import * as z from 'zod';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { FleetHost, HostNews } from '#provisioner/fleet/colonize-host.ts';
import type { HostOutcome } from '#provisioner/fleet/outcome.ts';
import { findRootAccess, inspect } from '#provisioner/inspect/inspect.ts';
import type { Facts } from '#provisioner/inspect/facts.ts';
import { executablePath } from '#provisioner/plan/paths.ts';
import type { Manifest } from '#provisioner/plan/manifest.ts';
import { readReply } from '#provisioner/sponsor/agent-replies.ts';
import { asRoot } from '#provisioner/ssh/as-root.ts';
import type { SshSession } from '#provisioner/ssh/over-ssh.ts';
import { quoteWord } from '#provisioner/ssh/quoting.ts';
import type { Session } from '#provisioner/ssh/session.ts';

export interface UndoOptions {
  readonly dryRun: boolean;
  readonly report: (host: FleetHost, news: HostNews) => void;
  readonly signal: AbortSignal;
}

const leaveTimeoutMs = 60_000;
const uninstallTimeoutMs = 90_000;

/** Folders that we make but never write into: what lies in them is the owner's, and keeps them. */
const sharedFolders: readonly string[] = ['/usr/local/bin', '/etc/robonet'];

/** `$1…` the paths. Deepest first; a shared folder goes only when it is empty. Prints what is left of the paths, and what keeps a shared folder. */
const removeScript = `
for path in "$@"; do
  case $path in ${sharedFolders.join('|')}) rmdir "$path" 2>/dev/null ;; *) rm -rf "$path" ;; esac
done
command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ] && systemctl daemon-reload
for path in "$@"; do
  case $path in /etc/robonet) [ ! -d "$path" ] || find "$path" ! -type d ;; *) [ ! -e "$path" ] || printf '%s\\n' "$path" ;; esac
done
exit 0
`;

/** What will be removed, in order; pure, so that `--dry-run` shows exactly this. */
export function undoPaths(manifest: Manifest): readonly string[] {
  return [...manifest.created].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** Undo on one host; faults become its outcome. */
export async function undoHost(host: FleetHost, options: UndoOptions): Promise<HostOutcome> {
  const began = performance.now();
  let session: SshSession | null = null;
  const base = (): { label: string; address: string | null; seconds: number } => ({
    label: host.label,
    address: session?.address ?? null,
    seconds: (performance.now() - began) / 1000,
  });
  try {
    options.report(host, { kind: 'phase', text: 'connecting' });
    session = await host.connect(options.signal);
    const access = await findRootAccess(session, host.sudoPassword, options.signal);
    const root = asRoot(session, access);
    options.report(host, { kind: 'phase', text: 'inspecting' });
    const facts = await inspect(session, access, options.signal);
    const { manifest } = facts;
    if (manifest === null)
      throw new Fault('RN-PROV-029', `${host.label} carries no manifest of a colonization${facts.agent === null ? ' and no agent' : ', but an agent'}`);
    const paths = undoPaths(manifest);
    if (options.dryRun) return { ...base(), kind: 'undo-planned', leaves: facts.agent?.running === true ? facts.agent.meshName : null, paths };
    const departed = await leave(host, root, facts, options);
    options.report(host, { kind: 'phase', text: 'removing the service' });
    await uninstall(host, root, manifest);
    options.report(host, { kind: 'phase', text: `removing ${paths.length} paths` });
    const result = await root.run({ argv: ['sh', '-c', removeScript, 'robonet-provision', ...paths], timeoutMs: uninstallTimeoutMs });
    const remaining = result.stdout.split('\n').filter((line) => line.startsWith('/'));
    const kept = remaining.filter((path) => path.startsWith('/etc/robonet/'));
    const left = remaining.filter((path) => !kept.includes(path) && !sharedFolders.includes(path));
    if (left.length > 0) throw new Fault('RN-PROV-030', `${host.label}: ${left.join(', ')} could not be removed: ${result.stderr.trim().slice(0, 200)}`);
    const removed = paths.filter((path) => !remaining.includes(path) && (kept.length === 0 || path !== '/etc/robonet'));
    return { ...base(), kind: 'undone', departed, removed, left: ['the host key in your known_hosts', 'the logs of the host', ...kept] };
  } catch (error) {
    if (!isFault(error)) throw error;
    return { ...base(), kind: 'failed', fault: error };
  } finally {
    await session?.close();
  }
}

/** An orderly departure where there is a mesh to tell; a mesh that cannot be reached does not hold the host captive. */
async function leave(host: FleetHost, root: Session, facts: Facts, options: UndoOptions): Promise<boolean> {
  if (facts.agent?.running !== true || facts.agent.meshId === null) return false;
  options.report(host, { kind: 'phase', text: `leaving the mesh ${facts.agent.meshName ?? ''}` });
  const result = await root.run({ argv: [executablePath, 'leave', '--json'], timeoutMs: leaveTimeoutMs });
  if (result.exitCode === 0) return true;
  const reply = readReply(result, z.never());
  options.report(host, {
    kind: 'warning',
    text: `it could not say goodbye (${reply.kind === 'refused' ? reply.message : 'unknown'}); on a member run: robonet node forget ${quoteWord(facts.hostname)}`,
  });
  return false;
}

async function uninstall(host: FleetHost, root: Session, manifest: Manifest): Promise<void> {
  if (!manifest.installedService) return;
  // Without --purge: its own state is on the manifest, and the configuration is the owner's.
  const result = await root.run({ argv: [executablePath, 'agent', 'uninstall', '--json'], timeoutMs: uninstallTimeoutMs });
  // 127: the executable is already gone, which is what a second try after an interrupted undo finds.
  if (result.exitCode !== 0 && result.exitCode !== 127) {
    const reply = readReply(result, z.never());
    throw new Fault('RN-PROV-030', `${host.label}: the agent could not remove its service: ${reply.kind === 'refused' ? reply.message : 'unknown reason'}`);
  }
}
