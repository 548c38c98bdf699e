import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bundle, packagesOf } from '#scripts/executable/bundle.ts';
import { checkFormat } from '#scripts/executable/laptop.ts';
import { checkIntegrity } from '#scripts/executable/node-base.ts';
import { seaSettings } from '#scripts/executable/single-executable.ts';
import { inputKey } from '#scripts/executable/stamp.ts';

const root = join(import.meta.dirname, '..', '..');

describe('what goes into an executable', () => {
  test('takes no options from the environment and opens no debugger', () => {
    const settings = seaSettings({ text: '', assets: new Map([['a.gz', '/x/a.gz']]), heapMebibytesMax: 96 });
    expect(settings).toMatchObject({
      execArgvExtension: 'none',
      execArgv: ['--disable-sigusr1', '--no-concurrent-array-buffer-sweeping', '--max-old-space-size=96', '--expose-gc'],
      assets: { 'a.gz': '/x/a.gz' },
    });
  });

  test('a base with another hash than the pinned one is refused', () => {
    expect(() => {
      checkIntegrity(Buffer.from('x'), 'sha512-other', 'node');
    }).toThrow('package-lock.json pins sha512-other');
  });

  test('the build id depends on the text and is part of it', async () => {
    const first = await bundle(root, 'core/node/build-identity.ts');
    expect(first.build).toMatch(/^[0-9a-f]{12}$/);
    expect(first.text).toContain(first.build);
    expect(first.text).toContain(first.version);
    expect(await bundle(root, 'core/node/build-identity.ts')).toEqual(first);
    expect((await bundle(root, 'core/node/embedded-asset.ts')).build).not.toBe(first.build);
  });

  test('packages are named once, scoped ones whole', () => {
    expect(packagesOf(['a/x.ts', 'node_modules/b/x.js', 'node_modules/b/y.js', 'node_modules/@s/c/x.js'])).toEqual(['node_modules/@s/c', 'node_modules/b']);
  });

  test('a changed input changes the key, the order of inputs does not', () => {
    expect(inputKey({ a: '1', b: '2' })).toBe(inputKey({ b: '2', a: '1' }));
    expect(inputKey({ a: '1', b: '2' })).not.toBe(inputKey({ a: '12', b: '' }));
  });
});

describe('builds for laptops', () => {
  test('a file of another system is refused', () => {
    expect(() => {
      checkFormat(Buffer.from('\x7fELF'), 'node24.21.0-win-x64', 'provision.exe');
    }).toThrow('provision.exe is not a PE file');
    checkFormat(Buffer.from('MZ..'), 'node24.21.0-win-x64', 'provision.exe');
    checkFormat(Buffer.from([0xcf, 0xfa, 0xed, 0xfe]), 'node26.10.0-macos-arm64', 'provision');
  });

  test('every target of the pkg section is pinned by name, version and hash', () => {
    const { pkg } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { pkg: { targets: string[] } };
    const bases = JSON.parse(readFileSync(join(import.meta.dirname, 'laptop-bases.json'), 'utf8')) as Record<
      string,
      { base: { version: string; integrity: string } }
    >;
    expect(pkg.targets.length).toBeGreaterThan(0);
    for (const target of pkg.targets) {
      expect(bases[target]?.base.integrity).toMatch(/^sha512-/);
      expect(target).toContain(`node${bases[target]?.base.version ?? '?'}-`);
    }
  });
});

describe('what is left out of a bundle', () => {
  const entry = (name: string): string => join(import.meta.dirname, 'fixtures', name);

  test('English texts of zod stay, other languages go', async () => {
    const { text } = await bundle(root, entry('zod-user.ts'));
    expect(text).toContain('Invalid input: expected');
    expect(text).not.toMatch(/ung\u00fcltig|Ung\u00fcltige Eingabe/);
  });

  test('systeminformation keeps the two functions that are called and nothing that talks to the network', async () => {
    const { text } = await bundle(root, entry('systeminformation-user.ts'));
    expect(text).toContain('/sys/devices/virtual/dmi/id');
    expect(text).not.toMatch(/iwconfig|docker\.sock/);
    expect(text.length).toBeLessThan(200_000);
  });
});
