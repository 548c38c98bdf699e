/**
 * The house rules, checked on the repository as it is. That each check can fail is shown in scripts/tidy/*.test.ts.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkCycles } from '#scripts/tidy/cycles.ts';
import { checkLimits, checkLinks, checkRules } from '#scripts/tidy/documents.ts';
import { checkFloors } from '#scripts/tidy/floors.ts';
import { type Finding, readTree } from '#scripts/tidy/source-tree.ts';
import { checkLockfile, checkTraces } from '#scripts/tidy/traces.ts';
import { checkConstructs, checkHeaders, checkPurity } from '#scripts/tidy/words.ts';

const root = resolve(import.meta.dirname, '..');
const tree = readTree(root);

function expectTidy(finding: Finding, lookedMin: number): void {
  expect(finding.looked).toBeGreaterThanOrEqual(lookedMin);
  expect(finding.problems.join('\n')).toBe('');
}

describe('the repository keeps its own rules', () => {
  test('imports only go down the floors', () => {
    expectTidy(checkFloors(tree), 60);
  });
  test('there is no import cycle, type-only imports included', () => {
    expectTidy(checkCycles(tree), 60);
  });
  test('deciding code has no clock, no randomness, no promise, no module state and no node: import', () => {
    expectTidy(checkPurity(tree), 40);
  });
  test('no banned construct occurs', () => {
    expectTidy(checkConstructs(tree), 100);
  });
  test('every source opens with a comment that says what it is', () => {
    expectTidy(checkHeaders(tree), 60);
  });
  test('links in documents lead somewhere', () => {
    expectTidy(
      checkLinks(tree, (path) => existsSync(join(root, path))),
      5,
    );
  });
  test('every numbered rule of a protocol is named by a test', () => {
    expectTidy(checkRules(tree), 3);
  });
  test('every named limit is in docs/LIMITS.md', () => {
    expectTidy(checkLimits(tree), 3);
  });
  test('no registry host and no machine path is in the repository', () => {
    expectTidy(checkTraces(tree), 100);
  });
  test('the lockfile names no host and pins every package', () => {
    expectTidy(checkLockfile(tree), 100);
  });
});
