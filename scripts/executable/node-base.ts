/**
 * The Node binaries that our executables are made of: fetched from the npm registry as pinned packages, checked against the hash in
 * package-lock.json, kept in a cache outside the repository. Once cached, nothing here touches the network. It must never use the Node of the machine.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile, chmod } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A platform whose Node base npm carries. */
export interface NodePackage {
  readonly name: string;
  readonly version: string;
  /** The `integrity` field, `sha512-…`. */
  readonly integrity: string;
  /** The path of the program inside the package. */
  readonly program: string;
}

/** Where downloaded bases are kept; outside the repository, shared by all work trees of one user. */
export function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'robonet');
}

/** The pinned package of an architecture, read from the lockfile: the only pin there is. */
export async function pinnedNodePackage(root: string, architecture: 'x64' | 'arm64'): Promise<NodePackage> {
  const name = `node-linux-${architecture}`;
  const lock: unknown = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
  const entry = field(field(lock, 'packages'), `node_modules/${name}`);
  const version = field(entry, 'version');
  const integrity = field(entry, 'integrity');
  if (typeof version !== 'string' || typeof integrity !== 'string') {
    throw new Error(`package-lock.json does not pin ${name}; nothing was built. Run: npm install --package-lock-only`);
  }
  return { name, version, integrity, program: 'bin/node' };
}

/** The path of a base whose tarball matched its pinned hash; downloads it on first use. */
export async function nodeBase(wanted: NodePackage, progress: (line: string) => void): Promise<string> {
  const pin = createHash('sha256').update(`${wanted.name}@${wanted.version} ${wanted.integrity}`).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), 'node', `${wanted.name}-${wanted.version}-${pin}`);
  const program = join(folder, 'node');
  if (await isIntact(folder, program)) return program;
  progress(`fetching ${wanted.name}@${wanted.version} through npm (about 55 MB, once)`);
  await mkdir(join(cacheFolder(), 'node'), { recursive: true });
  const staging = await mkdtemp(`${folder}.part-`);
  try {
    const tarball = await download(wanted, staging);
    await run('tar', ['-xzf', tarball, '-C', staging, '--strip-components=1', `package/${wanted.program}`]);
    const bytes = await readFile(join(staging, wanted.program));
    await rm(tarball);
    await rename(join(staging, wanted.program), join(staging, 'node'));
    await chmod(join(staging, 'node'), 0o755);
    await writeFile(join(staging, 'node.sha256'), `${createHash('sha256').update(bytes).digest('hex')}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(staging, folder);
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
  return program;
}

/** Fails when the bytes are not the ones the lockfile promises. */
export function checkIntegrity(bytes: Uint8Array, integrity: string, subject: string): void {
  const actual = `sha512-${createHash('sha512').update(bytes).digest('base64')}`;
  if (actual !== integrity) {
    throw new Error(`${subject} has the hash ${actual}, but package-lock.json pins ${integrity}; it was discarded and nothing was built`);
  }
}

async function isIntact(folder: string, program: string): Promise<boolean> {
  try {
    const expected = (await readFile(join(folder, 'node.sha256'), 'utf8')).trim();
    return (
      createHash('sha256')
        .update(await readFile(program))
        .digest('hex') === expected
    );
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

async function download(wanted: NodePackage, folder: string): Promise<string> {
  // npm is called as a program (never as a library): a path given by `npm run`, else the one in PATH.
  const npm = process.env['npm_execpath'];
  const words = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder, `${wanted.name}@${wanted.version}`];
  const isScript = npm !== undefined && /npm-cli\.c?js$/.test(npm);
  const { stdout } = isScript ? await run(process.execPath, [npm, ...words]) : await run('npm', words);
  const tarball = join(folder, stdout.trim().split('\n').at(-1) ?? '');
  checkIntegrity(await readFile(tarball), wanted.integrity, `${wanted.name}@${wanted.version}`);
  return tarball;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map<string, unknown>(Object.entries(value)).get(name) : undefined;
}
