/**
 * SHA256SUMS beside the outputs, in the form that `sha256sum --check` reads.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Made } from '#scripts/executable/stamp.ts';

/** Write the hashes of these outputs; the lines of outputs that were not made this time stay. */
export async function writeSums(folder: string, made: readonly Made[]): Promise<void> {
  // A partial build keeps the lines of what it did not make.
  const sums = new Map((await earlierSums(folder)).filter(([name]) => existsSync(join(folder, name))));
  for (const file of made) sums.set(basename(file.path), file.sha256);
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sha256]) => `${sha256}  ${name}\n`);
  await writeFile(join(folder, 'SHA256SUMS'), lines.join(''));
}

async function earlierSums(folder: string): Promise<readonly (readonly [string, string])[]> {
  const path = join(folder, 'SHA256SUMS');
  if (!existsSync(path)) return [];
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line.length > 66);
  return lines.map((line) => [line.slice(66), line.slice(0, 64)]);
}
