import { describe, expect, test } from 'vitest';
import { codeOnly } from '#scripts/tidy/code-text.ts';
import { checkConstructs, checkHeaders, checkPurity } from '#scripts/tidy/words.ts';

const tree = (files: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(files));
const later = ['TO', 'DO'].join('');
const broken = ['FIX', 'ME'].join('');

describe('purity', () => {
  test.each([
    ['async', 'export const f = async () => 1;'],
    ['await', 'const x = await y;'],
    ['Promise', 'export function f(): Promise<void> { return g(); }'],
    ['new Date', 'const x = new Date(0);'],
    ['Date.now', 'const x = Date.now();'],
    ['Math.random', 'const x = Math.random();'],
    ['top-level let', 'let count = 0;'],
    ['top-level let', 'export var count = 0;'],
  ])('%s in a pure folder is reported', (name, text) => {
    expect(checkPurity(tree({ 'mesh/trust/score.ts': text })).problems[0]).toContain(`mesh/trust/score.ts:1: ${name}`);
  });

  test('a node: import in a pure folder is reported', () => {
    expect(checkPurity(tree({ 'core/time/time.ts': "import { join } from 'node:path';" })).problems).toHaveLength(1);
  });

  test('comments, strings, local variables and shells are left alone', () => {
    const files = tree({
      'mesh/trust/score.ts': "// await Date.now\nexport const text = 'await Promise';\nexport function f() {\n  let x = 1;\n  return x;\n}",
      'core/node/clock.ts': 'export const now = async () => Date.now();',
      'mesh/trust/score.test.ts': 'const x = await Promise.resolve(Date.now());',
    });
    expect(checkPurity(files)).toEqual({ looked: 1, problems: [] });
  });
});

describe('banned constructs', () => {
  test.each([
    ['any', 'export const x: any = 1;'],
    ['any', 'export const x = y as any;'],
    ['any', 'export const x: Map<string, any> = y;'],
    ['default export', 'export default 1;'],
    ['enum', 'export enum X { a }'],
    ['enum', 'const enum X { a }'],
    ['namespace', 'namespace X {}'],
    ['non-null !', 'const x = y!.z;'],
    ['non-null !', 'const x = f(y[0]!);'],
    ['barrel', "export * from './x.ts';"],
    ['barrel', "export { x } from './x.ts';"],
    ['barrel', "export type { X } from './x.ts';"],
    ['note for later', `// ${later}: later`],
    ['note for later', `// ${broken}`],
    ['empty catch', `try { f(); } ${'catch'} {}`],
    ['empty catch', `try { f(); } ${'catch'} (error) { }`],
  ])('%s is reported: %s', (name, text) => {
    expect(checkConstructs(tree({ 'agent/x.ts': text })).problems[0]).toContain(`agent/x.ts:1: ${name}`);
  });

  test.each([
    'const x = a !== b && !c;',
    'const any = Promise.any([]);'.replace('const any', 'const first'),
    'if (!x) return;\nreturn !y;',
    'const text = `any ${f(`enum X {`)} default`;',
    'const pattern = /any!;/;',
    `// ${later}(#12): waits for the issue`,
    'const half = total / 2; // any / enum',
  ])('%s is fine', (text) => {
    expect(checkConstructs(tree({ 'agent/x.ts': text }))).toEqual({ looked: 1, problems: [] });
  });

  test('a test may use the non-null !', () => {
    expect(checkConstructs(tree({ 'agent/x.test.ts': 'const x = y!;' })).problems).toEqual([]);
  });
});

describe('headers', () => {
  test('a source without a header comment is reported', () => {
    expect(checkHeaders(tree({ 'agent/x.ts': 'export const x = 1;' })).problems).toHaveLength(1);
  });

  test('a source with one is fine', () => {
    expect(checkHeaders(tree({ 'agent/x.ts': '/** What this is. */\nexport const x = 1;' }))).toEqual({ looked: 1, problems: [] });
  });
});

describe('code without comments and strings', () => {
  test('keeps the length, the lines and the code', () => {
    const text = "const a = 'x'; // note\n/* block\n   more */ const b = `t ${a + '}'} u`;\n";
    const code = codeOnly(text);
    expect(code).toHaveLength(text.length);
    expect(code.split('\n')).toHaveLength(4);
    expect(code).not.toMatch(/note|block|more|x| t /);
    expect(code).toMatch(/const b = .*a \+/);
  });
});
