import { describe, expect, test } from 'vitest';
import { checkLimits, checkLinks, checkRules, rulesOf, titlesOf } from '#scripts/tidy/documents.ts';
import { checkLockfile, checkTraces } from '#scripts/tidy/traces.ts';

const tree = (files: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(files));
const nothing = (): boolean => false;

describe('links', () => {
  test('a link to a missing file is reported with its line', () => {
    expect(checkLinks(tree({ 'docs/A.md': 'one\n[b](B.md)' }), nothing).problems).toEqual(['docs/A.md:2: the link B.md leads to no file']);
  });

  test('a link to a missing heading is reported', () => {
    expect(checkLinks(tree({ 'docs/A.md': '[b](B.md#third)', 'docs/B.md': '# First\n' }), nothing).problems).toEqual([
      'docs/A.md:1: docs/B.md has no heading #third',
    ]);
  });

  test('links to files, folders, headings and the web are fine, and code is not prose', () => {
    const files = tree({
      'docs/A.md': '[b](../docs/B.md#the-first-one) [c](../images/) [w](https://example.org) `[x](y.md)`\n```\n[z](z.md)\n```\n',
      'docs/B.md': '# The first one\n',
    });
    expect(checkLinks(files, (path) => path === 'images')).toEqual({ looked: 2, problems: [] });
  });
});

describe('protocol rules', () => {
  const page = '# Wire\n\n- **W-1** frames have a header\n| W-2 | a table row |\n3. W-3: a list\n\nThis mentions X-9 in the middle.\n';

  test('rules are found where they are defined, not where they are mentioned', () => {
    expect([...rulesOf(page)]).toEqual(['W-1', 'W-2', 'W-3']);
  });

  test('a rule that no test names is reported', () => {
    const files = tree({ 'docs/protocols/wire.md': page, 'mesh/wire/frame.test.ts': "test('a header is 24 bytes (W-1, W-2)')" });
    expect(checkRules(files).problems).toEqual(['docs/protocols/wire.md: no test names the rule W-3; put it in the name of the test that proves it']);
  });

  test('a vector names a rule only where a test reads it', () => {
    const vectors = { 'docs/protocols/wire.md': page, 'test/vectors/wire/frames.json': '[{ "rule": "W-1" }, { "rule": "W-2" }, { "rule": "W-3" }]' };
    expect(checkRules(tree({ ...vectors, 'mesh/wire/frame.test.ts': "import frames from '#test/vectors/wire/frames.json'" })).problems).toEqual([]);
    expect(checkRules(tree({ ...vectors, 'mesh/wire/frame.test.ts': '' })).problems).toHaveLength(3);
  });

  test('a longer number does not stand for a shorter one, and a mention outside a title for nothing', () => {
    const about = (text: string): number => checkRules(tree({ 'docs/protocols/wire.md': '- W-1 x\n- W-12 y', 'a/b.test.ts': text })).problems.length;
    expect(about("test('W-1: x')\ndescribe('W-12: y')")).toBe(0);
    expect(about("test('W-12: y')")).toBe(1);
    expect(about("// W-1 W-12\nconst rule = 'W-1';")).toBe(2);
  });

  test('titles are found behind each, skipIf and in every kind of quotes', () => {
    const text =
      "test('a')\nit.each([['x (y)', f(g(1))]])(\"b\")\ndescribe.skipIf(a(b()))(`c ${d}`)\ntest.each(cases.map((one) => [one, two(one)]))('e')\nexpect('f')";
    expect(titlesOf(text)).toEqual(['a', 'b', 'c ${d}', 'e']);
  });

  test('a rule of no page, and one of two pages, are reported', () => {
    const files = { 'docs/protocols/wire.md': '- W-1 x', 'docs/protocols/more.md': '- W-1 again', 'a/b.test.ts': "test('W-1: x')\ntest('W-2, B-1: y')" };
    expect(checkRules(tree(files)).problems).toEqual([
      'docs/protocols/more.md: W-1 is a rule of docs/protocols/wire.md already; give it a number of its own',
      'a/b.test.ts: it names the rule W-2, which no page in docs/protocols has',
    ]);
  });
});

describe('limits', () => {
  test('a limit that the page does not name is reported', () => {
    const files = tree({ 'mesh/wire/limits.ts': 'export const framesMax = 1;\nexport const bytesMax = 2;', 'docs/LIMITS.md': '| framesMax | 1 |' });
    expect(checkLimits(files)).toEqual({
      looked: 1,
      problems: ['mesh/wire/limits.ts: bytesMax is not in docs/LIMITS.md; say what it limits and what happens there'],
    });
  });
});

describe('traces', () => {
  test.each([
    ['a registry host', ['https://registry', '.npm', 'js.org/x'].join('')],
    ['a path of one machine', ['/wo', 'rk/main/core'].join('')],
    ['a path of one machine', ['/home/', 'alice/robonet'].join('')],
    ['a mark of a merge', `${'<'.repeat(7)} HEAD`],
  ])('%s is reported', (name, text) => {
    expect(checkTraces(tree({ 'README.md': text })).problems[0]).toContain(`README.md:1: ${name}`);
  });

  test('ordinary text is fine', () => {
    expect(checkTraces(tree({ 'README.md': 'npm start, /var/lib/robonet, /home/pi/x' })).problems).toEqual([]);
  });
});

describe('the lockfile', () => {
  const lock = (root: object, entry: object): ReadonlyMap<string, string> =>
    tree({ 'package-lock.json': JSON.stringify({ packages: { '': root, 'node_modules/x': entry } }, undefined, 1) });

  test('exact versions with hashes are fine', () => {
    expect(checkLockfile(lock({ dependencies: { x: '1.2.3' } }, { version: '1.2.3', integrity: 'sha512-x' }))).toEqual({ looked: 2, problems: [] });
  });

  test('a host, a missing hash and a range are each reported', () => {
    const { problems } = checkLockfile(lock({ dependencies: { x: '^1.2.3' } }, { version: '1.2.3', resolved: 'https://host.example/x.tgz' }));
    expect(problems).toHaveLength(3);
  });

  test('a missing lockfile is reported', () => {
    expect(checkLockfile(tree({})).problems).toHaveLength(1);
  });
});
