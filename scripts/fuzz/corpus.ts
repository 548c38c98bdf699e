/**
 * The corpus: for each target one JSON file of small inputs that, together, reach everything the fuzzer ever reached, and
 * every input that once broke something, with its story. It is replayed by the unit tests.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex } from '#core/bytes/bytes.ts';

/** One kept input. */
export interface CorpusEntry {
  readonly input: Uint8Array;
  /** What it once broke; null for one that is kept for the branches it reaches. */
  readonly story: string | null;
}

const FOLDER = join(import.meta.dirname, '..', '..', 'test', 'fuzz', 'corpus');

/** The entries of a target, oldest first; none where it has no file yet. */
export function readCorpus(target: string): readonly CorpusEntry[] {
  const path = pathOf(target);
  if (!existsSync(path)) return [];
  const stored: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const entries: readonly unknown[] = typeof stored === 'object' && stored !== null && 'inputs' in stored && Array.isArray(stored.inputs) ? stored.inputs : [];
  return entries.map((entry) => {
    const input = typeof entry === 'object' && entry !== null && 'hex' in entry && typeof entry.hex === 'string' ? fromHex(entry.hex) : undefined;
    if (input === undefined) throw new TypeError(`${path} holds an input that is not hexadecimal`);
    return { input, story: typeof entry === 'object' && entry !== null && 'story' in entry ? String(entry.story) : null };
  });
}

/** Write the entries of a target, one a line, so that a change reads well. */
export function writeCorpus(target: string, entries: readonly CorpusEntry[]): void {
  const lines = entries.map(({ input, story }) => `    ${JSON.stringify(story === null ? { hex: hex(input) } : { hex: hex(input), story })}`);
  writeFileSync(pathOf(target), `{\n  "target": ${JSON.stringify(target)},\n  "inputs": [\n${lines.join(',\n')}\n  ]\n}\n`);
}

function pathOf(target: string): string {
  return join(FOLDER, `${target}.json`);
}
