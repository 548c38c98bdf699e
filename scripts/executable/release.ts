/**
 * From sources to executables: which outputs there are, what each is made from, and in which order. Everything is skipped that was made from
 * the same inputs before.
 */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Bundle, bundle } from '#scripts/executable/bundle.ts';
import { type NodePackage, nodeBase, pinnedNodePackage } from '#scripts/executable/node-base.ts';
import { pageLayouts } from '#scripts/executable/page-layout.ts';
import { type Program, writeExecutable, writeProgramBlob } from '#scripts/executable/single-executable.ts';
import { type Made, inputKey, madeFrom } from '#scripts/executable/stamp.ts';

/** The processors we build for. */
export type Architecture = 'x64' | 'arm64';

/** All of them; both are built on either. */
export const architectures: readonly Architecture[] = ['x64', 'arm64'];

/** What can be asked for by name. */
export const unitNames = ['agent-x64', 'agent-arm64', 'provision-x64', 'provision-arm64'] as const;

/** One executable for one architecture. */
export type UnitName = (typeof unitNames)[number];

/** What to build, from where, to where. */
export interface ReleaseOptions {
  readonly root: string;
  readonly output: string;
  readonly units: readonly UnitName[];
  /** The main files; others than the product's own serve development of the build itself. */
  readonly agentEntry: string;
  readonly provisionEntry: string;
  readonly progress: (line: string) => void;
}

/** A JavaScript heap beyond this, in MiB, is a fault of the agent on a small board, not a need (it idles at about 12). */
const agentHeapMebibytesMax = 96;

/** Level 6 is within 1 % of level 9 for these files at a fifth of its time. */
const gzipLevel = 6;

const compress = promisify(gzip);

/** Build what is asked for; returns every output, made now or before. */
export async function buildRelease(options: ReleaseOptions): Promise<readonly Made[]> {
  await mkdir(options.output, { recursive: true });
  const recipe = await recipeHash(options.root);
  const made: Made[] = [];
  const provisionArchitectures = architectures.filter((architecture) => options.units.includes(`provision-${architecture}`));
  const agentArchitectures = architectures.filter((architecture) => provisionArchitectures.length > 0 || options.units.includes(`agent-${architecture}`));

  const agentBundle = await bundle(options.root, options.agentEntry);
  const agent: Program = { text: agentBundle.text, assets: new Map(), heapMebibytesMax: agentHeapMebibytesMax };
  const agents = await Promise.all(
    agentArchitectures.map(async (architecture) => {
      const binary = await executable(options, recipe, agent, `robonet-linux-${architecture}`, architecture);
      return { architecture, binary, packed: await gzipped(binary) };
    }),
  );
  for (const { binary, packed } of agents) made.push(binary, packed);
  if (agents.length === architectures.length) made.push(await agentIndex(options, agentBundle, agents));

  if (provisionArchitectures.length > 0) {
    const provisionBundle = await bundle(options.root, options.provisionEntry);
    const assets = new Map([
      ['agents.json', join(options.output, 'agents.json')],
      ...agents.map(({ architecture, packed }): [string, string] => [`robonet-linux-${architecture}.gz`, packed.path]),
    ]);
    // One after the other: each holds several copies of 200 MB while it is injected.
    for (const architecture of provisionArchitectures) {
      made.push(await executable(options, recipe, { text: provisionBundle.text, assets }, `provision-linux-${architecture}`, architecture));
    }
  }
  return made;
}

async function executable(options: ReleaseOptions, recipe: string, program: Program, name: string, architecture: Architecture): Promise<Made> {
  const base = await pinnedNodePackage(options.root, architecture);
  const assets = await Promise.all([...program.assets].map(async ([asset, path]) => `${asset}=${sha256Of(await readFile(path))}`));
  const output = join(options.output, name);
  const key = inputKey({ recipe, text: program.text, assets: assets.join('\n'), base: `${base.name}@${base.version} ${base.integrity}` });
  return await madeFrom(output, key, async () => {
    options.progress(`building ${name}`);
    const generator = await generatorFor(options, base);
    const blob = `${output}.blob-${process.pid}`;
    try {
      await writeProgramBlob(program, generator, blob);
      await writeExecutable(options.root, await nodeBase(base, options.progress), blob, output);
    } finally {
      await rm(blob, { force: true });
    }
    if (architecture === 'arm64') await checkPages(output);
  });
}

// The blob's format belongs to one exact Node version: the generator is the base of this machine's own architecture.
async function generatorFor(options: ReleaseOptions, target: NodePackage): Promise<string> {
  const host = await pinnedNodePackage(options.root, process.arch === 'arm64' ? 'arm64' : 'x64');
  if (host.version !== target.version) {
    throw new Error(`${host.name} is pinned at ${host.version}, ${target.name} at ${target.version}; pin the same version of both in package.json`);
  }
  return process.version === `v${host.version}` ? process.execPath : await nodeBase(host, options.progress);
}

/** A gzip file whose bytes depend on the content alone (no name, no time). */
async function gzipped(raw: Made): Promise<Made> {
  const path = `${raw.path}.gz`;
  return await madeFrom(path, inputKey({ raw: raw.sha256, level: String(gzipLevel) }), async () => {
    const part = `${path}.part-${process.pid}`;
    await writeFile(part, await compress(await readFile(raw.path), { level: gzipLevel }));
    await rename(part, path);
  });
}

async function agentIndex(
  options: ReleaseOptions,
  { version, build }: Bundle,
  agents: readonly { readonly architecture: Architecture; readonly binary: Made; readonly packed: Made }[],
): Promise<Made> {
  const entries = agents.map(({ architecture, binary, packed }): [Architecture, object] => [
    architecture,
    { asset: `robonet-linux-${architecture}.gz`, bytes: binary.bytes, sha256: binary.sha256, gzipBytes: packed.bytes, gzipSha256: packed.sha256 },
  ]);
  const text = `${JSON.stringify({ version, build, agents: Object.fromEntries(entries) }, undefined, 2)}\n`;
  const path = join(options.output, 'agents.json');
  return await madeFrom(path, inputKey({ text }), async () => {
    await writeFile(path, text);
  });
}

async function checkPages(path: string): Promise<void> {
  const problems = pageLayouts(await readFile(path)).flatMap((layout) => layout.problems.map((problem) => `${layout.pageBytes} B pages: ${problem}`));
  if (problems.length === 0) return;
  await rm(path);
  throw new Error(`${path} would fail on some arm64 kernels and was removed: ${problems.join('; ')}`);
}

/** A change of the build's own code makes everything anew. */
async function recipeHash(root: string): Promise<string> {
  const folder = join(root, 'scripts', 'executable');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).sort();
  if (names.length === 0) throw new Error(`${folder} holds no sources; the build cannot tell whether its recipe changed`);
  const hash = createHash('sha256');
  for (const name of names) hash.update(name).update(await readFile(join(folder, name)));
  return hash.digest('hex');
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
