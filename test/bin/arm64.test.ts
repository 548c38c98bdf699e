/**
 * The other architecture's executables: run in full under user-mode emulation, and checked for kernels with larger pages.
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { pageLayouts } from '#scripts/executable/page-layout.ts';
import { agent, dist, native, run, startAgent } from '#test/bin/executables.ts';

const arm64 = join(dist, 'robonet-linux-arm64');
const emulator = ['/usr/bin/qemu-aarch64-static', '/usr/bin/qemu-aarch64'].find((path) => existsSync(path));
const prefix = native === 'arm64' ? [] : [emulator ?? 'qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'];

describe('the arm64 agent', () => {
  test('says the same version and build as the one for this machine', async () => {
    const emulated = await run([...prefix, arm64, 'version', '--json']);
    expect(emulated.code).toBe(0);
    const here = JSON.parse((await run([agent, 'version', '--json'])).stdout) as { version: string; build: string };
    expect(JSON.parse(emulated.stdout)).toMatchObject({ version: here.version, build: here.build });
  });

  test('makes an identity, opens its socket and answers', async () => {
    const running = await startAgent([...prefix, arm64]);
    try {
      const { code, stdout, stderr } = await run([agent, '--socket', running.socket, 'identity', 'show', '--json']);
      expect(stderr).toBe('');
      expect(code).toBe(0);
      const text = JSON.stringify(JSON.parse(stdout));
      expect(text).toContain('rn1');
      expect(existsSync(join(running.folder, 'state', 'identity'))).toBe(true);
    } finally {
      await running.stop();
    }
  });

  test.each(['robonet-linux-arm64', 'provision-linux-arm64'])('%s loads on kernels with 4, 16 and 64 KiB pages', async (name) => {
    const layouts = pageLayouts(await readFile(join(dist, name)));
    expect(layouts.map(({ pageBytes }) => pageBytes)).toEqual([4096, 16_384, 65_536]);
    expect(layouts.flatMap(({ problems }) => problems)).toEqual([]);
  });
});
