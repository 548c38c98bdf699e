import { describe, expect, test } from 'vitest';
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

test('robonet without an agent running says so, with exit code 69 and the next step', async () => {
  const { code, stderr } = await run([agent, '--socket', '/nonexistent/agent.sock', 'status']);
  expect(code).toBe(69);
  expect(stderr).toContain('robonet agent');
});
