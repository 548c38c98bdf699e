/**
 * Puts a program text and its assets into a stripped Node binary: Node's own "single executable application" format, made by the very Node
 * version it is put into. The result takes nothing from its surroundings: no NODE_OPTIONS, no debugger on SIGUSR1.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stripElf } from '#scripts/executable/strip-elf.ts';
import { ENGINE_FLAGS } from './engine-flags.ts';

const run = promisify(execFile);
const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** A program ready to be put into a base of any 64-bit architecture. */
export interface Program {
  readonly text: string;
  /** Files to carry inside: name as the program asks for it → path on disk. */
  readonly assets: ReadonlyMap<string, string>;
  /** A ceiling for the JavaScript heap in MiB, where the program has one; such a program also collects by itself (agent/runtime/heap-care.ts). */
  readonly heapMebibytesMax?: number;
}

/** The fixed settings of every executable of ours. */
export function seaSettings(program: Program): Record<string, unknown> {
  const heap = program.heapMebibytesMax === undefined ? [] : [`--max-old-space-size=${program.heapMebibytesMax}`, '--expose-gc'];
  return {
    // Relative on purpose: the path is stored in the result, which must not depend on the folder.
    main: 'program.cjs',
    output: 'program.blob',
    disableExperimentalSEAWarning: true,
    useCodeCache: false,
    useSnapshot: false,
    execArgv: ['--disable-sigusr1', ...ENGINE_FLAGS, ...heap],
    // The default, "env", would let NODE_OPTIONS=--require run foreign code inside the program.
    execArgvExtension: 'none',
    assets: Object.fromEntries(program.assets),
  };
}

/** Write the blob, which makes a Node binary into our program; it is the same for every 64-bit architecture. */
export async function writeProgramBlob(program: Program, generator: string, output: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'robonet-build-'));
  try {
    await writeFile(join(folder, 'program.cjs'), program.text);
    await writeFile(join(folder, 'sea.json'), JSON.stringify(seaSettings(program)));
    await run(generator, ['--experimental-sea-config', 'sea.json'], { cwd: folder });
    await copyFile(join(folder, 'program.blob'), output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Write the executable, whole or not at all: a stripped base with the blob injected by postject. */
export async function writeExecutable(root: string, base: string, blob: string, output: string): Promise<void> {
  const part = `${output}.part-${process.pid}`;
  try {
    await writeFile(part, stripElf(await readFile(base)));
    // Its warnings "Can't find string offset" are harmless; bin tests run what it made.
    const postject = join(root, 'node_modules', 'postject', 'dist', 'cli.js');
    await run(process.execPath, [postject, part, 'NODE_SEA_BLOB', blob, '--sentinel-fuse', fuse]);
    await chmod(part, 0o755);
    await rename(part, output);
  } finally {
    await rm(part, { force: true });
  }
}
