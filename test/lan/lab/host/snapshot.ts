/**
 * What a host's files are at one moment, and how two moments differ. Only the overlay's upper layer is walked: a path
 * that is not there is, by construction, still the blank machine's. The comparison is by meaning (kind, mode, owner,
 * content), so a file rewritten with its old content is no change.
 */
import { createHash } from 'node:crypto';
import { type Stats, createReadStream } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { runChecked } from '../command.ts';
import type { HostRoot } from './root.ts';

/** One path as the host sees it: `dir 0755 0:0`, `file 0644 0:0 sha256…`, `link … -> target`, or `absent`. */
export type PathState = string;

/** The host's files at one moment. */
export interface Snapshot {
  /** Absolute path to state, for every path that was ever touched. */
  readonly paths: ReadonlyMap<string, PathState>;
  readonly root: HostRoot;
}

/** One difference between two moments. */
export interface SnapshotChange {
  readonly path: string;
  readonly before: PathState;
  readonly after: PathState;
}

/**
 * Written by the machine's own log-in and logging machinery on every visit, whoever comes: not a trace of ours. Anything
 * else counts.
 */
const NOT_OURS = [
  /^\/var\/log(\/|$)/,
  /^\/var\/lib\/sudo\/lectured(\/|$)/,
  /^\/home\/[^/]+\/\.sudo_as_admin_successful$/,
  /^\/var\/lib\/systemd\/(timers|random-seed|catalog|linger)(\/|$)/,
  /^\/etc\/\.(pwd\.lock|updated)$/,
  /^\/var\/\.updated$/,
];

/** Takes a snapshot of a running or stopped host. */
export async function takeSnapshot(root: HostRoot): Promise<Snapshot> {
  const paths = new Map<string, PathState>();
  await walk(root, '', paths);
  return { paths, root };
}

/** What changed from one snapshot of a host to a later one; empty when nothing did. */
export async function compareSnapshots(before: Snapshot, after: Snapshot): Promise<readonly SnapshotChange[]> {
  const changes: SnapshotChange[] = [];
  for (const path of [...new Set([...before.paths.keys(), ...after.paths.keys()])].sort()) {
    if (NOT_OURS.some((pattern) => pattern.test(path))) continue;
    const was = before.paths.get(path) ?? (await describe(join(before.root.lower, path)));
    const is = after.paths.get(path) ?? (await describe(join(after.root.lower, path)));
    if (was !== is) changes.push({ path, before: was, after: is });
  }
  return changes;
}

/** Changes as lines for a failure text. */
export function describeChanges(changes: readonly SnapshotChange[]): string {
  return changes.map((change) => `${change.path}: ${change.before} → ${change.after}`).join('\n');
}

async function walk(root: HostRoot, path: string, into: Map<string, PathState>): Promise<void> {
  for (const entry of await readdir(join(root.upper, path), { withFileTypes: true })) {
    const child = `${path}/${entry.name}`;
    // A character device 0:0 is overlayfs's mark for "deleted".
    into.set(child, entry.isCharacterDevice() ? 'absent' : await describe(join(root.merged, child)));
    if (entry.isDirectory()) await walk(root, child, into);
  }
}

async function describe(path: string): Promise<PathState> {
  let stats: Stats;
  try {
    stats = await lstat(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return 'absent';
    throw error;
  }
  const rights = `${(stats.mode & 0o7777).toString(8).padStart(4, '0')} ${stats.uid}:${stats.gid}`;
  if (stats.isSymbolicLink()) return `link -> ${await readlink(path)}`;
  if (stats.isDirectory()) return `dir ${rights}`;
  if (!stats.isFile()) return `special ${rights}`;
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return `file ${rights} ${hash.digest('hex').slice(0, 16)}`;
}

/** The firewall rules in force on a host: the part of "as it was" that is no file. */
export async function firewallOf(namespace: string): Promise<string> {
  return (await runChecked(['ip', 'netns', 'exec', namespace, 'nft', 'list', 'ruleset'])).stdout;
}
