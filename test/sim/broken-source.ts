/**
 * The simulator over a product whose source is changed in some places: bundled in memory, loaded beside the whole one. A checker
 * that does not see such a change would not see the same mistake in the product. Nothing in the product knows of this; a place
 * that is not there exactly once any more fails.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** One place: the file, from the root of the project, what stands there, and what is to stand there instead. */
export interface SourceChange {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * The exports of an entry, over the changed source.
 * @param entry module text; its imports are relative to `folder`
 */
export async function loadBroken(entry: string, folder: string, changes: readonly SourceChange[]): Promise<unknown> {
  const place = mkdtempSync(join(tmpdir(), 'robonet-broken-'));
  const outfile = join(place, 'sim.mjs');
  let met = 0;
  try {
    await build({
      stdin: { contents: entry, resolveDir: folder, loader: 'ts' },
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      logLevel: 'silent',
      plugins: [
        {
          name: 'break',
          setup({ onLoad }) {
            onLoad({ filter: /\/mesh\/.*\.ts$/ }, ({ path }) => {
              let contents = readFileSync(path, 'utf8');
              for (const { file, from, to } of changes) {
                if (path !== join(ROOT, file)) continue;
                if (contents.split(from).length !== 2) throw new Error(`${file}: the place to break is not there exactly once: ${from}`);
                contents = contents.replace(from, () => to);
                met += 1;
              }
              return { contents, loader: 'ts' };
            });
          },
        },
      ],
    });
    if (met !== changes.length) throw new Error(`a place to break is not part of the simulated machine: ${changes.map(({ file }) => file).join(', ')}`);
    return await import(pathToFileURL(outfile).href);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}
