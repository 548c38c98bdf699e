/**
 * Remembers what an output was made from, so that an unchanged input costs nothing. A stamp is a hint and never a promise to others: whoever
 * ships an executable checks SHA256SUMS. One file per output, so that two builds at once cannot spoil each other's.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** An output on disk. */
export interface Made {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** True when this call made it, false when it was there already. */
  readonly fresh: boolean;
}

/** A hash over named inputs; the order does not matter, the names do. */
export function inputKey(inputs: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(inputs).sort()) hash.update(`${name}\0${inputs[name] ?? ''}\0`);
  return hash.digest('hex');
}

/** The output at `path`, made by `make` unless it was made from the same inputs before and has not been touched since. */
export async function madeFrom(path: string, key: string, make: () => Promise<void>): Promise<Made> {
  const stampPath = join(dirname(path), '.stamps', `${basename(path)}.json`);
  const known = await readStamp(stampPath);
  const before = await fileState(path);
  if (known !== undefined && before !== undefined && known.key === key && known.bytes === before.bytes && known.modified === before.modified) {
    return { path, bytes: known.bytes, sha256: known.sha256, fresh: false };
  }
  await make();
  const after = await fileState(path);
  if (after === undefined) throw new Error(`${path} was not written`);
  const sha256 = createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
  await mkdir(dirname(stampPath), { recursive: true });
  await writeFile(`${stampPath}.part-${process.pid}`, JSON.stringify({ key, sha256, ...after }));
  await rename(`${stampPath}.part-${process.pid}`, stampPath);
  return { path, bytes: after.bytes, sha256, fresh: true };
}

interface FileState {
  readonly bytes: number;
  readonly modified: number;
}

async function fileState(path: string): Promise<FileState | undefined> {
  try {
    const state = await stat(path);
    return { bytes: state.size, modified: state.mtimeMs };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function readStamp(path: string): Promise<(FileState & { key: string; sha256: string }) | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return undefined;
    const fields = new Map<string, unknown>(Object.entries(value));
    const key = fields.get('key');
    const sha256 = fields.get('sha256');
    const bytes = fields.get('bytes');
    const modified = fields.get('modified');
    if (typeof key !== 'string' || typeof sha256 !== 'string' || typeof bytes !== 'number' || typeof modified !== 'number') return undefined;
    return { key, sha256, bytes, modified };
  } catch {
    // A missing or damaged stamp means: make it again.
    return undefined;
  }
}
