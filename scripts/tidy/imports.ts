/**
 * Which file imports which: every static, type-only and dynamic import of a TypeScript text, resolved to a path of the tree.
 */
import { type SourceTree } from '#scripts/tidy/source-tree.ts';
import { codeOnly } from '#scripts/tidy/code-text.ts';

/** One import as written and, for a file of ours, where it leads. */
export interface ImportLink {
  readonly specifier: string;
  /** A path of the tree; undefined for packages and `node:` modules. */
  readonly target: string | undefined;
}

// The specifier is a string, which the scanner blanks: the keywords are found in the code, the specifier is read from the text.
const keyword = /\b(?:from|import)\s*\(?\s*(?=\s)/g;
const quoted = /^(?:from|import)\s*\(?\s*(['"])([^'"\n]+)\1/;

/** The imports of a file, in order. */
export function importsOf(path: string, text: string): readonly ImportLink[] {
  const code = codeOnly(text);
  const links: ImportLink[] = [];
  for (const match of code.matchAll(keyword)) {
    const specifier = quoted.exec(text.slice(match.index))?.[2];
    if (specifier !== undefined) links.push({ specifier, target: resolved(path, specifier) });
  }
  return links;
}

/** Every file's links to other files of ours that exist in the tree. */
export function importGraph(files: SourceTree): ReadonlyMap<string, readonly string[]> {
  return new Map(
    [...files].map(([path, text]) => [path, importsOf(path, text).flatMap(({ target }) => (target !== undefined && files.has(target) ? [target] : []))]),
  );
}

function resolved(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('#')) return specifier.slice(1);
  if (!specifier.startsWith('.')) return undefined;
  const parts = from.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}
