import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { agent, provision, run } from '#test/bin/executables.ts';

describe.each([
  ['robonet', agent, 'statsu', 'status'],
  // A word that is no verb is a host here, so it is an option that is mistyped.
  ['provision', provision, '--dry-rnu', '--dry-run'],
])('%s on the command line', (name, program, typo, meant) => {
  test('says its version and build', async () => {
    const { code, stdout } = await run([program, 'version', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ v: 1, type: 'version', version: '0.1.0', build: expect.stringMatching(/^[0-9a-f]{12}$/) as string });
  });

  test('explains itself with --help', async () => {
    const { code, stdout } = await run([program, '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain(name);
    expect(stdout.split('\n').length).toBeGreaterThan(10);
  });

  test('an unknown option is refused with exit code 64, on stderr', async () => {
    const { code, stdout, stderr } = await run([program, 'version', '--colour']);
    expect(code).toBe(64);
    expect(stdout).toBe('');
    expect(stderr).toContain('--colour');
  });

  test('a mistyped word is answered with the one that was meant', async () => {
    const { code, stderr } = await run([program, typo]);
    expect(code).toBe(64);
    expect(stderr).toContain(typo);
    expect(stderr).toContain(meant);
  });
});

test.each([
  [agent, ['identity'], ['rotate', 'recover', 'export-next', 'forget-next', 'document']],
  [agent, ['identity', 'rotate'], ['--next-key', 'provision escrow show']],
  [agent, ['identity', 'recover'], ['--identity', '--alone', 'robonet identity document']],
  [agent, ['node', 'close'], ['--replaced-by', 'date and successor']],
  [agent, ['approve'], ['--replaces']],
  [provision, ['escrow'], ['list', 'show', 'pull', 'XDG_DATA_HOME']],
])('%s %j --help says what it needs', async (program, verb, words) => {
  const { code, stdout } = await run([program, ...verb, '--help']);
  expect(code).toBe(0);
  for (const word of words) expect(stdout).toContain(word);
});

test.each(['rotate', 'recover'])('robonet identity %s takes no key from the command line', async (verb) => {
  const { code, stdout, stderr } = await run([agent, 'identity', verb, '--next-key', 'rnk1.SECR-ETSE-CRET']);
  expect([code, stdout]).toEqual([64, '']);
  expect(stderr).toContain('--next-key FILE');
  expect(stderr).not.toContain('SECR');
});

test('provision escrow says when there is nothing, and where it looked', async () => {
  const env = { XDG_DATA_HOME: '/nonexistent' };
  const list = await run([provision, 'escrow', 'list'], env);
  expect(list.code).toBe(0);
  expect(list.stderr).toContain('/nonexistent/robonet/escrow');
  const show = await run([provision, 'escrow', 'show', 'attic'], env);
  expect([show.code, show.stdout]).toEqual([65, '']);
  expect(show.stderr).toContain('provision escrow pull');
});

test('robonet without an agent running says so, with exit code 69 and the next step', async () => {
  const { code, stderr } = await run([agent, '--socket', '/nonexistent/agent.sock', 'status']);
  expect(code).toBe(69);
  expect(stderr).toContain('robonet agent');
});

test('an answer that cannot be written is no success', async () => {
  const { code, stderr } = await run(['/bin/sh', '-c', '"$0" explain > /dev/full', agent]);
  expect([code, stderr]).toEqual([1, expect.stringContaining('RN-CLI-004') as string]);
  // A reader that has seen enough is one.
  expect((await run(['/bin/bash', '-c', 'set -o pipefail; "$0" explain | head -1 > /dev/null', agent])).code).toBe(0);
});

/** What ended an agent is left in its run directory: not in that of this machine. */
const runs = mkdtempSync(join(tmpdir(), 'robonet-refused-'));
afterAll(() => rmSync(runs, { recursive: true, force: true }));

test.each([
  ['robonet', agent, ['trust', '--verify', '/dev/zero'], 65],
  ['robonet', agent, ['join', '--token-file', '/dev/zero'], 65],
  ['robonet', agent, ['agent', '--run-dir', runs, '--config', '/dev/zero'], 78],
  ['robonet', agent, ['agent', '--run-dir', runs, '--facts', '/no/such/folder'], 78],
  ['provision', provision, ['--inventory', '/dev/zero'], 65],
  ['provision', provision, ['--inventory', '/'], 65],
  ['provision', provision, ['--scan', '--timeout', '0'], 64],
  ['provision', provision, ['--user', 'a;b', 'x'], 64],
] as const)('%s refuses a file or a value that cannot be right at once: %s %s', async (_name, program, words, exit) => {
  const { code, stderr } = await run([program, ...words]);
  expect([code, stderr]).toEqual([exit, expect.stringMatching(/next +\S/) as string]);
});
