/**
 * `npm start` from the second step on (the first is the build, which `npm test` has done): the demonstration runs by
 * itself to its end, shows what the issue promises, and Ctrl-C ends it with 130.
 */
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { expect, test } from 'vitest';
import { runCommand, startCommand } from './lab/command.ts';
import { record } from './lab/report.ts';
import { waitFor } from './lab/wait-for.ts';

const SCRIPTS = join(import.meta.dirname, '../../scripts');
/** In a throw-away namespace of its own inside ours, as `npm start` runs it: its machines end with it. */
const DEMONSTRATION = [process.execPath, join(SCRIPTS, 'lab-shell.ts'), '--', process.execPath, join(SCRIPTS, 'start/demonstration.ts')];
const DONE_WITHIN_MS = 60_000;
const nodes = ['laptop', 'pi-kitchen', 'pi-attic', 'pi-shed', 'mini-pc', 'old-server'];

test('START blank machines become a mesh, seen from two different nodes, and three things to try next are named', async () => {
  const result = await runCommand(DEMONSTRATION, { timeoutMs: 170_000 });
  record({ useCase: 'START', what: 'the demonstration after the build', measuredMs: result.elapsedMs, promisedMs: DONE_WITHIN_MS });
  expect(result.code, `${result.stdout}\n${result.stderr}`).toBe(0);
  expect(result.stdout).toMatch(/candidate +pi-kitchen/);
  expect(result.stdout).toMatch(/foreign mesh +next-door/);
  expect(result.stdout).toMatch(/unreachable +locked-box/);
  const statuses = [...result.stdout.matchAll(/^(\S+)\$ robonet status\n([\s\S]*?)(?=\n\n\S+\$|\n\nDone)/gm)];
  expect(new Set(statuses.map(([, host]) => host)).size).toBe(2);
  for (const [, , text] of statuses) {
    expect(text).toContain('6 nodes, 6 online');
    for (const name of nodes) expect(text).toMatch(new RegExp(`^${name} +online`, 'm'));
  }
  const suggestions = result.stdout.split('Three things to try next')[1] ?? '';
  expect(suggestions.match(/^ {2}(robonet|provision) /gm)).toHaveLength(3);
});

test('START at a terminal the screens are live, the shell of --keep is on the laptop, and leaving it ends the rest', { timeout: 300_000 }, async () => {
  const shell = startCommand(['script', '-q', '-f', '-e', '-c', `stty cols 140 rows 50; exec ${DEMONSTRATION.join(' ')} --keep`, '/dev/null'], {
    keepInputOpen: true,
    timeoutMs: 280_000,
  });
  const text = (): string => stripVTControlCharacters(shell.stdout());
  await waitFor('the progress of an upload is drawn', { withinMs: 100_000, everyMs: 20, evidence: text }, () => /sending .*MiB of .*MiB/.test(text()));
  await waitFor('the shell is there', { withinMs: 120_000, evidence: text }, () => text().includes('laptop:~#'));
  shell.child.stdin?.write('robonet nodes --json | grep -o pi-shed; echo "on $(hostname)"\r');
  await waitFor('the shell answers', { withinMs: 20_000, evidence: text }, () => /on laptop\r?\n/.test(text()));
  shell.child.stdin?.write('exit\r');
  expect((await shell.ended).code).toBe(0);
});

test('START Ctrl-C ends it at once, with the exit code of an interruption', async () => {
  const running = startCommand(['script', '-q', '-f', '-e', '-c', `exec ${DEMONSTRATION.join(' ')}`, '/dev/null'], { keepInputOpen: true, timeoutMs: 120_000 });
  const text = (): string => stripVTControlCharacters(running.stdout());
  await waitFor('the machines are being looked at', { withinMs: 100_000, evidence: text }, () => text().includes('provision --scan'));
  running.child.stdin?.write('\u0003');
  const ended = await running.ended;
  expect(ended.code).toBe(130);
  expect(text()).not.toContain('Three things to try next');
});
