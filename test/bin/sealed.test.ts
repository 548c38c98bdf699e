/**
 * The executables take no code and no orders from their surroundings. Each attack is also run against plain Node, to show that it is one.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { agent, provision, run, startAgent, until } from '#test/bin/executables.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'robonet-sealed-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('NODE_OPTIONS', () => {
  const attack = async (command: readonly string[], name: string): Promise<boolean> => {
    const marker = join(folder, `${name}.marker`);
    const foreign = join(folder, `${name}.cjs`);
    await writeFile(foreign, `require('node:fs').writeFileSync(${JSON.stringify(marker)}, 'ran');`);
    const { code } = await run(command, { NODE_OPTIONS: `--require=${foreign}` });
    expect(code).toBe(0);
    return existsSync(marker);
  };

  test('runs foreign code inside plain Node', async () => {
    expect(await attack([process.execPath, '-e', '0'], 'node')).toBe(true);
  });
  test('runs no foreign code inside robonet', async () => {
    expect(await attack([agent, 'version'], 'robonet')).toBe(false);
  });
  test('runs no foreign code inside provision', async () => {
    expect(await attack([provision, 'version'], 'provision')).toBe(false);
  });
});

describe('SIGUSR1', () => {
  test('opens a debugger in plain Node', async () => {
    const child = spawn(process.execPath, ['--inspect-port=127.0.0.1:0', '-e', "setInterval(() => undefined, 1000); console.error('ready')"], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
    try {
      await until(() => text.includes('ready'), 'Node to start');
      child.kill('SIGUSR1');
      await until(() => text.includes('Debugger listening'), 'the debugger');
    } finally {
      child.kill('SIGKILL');
    }
  });

  test('opens no debugger in the agent', async () => {
    const running = await startAgent([agent]);
    try {
      running.child.kill('SIGUSR1');
      // The agent has handled the signal once it answers a request that came after it, or has ended because of it.
      await run([agent, '--socket', running.socket, 'status']);
      expect(running.log()).not.toContain('Debugger');
    } finally {
      await running.stop();
    }
  });
});

test('a --node-options word on the command line is ours to refuse', async () => {
  const foreign = join(folder, 'words.cjs');
  await writeFile(foreign, `require('node:fs').writeFileSync(${JSON.stringify(join(folder, 'words.marker'))}, 'ran');`);
  expect((await run([agent, `--node-options=--require=${foreign}`, 'version'])).code).toBe(64);
  expect(existsSync(join(folder, 'words.marker'))).toBe(false);
});
