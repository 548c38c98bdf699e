/**
 * The repository as the tidy checks see it: a map from path to text. Checks are functions over this map, so that each can be shown a small broken
 * tree and be seen to fail.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Path relative to the repository, with forward slashes → text. */
export type SourceTree = ReadonlyMap<string, string>;

/** What a check found; it also says how much it looked at, since a check that looked at nothing proves nothing. */
export interface Finding {
  readonly looked: number;
  /** One line each: where, what, and what to do instead. */
  readonly problems: readonly string[];
}

const skippedFolders: ReadonlySet<string> = new Set(['node_modules', 'dist', 'build', 'coverage', '.git', '.cache']);
const textEndings = /(\.(ts|mts|mjs|js|json|md|yaml|yml|txt|sh|service|mk)|(^|\/)(\.npmrc|\.gitignore|\.prettierignore|Dockerfile[^/]*|run|LICENSE))$/;

/** Read every text file below `root`. */
export function readTree(root: string): SourceTree {
  const tree = new Map<string, string>();
  const visit = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isDirectory()) {
        if (!skippedFolders.has(entry.name)) visit(path);
      } else if (entry.isFile() && textEndings.test(path)) {
        tree.set(path, readFileSync(join(root, path), 'utf8'));
      }
    }
  };
  visit('');
  return tree;
}

/** The TypeScript sources of a tree, tests included. */
export function typescriptOf(tree: SourceTree): SourceTree {
  return new Map([...tree].filter(([path]) => path.endsWith('.ts') && !path.endsWith('.d.ts')));
}

/** A test, or something that exists only for tests. */
export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/');
}

/** Run one question over each file and collect what it answers. */
export function look(files: SourceTree, question: (path: string, text: string) => readonly string[]): Finding {
  return { looked: files.size, problems: [...files].flatMap(([path, text]) => question(path, text)) };
}
