import { describe, expect, test } from 'vitest';
import { checkCycles } from '#scripts/tidy/cycles.ts';
import { checkFloors } from '#scripts/tidy/floors.ts';
import { importsOf } from '#scripts/tidy/imports.ts';

const tree = (files: Record<string, string>): ReadonlyMap<string, string> => new Map(Object.entries(files));

describe('floors', () => {
  test('an import that goes down is fine', () => {
    expect(checkFloors(tree({ 'mesh/wire/frame.ts': "import { x } from '#core/bytes/bytes.ts';" }))).toEqual({ looked: 1, problems: [] });
  });

  test('an import that goes up is reported with what is allowed', () => {
    const { problems } = checkFloors(tree({ 'core/bytes/bytes.ts': "import { x } from '#mesh/wire/frame.ts';" }));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('core/bytes/bytes.ts → mesh/wire/frame.ts: core/bytes may import only core/bytes');
  });

  test.each([
    ['sideways between machines', 'mesh/trust/score.ts', '#mesh/membership/machine.ts'],
    ['a relative path out of the folder', 'mesh/trust/score.ts', '../membership/machine.ts'],
    ['from a machine to an adapter', 'mesh/hcth/machine.ts', '#core/node/crypto.ts'],
    ['from the provisioner to the agent', 'provisioner/plan.ts', '#agent/main.ts'],
    ['from the transport to the wire', 'mesh/transport/tcp.ts', '#mesh/wire/frame.ts'],
  ])('an import %s is reported', (_, path, specifier) => {
    expect(checkFloors(tree({ [path]: `import { x } from '${specifier}';` })).problems).toHaveLength(1);
  });

  test('a type-only import counts', () => {
    expect(checkFloors(tree({ 'core/time/time.ts': "import type { X } from '#agent/x.ts';" })).problems).toHaveLength(1);
  });

  test('a re-export and a dynamic import count', () => {
    expect(checkFloors(tree({ 'core/time/time.ts': "export { x } from '#agent/x.ts';\nconst y = import('#agent/y.ts');" })).problems).toHaveLength(2);
  });

  test('a folder on no floor is reported', () => {
    expect(checkFloors(tree({ 'attic/x.ts': 'export const x = 1;' })).problems[0]).toContain('on no floor');
  });

  test('a unit test may import what it needs', () => {
    expect(checkFloors(tree({ 'core/time/time.test.ts': "import { x } from '#agent/x.ts';" }))).toEqual({ looked: 0, problems: [] });
  });
});

describe('cycles', () => {
  test('a chain without a cycle is fine', () => {
    expect(checkCycles(tree({ 'core/a.ts': "import { b } from './b.ts';", 'core/b.ts': 'export const b = 1;' }))).toEqual({ looked: 2, problems: [] });
  });

  test('a cycle is reported as the way around', () => {
    const { problems } = checkCycles(
      tree({ 'core/a.ts': "import { b } from './b.ts';", 'core/b.ts': "import { c } from '#core/c.ts';", 'core/c.ts': "import { a } from './a.ts';" }),
    );
    expect(problems).toEqual(['import cycle: core/a.ts → core/b.ts → core/c.ts → core/a.ts; move what both need into a file below them']);
  });

  test('a cycle of types alone is reported', () => {
    expect(checkCycles(tree({ 'core/a.ts': "import type { B } from './b.ts';", 'core/b.ts': "import type { A } from './a.ts';" })).problems).toHaveLength(1);
  });
});

describe('imports', () => {
  test('words in comments and strings are no imports', () => {
    expect(importsOf('core/a.ts', "// import { x } from './x.ts'\nconst text = \"import { y } from './y.ts'\";\n")).toEqual([]);
  });

  test('an import over several lines is found', () => {
    expect(importsOf('core/a/a.ts', "import {\n  x,\n  type Y,\n} from '../b/b.ts';\n")).toEqual([{ specifier: '../b/b.ts', target: 'core/b/b.ts' }]);
  });
});
