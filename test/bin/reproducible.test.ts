/**
 * Equal sources give equal executables, whatever the folder: somebody else can build what we publish and compare.
 */
import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dist, root, run } from '#test/bin/executables.ts';

const sources = ['core', 'mesh', 'provisioner', 'agent', 'hw-profiles', 'scripts', 'package.json', 'package-lock.json', 'tsconfig.json'];

test('a build in another folder gives the same bytes, and needs no network once the bases are cached', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'robonet-elsewhere-'));
  try {
    for (const name of sources) await cp(join(root, name), join(folder, name), { recursive: true });
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    const environment = {
      HOME: process.env['HOME'] ?? '/root',
      ...(process.env['XDG_CACHE_HOME'] === undefined ? {} : { XDG_CACHE_HOME: process.env['XDG_CACHE_HOME'] }),
    };
    // A namespace with no interface but a dead loopback: a build that reached for the network would fail.
    const isRoot = process.getuid?.() === 0;
    const offline = isRoot ? ['unshare', '--net'] : [];
    const { code, stderr } = await run([...offline, process.execPath, join(folder, 'scripts', 'build.ts'), '--only', 'agent-x64,agent-arm64'], environment);
    expect(stderr).not.toContain('fetching');
    expect(code).toBe(0);
    for (const name of ['robonet-linux-x64', 'robonet-linux-arm64', 'robonet-linux-x64.gz', 'robonet-linux-arm64.gz']) {
      expect([name, await sha256(join(folder, 'dist', name))]).toEqual([name, await sha256(join(dist, name))]);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test('SHA256SUMS names every output with its hash', async () => {
  const lines = (await readFile(join(dist, 'SHA256SUMS'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => line.slice(66)).sort()).toEqual(
    expect.arrayContaining([
      'provision-linux-arm64',
      'provision-linux-x64',
      'robonet-linux-arm64',
      'robonet-linux-arm64.gz',
      'robonet-linux-x64',
      'robonet-linux-x64.gz',
    ]),
  );
  for (const line of lines) expect(line.slice(0, 64)).toBe(await sha256(join(dist, line.slice(66))));
});

async function sha256(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
