import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTextFile } from './read-text-file.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-text-'));
  mkdirSync(join(folder, 'sub'));
  writeFileSync(join(folder, 'full'), 'ä'.repeat(50));
  writeFileSync(join(folder, 'empty'), '');
  symlinkSync('loop', join(folder, 'loop'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a file named by a person', () => {
  it('is read whole up to the bound, and refused one byte beyond it', () => {
    expect(readTextFile(join(folder, 'full'), 100)).toEqual({ kind: 'text', text: 'ä'.repeat(50) });
    expect(readTextFile(join(folder, 'empty'), 100)).toEqual({ kind: 'text', text: '' });
    expect(readTextFile(join(folder, 'full'), 99)).toMatchObject({ kind: 'problem', why: expect.stringContaining('more than 99 B') });
  });

  it('that never ends is given up at the bound', () => {
    expect(readTextFile('/dev/zero', 1_000)).toMatchObject({ kind: 'problem', why: expect.stringContaining('more than') });
  });

  it.each([
    ['nothing', 'no such file', true],
    ['full/deeper', 'no such file', false],
    ['sub', 'a folder', false],
    ['loop', 'circle', false],
  ])('%s is refused in words', (name, words, missing) => {
    expect(readTextFile(join(folder, name), 100)).toMatchObject({ kind: 'problem', why: expect.stringContaining(words), missing });
    expect(readTextFile('', 100).kind).toBe('problem');
  });

  it('may be standard input, arriving in pieces or closed', () => {
    const program = `import { readTextFile } from ${JSON.stringify(join(import.meta.dirname, 'read-text-file.ts'))}; console.log(JSON.stringify(readTextFile('-', 1000)));`;
    const run = (shell: string): unknown =>
      JSON.parse(
        execFileSync('/bin/sh', ['-c', shell, 'sh', process.execPath, '--input-type=module', '-e', program], {
          cwd: join(import.meta.dirname, '../..'),
        }).toString(),
      );
    expect(run('(printf one; sleep 0.3; printf two) | "$@"')).toEqual({ kind: 'text', text: 'onetwo' });
    expect(run('"$@" </dev/null')).toEqual({ kind: 'text', text: '' });
  }, 30_000);
});
