/**
 * Words that must not occur in code, by folder, each with what to write instead. Comments and strings are not looked at, except where a rule says so.
 */
import { codeOnly, lineAt } from '#scripts/tidy/code-text.ts';
import { importsOf } from '#scripts/tidy/imports.ts';
import { type Finding, type SourceTree, isTest, look, typescriptOf } from '#scripts/tidy/source-tree.ts';

/** A construct that is not used here. */
export interface BannedWord {
  readonly name: string;
  readonly pattern: RegExp;
  readonly instead: string;
  /** Look at comments too. */
  readonly inComments?: boolean;
  /** Tests may use it. */
  readonly allowedInTests?: boolean;
}

/** Folders whose code decides and does nothing else. */
export const pureFolder = /^(core\/(?!node\/)|mesh\/(wire|channel|hcth|trust|admission|approvals|consensus|membership|session|swarm)\/)/;

/** What deciding code must not contain. */
export const impureWords: readonly BannedWord[] = [
  { name: 'async', pattern: /\basync\b/g, instead: 'return an effect; the driver waits for it' },
  { name: 'await', pattern: /\bawait\b/g, instead: 'return an effect; the driver waits for it' },
  { name: 'Promise', pattern: /\bPromise\b/g, instead: 'return an effect; the driver waits for it' },
  { name: 'new Date', pattern: /\bnew\s+Date\b/g, instead: 'time is the argument `now`' },
  { name: 'Date.now', pattern: /\bDate\s*\.\s*now\b/g, instead: 'time is the argument `now`' },
  { name: 'Math.random', pattern: /\bMath\s*\.\s*random\b/g, instead: 'take randomness as an argument (core/random), forked by label' },
  { name: 'top-level let', pattern: /^(?:export\s+)?(?:let|var)\b/gm, instead: 'state belongs to a machine, not to a module' },
];

/** What no code of ours contains. */
export const bannedWords: readonly BannedWord[] = [
  { name: 'any', pattern: /(?<![.\w$])any(?![\w$(:.?])/g, instead: 'use `unknown` and parse it' },
  { name: 'default export', pattern: /\bexport\s+default\b/g, instead: 'export by name' },
  { name: 'enum', pattern: /(?:^|[\s;])(?:const\s+)?enum\s+[A-Za-z_$]/g, instead: 'use a union of string literals' },
  { name: 'namespace', pattern: /(?:^|[\s;])namespace\s+[A-Za-z_$]/g, instead: 'a file is the namespace' },
  { name: 'non-null !', pattern: /[\w$)\]]!(?=[.,;)\]}[\s:?]|$)(?!=)/gm, instead: 'handle the missing case, or assert it with a reason', allowedInTests: true },
  { name: 'barrel', pattern: /\bexport\s+(?:type\s+)?(?:\*|\{[^}]*\})\s*(?:as\s+\w+\s+)?from\b/g, instead: 'import the file that defines the thing' },
  {
    name: 'note for later',
    pattern: new RegExp(`\\b${'TO'}${'DO'}(?!\\(#\\d+\\))|\\b${'FIX'}${'ME'}\\b`, 'g'),
    instead: 'do it, or write an issue',
    inComments: true,
  },
  { name: 'empty catch', pattern: /\bcatch\s*(?:\([^)]*\))?\s*\{\s*\}/g, instead: 'name the fault you expect and rethrow the rest', inComments: true },
];

/** Every impure word and every `node:` import in deciding code. */
export function checkPurity(tree: SourceTree): Finding {
  const pure = new Map([...typescriptOf(tree)].filter(([path]) => pureFolder.test(path) && !isTest(path)));
  return look(pure, (path, text) => [
    ...occurrences(path, text, impureWords),
    ...importsOf(path, text)
      .filter(({ specifier }) => specifier.startsWith('node:'))
      .map(({ specifier }) => `${path}: imports ${specifier}; deciding code does no I/O, adapters live in core/node, mesh/driver and mesh/transport`),
  ]);
}

/** Every banned construct anywhere in our TypeScript. The runner's configuration must have a default export; nothing else may. */
export function checkConstructs(tree: SourceTree): Finding {
  const sources = new Map([...typescriptOf(tree)].filter(([path]) => path !== 'vitest.config.ts'));
  return look(sources, (path, text) => occurrences(path, text, isTest(path) ? bannedWords.filter((word) => word.allowedInTests !== true) : bannedWords));
}

/** Every source that does not open with a comment saying what it is. */
export function checkHeaders(tree: SourceTree): Finding {
  const sources = new Map([...typescriptOf(tree)].filter(([path]) => !isTest(path) && path.includes('/')));
  return look(sources, (path, text) =>
    /^(#!.*\n)?\/\*\*/.test(text) ? [] : [`${path}:1: no header comment; say what this is, why it exists and what it must never do`],
  );
}

function occurrences(path: string, text: string, words: readonly BannedWord[]): readonly string[] {
  const code = codeOnly(text);
  return words.flatMap((word) => {
    const searched = word.inComments === true ? text : code;
    return [...searched.matchAll(word.pattern)].map((match) => `${path}:${lineAt(text, match.index)}: ${word.name}; ${word.instead}`);
  });
}
