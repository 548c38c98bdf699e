/**
 * Tests of built executables without executables would each wait in vain: say once what is missing.
 */
import { existsSync } from 'node:fs';
import { agent, provision } from '#test/bin/executables.ts';

/** Called by vitest before the project `bin`. */
export function setup(): void {
  const missing = [agent, provision].filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`${missing.join(' and ')} do not exist; run: npm run build`);
}
