/**
 * The linter and the pure compiler are walls of their own: here both are shown a small broken tree with our configuration and must report it.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
let folder = '';

const broken: Readonly<Record<string, string>> = {
  'mesh/trust/clock.ts': 'export const now = (): number => Date.now();\n',
  'mesh/trust/timer.ts': 'export const later = (): unknown => setTimeout(() => undefined, 1);\n',
  'mesh/trust/disk.ts': "import { readFileSync } from 'node:fs';\n\nexport const read = readFileSync;\n",
  'mesh/trust/upward.ts': "import { read } from '#agent/any.ts';\n\nexport const up = read;\n",
  'core/time/first.ts': "import { type Second } from './second.ts';\n\nexport interface First {\n  readonly second: Second;\n}\n",
  'core/time/second.ts': "import { type First } from './first.ts';\n\nexport interface Second {\n  readonly first: First;\n}\n",
  'agent/any.ts': 'export const read: any = 1;\n\nexport default read;\n',
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'robonet-walls-'));
  for (const name of ['.oxlintrc.json', 'package.json', 'tsconfig.json', 'tsconfig.pure.json']) cpSync(join(root, name), join(folder, name));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(broken)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function outputOf(tool: string, words: readonly string[]): Promise<string> {
  return await new Promise((settle) => {
    execFile(process.execPath, [join(root, 'node_modules', tool), ...words], { cwd: folder }, (_, stdout, stderr) => {
      settle(stdout + stderr);
    });
  });
}

describe('the linter', () => {
  let lines: readonly string[] = [];
  beforeAll(async () => {
    lines = (await outputOf('oxlint/bin/oxlint', ['--format', 'unix'])).split('\n');
  });
  const reported = (path: string): string => lines.filter((line) => line.includes(path)).join('\n');

  test.each([
    ['a clock in deciding code', 'mesh/trust/clock.ts', 'no-restricted-properties'],
    ['a timer in deciding code', 'mesh/trust/timer.ts', 'no-restricted-globals'],
    ['a node: module in deciding code', 'mesh/trust/disk.ts', 'no-restricted-imports'],
    ['an import that goes up', 'mesh/trust/upward.ts', 'no-restricted-imports'],
    ['a cycle of types', 'core/time/first.ts', 'no-cycle'],
    ['any', 'agent/any.ts', 'no-explicit-any'],
    ['a default export', 'agent/any.ts', 'no-default-export'],
  ])('reports %s', (_, path, message) => {
    expect(reported(path)).toContain(message);
  });
});

test('the linter says what to do instead', async () => {
  const output = (await outputOf('oxlint/bin/oxlint', [])).replace(/\s+/g, ' ');
  for (const advice of ['Time is the argument `now`', 'Publish a deadline', 'Deciding code does no I/O', 'Imports only go down'])
    expect(output).toContain(advice);
});

describe('the pure compiler', () => {
  test('does not know timers or node: modules', async () => {
    const output = await outputOf('typescript/bin/tsc', ['-p', 'tsconfig.pure.json']);
    expect(output).toContain("mesh/trust/timer.ts(1,37): error TS2304: Cannot find name 'setTimeout'");
    expect(output).toMatch(/mesh\/trust\/disk\.ts\(1,30\): error TS2\d+: Cannot find (module|name) 'node:fs'/);
  });
});
