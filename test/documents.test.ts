/**
 * The generated documents are the ones that the sources give: `node scripts/documents.ts` writes them.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { errorsPage } from '#scripts/documents/errors-page.ts';
import { jsonPage } from '#scripts/documents/json-page.ts';
import { limitsOf, withLimitsTable } from '#scripts/documents/limits-table.ts';
import { readTree } from '#scripts/tidy/source-tree.ts';

const root = resolve(import.meta.dirname, '..');
const tree = readTree(root);

test('docs/ERRORS.md is current', () => {
  expect(readFileSync(join(root, 'docs', 'ERRORS.md'), 'utf8')).toBe(errorsPage());
});

test('docs/JSON.md is current', () => {
  expect(readFileSync(join(root, 'docs', 'JSON.md'), 'utf8')).toBe(jsonPage());
});

test('the table in docs/LIMITS.md is current', () => {
  const page = tree.get('docs/LIMITS.md') ?? '';
  expect(page).toBe(withLimitsTable(page, limitsOf(tree)));
});

test('every limit says what it bounds', () => {
  const limits = limitsOf(tree);
  expect(limits.length).toBeGreaterThan(30);
  expect(limits.filter(({ meaning }) => meaning === '').map(({ folder, name }) => `${folder}: ${name}`)).toEqual([]);
});
