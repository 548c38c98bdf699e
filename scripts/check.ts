/**
 * `npm run check`: types, pure types, lint, format and dead code, in seconds, before every commit. `--fix` formats first.
 */
import { resolve } from 'node:path';
import { runCheck, runChecks } from '#scripts/quality/checks.ts';

const root = resolve(import.meta.dirname, '..');

if (process.argv.includes('--fix')) {
  const fix = { name: 'formatting', tool: 'prettier/bin/prettier.cjs', words: ['--write', '--log-level', 'warn', '.'], hint: '' };
  process.stdout.write((await runCheck(root, fix)).output);
}
const results = await runChecks(root, (text) => process.stdout.write(text));
const failed = results.filter((result) => !result.ok).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed, 0 skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
