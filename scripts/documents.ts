/**
 * `node scripts/documents.ts` writes the generated documents: docs/ERRORS.md, docs/JSON.md, and the table inside docs/LIMITS.md. A test compares them with the sources.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { errorsPage } from '#scripts/documents/errors-page.ts';
import { jsonPage } from '#scripts/documents/json-page.ts';
import { limitsOf, withLimitsTable } from '#scripts/documents/limits-table.ts';
import { readTree } from '#scripts/tidy/source-tree.ts';

const docs = join(resolve(import.meta.dirname, '..'), 'docs');

writeFileSync(join(docs, 'ERRORS.md'), errorsPage());
writeFileSync(join(docs, 'JSON.md'), jsonPage());
const limitsPath = join(docs, 'LIMITS.md');
if (existsSync(limitsPath)) writeFileSync(limitsPath, withLimitsTable(readFileSync(limitsPath, 'utf8'), limitsOf(readTree(resolve(docs, '..')))));
else process.stderr.write('docs/LIMITS.md does not exist; only the others were written\n');
