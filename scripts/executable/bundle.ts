/**
 * One TypeScript program becomes one CommonJS text. The text depends on the sources and the lockfile alone: no time, no path, no commit, so
 * that equal sources give equal executables in any folder.
 */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';
import { trim } from '#scripts/executable/trim.ts';

/** A bundled program. */
export interface Bundle {
  readonly text: string;
  /** What `version` shows and what the executable is named after in reports. */
  readonly build: string;
  readonly version: string;
  /** Folders under node_modules whose files went in, for the notices and the bill of materials. */
  readonly packages: readonly string[];
}

// The build id is a hash of the text that contains it, so a word of the same length stands in for it first.
const standIn = 'build-id-xxx';

/** Bundle the program whose main file is `entry` (relative to `root`, or absolute). */
export async function bundle(root: string, entry: string): Promise<Bundle> {
  const version = await packageVersion(root);
  const result = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node24',
    format: 'cjs',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Optional native parts of ssh2; its pure JavaScript path is used instead.
    external: ['cpu-features', '*.node'],
    plugins: [trim],
    define: { ROBONET_VERSION: JSON.stringify(version), ROBONET_BUILD: JSON.stringify(standIn) },
  });
  const file = result.outputFiles[0];
  if (file === undefined) throw new Error(`esbuild gave no output for ${entry}`);
  // One character beyond Latin-1, and V8 keeps the whole text at two bytes each: a megabyte that every agent holds for nothing.
  const wide = /[^\u0000-\u00ff]/.exec(file.text);
  if (wide !== null)
    throw new Error(`the bundle of ${entry} has ${JSON.stringify(wide[0])} in it (write it as \\uXXXX): ${file.text.slice(wide.index - 40, wide.index + 40)}`);
  const build12 = createHash('sha256').update(file.contents).digest('hex').slice(0, standIn.length);
  return {
    text: file.text.replaceAll(standIn, build12),
    build: build12,
    version,
    packages: packagesOf(Object.keys(result.metafile.inputs)),
  };
}

/** The package folders that a list of bundled files came from, sorted. */
export function packagesOf(inputs: readonly string[]): readonly string[] {
  const folders = inputs.map((input) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1]).filter((folder) => folder !== undefined);
  return [...new Set(folders)].sort();
}

async function packageVersion(root: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest && typeof manifest.version === 'string') return manifest.version;
  throw new Error('package.json has no version');
}
