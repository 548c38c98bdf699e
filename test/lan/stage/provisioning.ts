/**
 * Runs `provision` on a lab's laptop and reads what it says of each host.
 */
import { type CommandResult, describeResult } from '../lab/command.ts';
import type { Host, HostCommandOptions } from '../lab/host/host.ts';
import { compareSnapshots, describeChanges, type Snapshot } from '../lab/host/snapshot.ts';
import { waitFor } from '../lab/wait-for.ts';

/** What the recap says of one host. */
export interface HostOutcome {
  readonly host: string;
  readonly address: string | null;
  readonly result: 'joined' | 'already-member' | 'planned' | 'undone' | 'failed';
  readonly fingerprint?: string | null;
  /** Of an undone host: what was not removed. */
  readonly left?: readonly string[];
  readonly error?: {
    readonly code: string;
    readonly message: string;
    readonly effect: string;
    readonly next: string;
    readonly retry: string;
    readonly exit: number;
  };
}

/** A run of the provisioner. */
export interface ProvisionRun {
  readonly result: CommandResult;
  readonly hosts: readonly HostOutcome[];
  /** What it says of a host, by name or address. */
  of(host: Host): HostOutcome;
}

const RUN_WITHIN_MS = 180_000;

/** Runs `provision ARGS --json` as root of the laptop. */
export async function provision(laptop: Host, args: readonly string[], options: HostCommandOptions = {}): Promise<ProvisionRun> {
  const result = await laptop.run(['provision', ...args, '--json'], { timeoutMs: RUN_WITHIN_MS, ...options });
  return readRun(result);
}

/** Reads the recap document out of a finished run. */
export function readRun(result: CommandResult): ProvisionRun {
  const documents = result.stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): { readonly hosts?: readonly HostOutcome[] } => JSON.parse(line));
  const hosts = documents.findLast((document) => document.hosts !== undefined)?.hosts ?? [];
  return {
    result,
    hosts,
    of: (host) => {
      const found = hosts.find(
        (each) =>
          each.address === host.address || [host.name, host.address, `${host.name}.local`].some((name) => each.host === name || each.host.endsWith(`@${name}`)),
      );
      if (found === undefined) throw new Error(`the recap does not speak of ${host.name}: ${describeResult(result)}`);
      return found;
    },
  };
}

/** How a person names a host for its `admin` account, which opens with the laptop's key. */
export function asAdmin(host: Host): string {
  return `admin@${host.address}`;
}

/** How a person names a host for its `pi` account, which wants passwords. */
export function asPi(host: Host): string {
  return `pi@${host.address}`;
}

/** Puts a password into a private file of the laptop. */
export async function passwordFile(laptop: Host, name: string, password: string): Promise<string> {
  const path = `/root/${name}`;
  await laptop.writeFile(path, `${password}\n`);
  await laptop.check(['chmod', '600', path]);
  return path;
}

/** Waits until a host has no trace of roboNet left, compared with an earlier snapshot; returns how long that took. */
export async function waitForNoTrace(host: Host, before: Snapshot, withinMs: number): Promise<number> {
  const waited = await waitFor(`${host.name} is as it was`, { withinMs, everyMs: 500, evidence: () => host.evidence() }, async () => {
    const changes = await compareSnapshots(before, await host.snapshot());
    const ours = (await host.processes()).filter((process) => /robonet/.test(process.command));
    if (changes.length > 0 || ours.length > 0) throw new Error(`${describeChanges(changes)}\n${ours.map((process) => process.command).join('\n')}`);
    return true;
  });
  return waited.elapsedMs;
}

/** What changed on a host since a snapshot, as text; empty for nothing. */
export async function changesSince(host: Host, before: Snapshot): Promise<string> {
  return describeChanges(await compareSnapshots(before, await host.snapshot()));
}
