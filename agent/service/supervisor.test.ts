import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { supervise } from '#agent/service/supervisor.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'supervise-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function run(script: string, signal: AbortSignal): Promise<number> {
  return supervise({ command: ['/bin/sh', '-c', script], pidPath: join(folder, 'run', 'pid'), logDirectory: join(folder, 'state'), signal });
}
const log = (): string => (existsSync(join(folder, 'state', 'agent.log')) ? readFileSync(join(folder, 'state', 'agent.log'), 'utf8') : '');

it('an agent that dies is started again, with a growing pause, and its words are kept', async () => {
  const ending = new AbortController();
  const ended = run('echo "alive $$" >&2; exit 1', ending.signal);
  await expect.poll(log, { timeout: 8_000 }).toMatch(/alive[^]*in 2000 ms[^]*alive/);
  ending.abort();
  expect(await ended).toBe(0);
  expect(existsSync(join(folder, 'run', 'pid'))).toBe(false);
}, 15_000);

it('the signal ends the agent first, then the supervisor', async () => {
  const ending = new AbortController();
  const ended = run('trap "echo asked to stop >&2; exit 0" TERM; echo ready >&2; while :; do sleep 0.05; done', ending.signal);
  await expect.poll(log, { timeout: 5_000 }).toContain('ready');
  ending.abort();
  expect(await ended).toBe(0);
  expect(log()).toContain('asked to stop');
});

it('a wrong configuration is not answered with a restart', async () => {
  expect(await run('exit 78', new AbortController().signal)).toBe(78);
});
