import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  guardScript,
  installScript,
  joinScript,
  leaseScript,
  manifestScript,
  openStagingScript,
  pushScript,
  revertScript,
  rollbackScript,
} from './target-scripts.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'target-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const script = (text: string, ...parameters: string[]) => spawnSync('sh', ['-c', text, 'test', ...parameters], { encoding: 'utf8', input: '' });
const open = (patience: number): string =>
  execFileSync('sh', ['-c', openStagingScript, 'test', join(root, '.staging.'), String(patience), guardScript, rollbackScript], { encoding: 'utf8' }).trim();
const gone = async (path: string): Promise<void> => {
  const deadline = performance.now() + 15_000;
  while (existsSync(path)) {
    if (performance.now() > deadline) throw new Error(`${path} is still there: ${readdirSync(path).join(' ')}`);
    await wait(100);
  }
};

describe('the staging folder on a target', () => {
  it('is private, and vanishes with all that was begun when the lease falls silent', async () => {
    const dir = open(2);
    expect(execFileSync('stat', ['-c', '%a', dir], { encoding: 'utf8' }).trim()).toBe('700');
    const program = join(root, 'robonet');
    const state = join(root, 'state');
    writeFileSync(join(dir, 'agent'), 'new');
    expect(spawnSync('sh', ['-c', manifestScript, 'test', dir, state, join(state, 'manifest')], { input: '{}' }).status).toBe(0);
    expect(script(installScript, dir, program).status).toBe(0);
    expect(readFileSync(program, 'utf8')).toBe('new');
    expect(existsSync(join(state, 'manifest'))).toBe(true);
    await gone(dir);
    expect(readdirSync(root)).toEqual([]);
  }, 20_000);

  it('puts a replaced executable back', async () => {
    const dir = open(60);
    const program = join(root, 'robonet');
    writeFileSync(program, 'old');
    writeFileSync(join(dir, 'agent'), 'new');
    script(installScript, dir, program);
    expect(readFileSync(program, 'utf8')).toBe('new');
    script(rollbackScript, dir);
    await gone(dir);
    expect(readFileSync(program, 'utf8')).toBe('old');
  });

  it('stays while the lease is renewed, and says when it is lost', async () => {
    const dir = open(2);
    for (let count = 1; count <= 8; count += 1) {
      expect(script(leaseScript, dir, String(count)).status).toBe(0);
      await wait(500);
    }
    expect(existsSync(dir)).toBe(true);
    await gone(dir);
    expect(script(leaseScript, dir, '9').status).not.toBe(0);
  }, 20_000);

  it('ends a writer that waits for data that will never come', async () => {
    const dir = open(2);
    const writer = spawn('sh', ['-c', pushScript, 'test', dir], { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = new Promise((resolve) => writer.on('exit', (_code, signal) => resolve(signal)));
    await gone(dir);
    expect(await ended).toBe('SIGKILL');
  }, 20_000);

  it('keeps what was completed: after the join only the folder goes', async () => {
    const dir = open(2);
    const program = join(root, 'robonet');
    writeFileSync(join(dir, 'agent'), '#!/bin/sh\ncat\n');
    script(installScript, dir, program);
    writeFileSync(join(dir, 'manifest.complete'), 'complete');
    const joined = spawnSync('sh', ['-c', joinScript, 'test', dir, program, join(root, 'manifest'), 'join'], { input: 'token', encoding: 'utf8' });
    expect([joined.status, joined.stdout]).toEqual([0, 'token']);
    await gone(dir);
    expect(readFileSync(join(root, 'manifest'), 'utf8')).toBe('complete');
    expect(existsSync(program)).toBe(true);
  }, 20_000);

  it('a join that ends after the guard has decided counts as failed', () => {
    const dir = open(60);
    const program = join(root, 'robonet');
    writeFileSync(program, '#!/bin/sh\nmkdir "$DIR/verdict"; : > "$DIR/verdict/rollback"\n', { mode: 0o755 });
    const joined = spawnSync('sh', ['-c', joinScript, 'test', dir, program, join(root, 'manifest'), 'join'], { env: { ...process.env, DIR: dir } });
    expect(joined.status).toBe(75);
    expect(existsSync(join(dir, 'done'))).toBe(false);
    script(rollbackScript, dir);
    expect(existsSync(dir)).toBe(false);
  });

  it('even a completed join can be taken back on purpose', () => {
    const dir = open(60);
    const program = join(root, 'robonet');
    writeFileSync(join(dir, 'agent'), `#!/bin/sh\necho "$1" >> ${join(root, 'calls')}\n`);
    script(installScript, dir, program);
    script(joinScript, dir, program, join(root, 'manifest'), 'join');
    script(revertScript, dir);
    expect(existsSync(program)).toBe(false);
    expect(readFileSync(join(root, 'calls'), 'utf8')).toBe('join\nleave\n');
    expect(existsSync(dir)).toBe(false);
  });
});
