/**
 * Watches an upload from the target's side, to act at a chosen moment of it.
 */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../lab/host/host.ts';
import { waitFor } from '../lab/wait-for.ts';

const ARRIVING_WITHIN_MS = 60_000;
/** Where an upload may land before it is installed. */
const LANDING_PLACES = ['/tmp', '/var/tmp', '/run', '/var/lib', '/usr/local', '/home', '/root'];
const DEPTH_MAX = 4;

/** Waits until more than this many bytes of an upload have arrived in a file that was not there before; returns how many. */
export async function bytesArriving(host: Host, atLeast: number): Promise<number> {
  const known = new Set((await largeFiles(host, atLeast)).map(({ path }) => path));
  const seen = await waitFor(`an upload arrives on ${host.name}`, { withinMs: ARRIVING_WITHIN_MS, everyMs: 10, evidence: () => host.evidence() }, async () =>
    (await largeFiles(host, atLeast)).find(({ path }) => !known.has(path)),
  );
  return seen.value.bytes;
}

async function largeFiles(host: Host, atLeast: number): Promise<readonly { readonly path: string; readonly bytes: number }[]> {
  const found: { readonly path: string; readonly bytes: number }[] = [];
  for (const place of LANDING_PLACES) await look(host.path(place), 0, atLeast, found);
  return found;
}

async function look(folder: string, depth: number, atLeast: number, found: { readonly path: string; readonly bytes: number }[]): Promise<void> {
  // Folders may vanish between two looks.
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && depth < DEPTH_MAX) await look(path, depth + 1, atLeast, found);
    if (!entry.isFile()) continue;
    const bytes = (await stat(path).catch(() => undefined))?.size ?? 0;
    if (bytes >= atLeast) found.push({ path, bytes });
  }
}
