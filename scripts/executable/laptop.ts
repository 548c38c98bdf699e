/**
 * `provision` for laptops that run another system, made by pkg in its SEA mode (docs/adr/0001). pkg would download Node from a site of its own; here its
 * cache is filled beforehand with bases from npm whose hashes are pinned in laptop-bases.json. They carry no agents inside: `agents.json` and the two
 * `.gz` files have to lie beside them.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { bundle } from '#scripts/executable/bundle.ts';
import { type NodePackage, cacheFolder, nodeBase, pinnedNodePackage } from '#scripts/executable/node-base.ts';
import { type Made, inputKey, madeFrom } from '#scripts/executable/stamp.ts';

const run = promisify(execFile);

const nodePackage = z.strictObject({ name: z.string(), version: z.string(), integrity: z.string(), program: z.string() });
const laptopBases = z.record(z.string(), z.strictObject({ output: z.string(), base: nodePackage, generator: z.union([z.literal('pinned'), nodePackage]) }));
const manifestWithTargets = z.looseObject({ pkg: z.strictObject({ targets: z.array(z.string()).min(1) }) });

/** The file formats of the systems, by the first bytes. */
const formats: Readonly<Record<string, { readonly name: string; readonly magic: number }>> = {
  win: { name: 'PE', magic: 0x4d5a },
  macos: { name: 'Mach-O', magic: 0xcffa },
};

/** Build `provision` for every target in the `pkg` section of package.json. */
export async function buildLaptop(options: {
  readonly root: string;
  readonly output: string;
  readonly provisionEntry: string;
  readonly progress: (line: string) => void;
}): Promise<readonly Made[]> {
  const { root, output, progress } = options;
  if (process.arch !== 'x64')
    throw new Error(
      `the laptop builds are made on x64 (their blobs by bases for linux-x64), and this machine is ${process.arch}; nothing was built for laptops`,
    );
  const bases = laptopBases.parse(JSON.parse(await readFile(join(root, 'scripts', 'executable', 'laptop-bases.json'), 'utf8')));
  const { pkg } = manifestWithTargets.parse(JSON.parse(await readFile(join(root, 'package.json'), 'utf8')));
  const program = await bundle(root, options.provisionEntry);
  const made: Made[] = [];
  for (const target of pkg.targets) {
    const laptop = bases[target];
    if (laptop === undefined) throw new Error(`package.json names the pkg target ${target}, which laptop-bases.json does not pin; nothing was built for it`);
    const generator = laptop.generator === 'pinned' ? await pinnedNodePackage(root, 'x64') : laptop.generator;
    const path = join(output, laptop.output);
    const key = inputKey({ target, text: program.text, base: laptop.base.integrity, generator: generator.integrity });
    const file = await madeFrom(path, key, async () => {
      progress(`building ${laptop.output} with pkg`);
      await seedCache(target, laptop.base, progress);
      await seedCache(`node${generator.version}-linux-x64`, generator, progress);
      await runPkg(root, target, program.text, path);
    });
    checkFormat(await readFile(path), target, laptop.output);
    made.push(file);
    if (target.includes('macos')) progress(`${laptop.output} is not signed; on the Mac run once: codesign --sign - ${laptop.output}`);
  }
  return made;
}

/** Fails when a file does not start like a program of its target's system. */
export function checkFormat(file: Buffer, target: string, name: string): void {
  const format = formats[target.split('-')[1] ?? ''];
  if (format === undefined) throw new Error(`no file format is known for the target ${target}`);
  if (file.readUInt16BE(0) !== format.magic) throw new Error(`${name} is not a ${format.name} file: it starts with 0x${file.readUInt16BE(0).toString(16)}`);
}

// pkg's cache as pkg 6.23 lays it out: an empty archive, the extracted program, and ".ok" marks that say both were verified. They were: by npm's hash.
async function seedCache(target: string, base: NodePackage, progress: (line: string) => void): Promise<void> {
  const [range = '', system = '', processor = ''] = target.split('-');
  const isWindows = system === 'win';
  const name = `node-v${range.replace('node', '')}-${system === 'macos' ? 'darwin' : system}-${processor}`;
  const folder = join(pkgHome(), '.pkg-cache', 'sea');
  const archive = join(folder, `${name}${isWindows ? '.zip' : '.tar.gz'}`);
  const program = isWindows ? join(folder, `${name}.exe`) : join(folder, name, 'bin', 'node');
  await mkdir(dirname(program), { recursive: true });
  await copyFile(await nodeBase(base, progress), program);
  for (const mark of [archive, `${archive}.ok`, `${program}.ok`]) await writeFile(mark, '');
}

async function runPkg(root: string, target: string, text: string, output: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'robonet-laptop-'));
  try {
    await writeFile(join(folder, 'provision.cjs'), text);
    const pkg = join(root, 'node_modules', '@yao-pkg', 'pkg', 'lib-es5', 'bin.js');
    const result = join(folder, target.includes('-win-') ? 'result.exe' : 'result');
    await run(process.execPath, [pkg, 'provision.cjs', '--sea', '--targets', target, '--output', result], {
      cwd: folder,
      env: { ...process.env, HOME: pkgHome() },
    });
    await copyFile(result, `${output}.part`);
    await rename(`${output}.part`, output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function pkgHome(): string {
  return join(cacheFolder(), 'pkg');
}
