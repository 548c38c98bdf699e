/**
 * The static checks, each a program with arguments: what `npm run check` runs before a commit and `npm test` runs first.
 */
import { spawn } from 'node:child_process';
import { delimiter, dirname, join } from 'node:path';

/** One check: a tool from node_modules and its arguments. */
export interface Check {
  readonly name: string;
  readonly tool: string;
  readonly words: readonly string[];
  /** What to do when it fails. */
  readonly hint: string;
}

/** All static checks. */
export const checks: readonly Check[] = [
  { name: 'types', tool: 'typescript/bin/tsc', words: ['-p', 'tsconfig.json'], hint: 'types do not fit' },
  {
    name: 'pure types',
    tool: 'typescript/bin/tsc',
    words: ['-p', 'tsconfig.pure.json'],
    hint: 'a pure folder uses a clock, a timer, the console or another global of the host; take it as an input or return it as an output',
  },
  { name: 'lint', tool: 'oxlint/bin/oxlint', words: ['--type-aware', '--deny-warnings'], hint: 'the messages say what to do instead' },
  { name: 'format', tool: 'prettier/bin/prettier.cjs', words: ['--check', '--log-level', 'warn', '.'], hint: 'run: npm run check -- --fix' },
  { name: 'dead code', tool: 'knip/bin/knip.js', words: ['--no-progress'], hint: 'remove what nothing uses, or stop exporting it' },
];

/** How a check ended. */
export interface CheckResult {
  readonly check: Check;
  readonly ok: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Run one check under this process's own Node; the tools' own `#!` lines would find the machine's. */
export async function runCheck(root: string, check: Check): Promise<CheckResult> {
  const startedAt = performance.now();
  const path = `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}`;
  const child = spawn(process.execPath, [join(root, 'node_modules', check.tool), ...check.words], {
    cwd: root,
    env: { ...process.env, PATH: path, FORCE_COLOR: '0' },
  });
  const parts: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => parts.push(text));
  const ok = await new Promise<boolean>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      resolve(code === 0);
    });
  });
  return { check, ok, output: parts.join(''), seconds: (performance.now() - startedAt) / 1000 };
}

/** Run all checks, two at a time, and report each as it ends. */
export async function runChecks(root: string, write: (text: string) => void): Promise<readonly CheckResult[]> {
  const waiting = [...checks];
  const results: CheckResult[] = [];
  const worker = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      const result = await runCheck(root, check);
      results.push(result);
      write(`  ${result.ok ? 'passed' : 'FAILED'}  ${check.name} (${result.seconds.toFixed(1)} s)\n`);
      if (!result.ok) write(`${result.output.trimEnd()}\n  ${check.name}: ${check.hint}\n`);
    }
  };
  await Promise.all([worker(), worker()]);
  return results;
}
