/**
 * The documents keep their word: links lead somewhere, every numbered rule of a protocol is named by a test, and every named limit is in docs/LIMITS.md.
 */
import { lineAt } from '#scripts/tidy/code-text.ts';
import { type Finding, type SourceTree, isTest, look } from '#scripts/tidy/source-tree.ts';

/** Every relative link of a Markdown file that leads to no file; `exists` answers for files that are not text. */
export function checkLinks(tree: SourceTree, exists: (path: string) => boolean): Finding {
  const documents = new Map([...tree].filter(([path]) => path.endsWith('.md')));
  return look(documents, (path, text) => {
    const prose = text.replace(/```[\s\S]*?```/g, (block) => block.replace(/[^\n]/g, ' ')).replace(/`[^`\n]*`/g, (span) => ' '.repeat(span.length));
    return [...prose.matchAll(/\]\(([^)\s]+)\)/g)].flatMap((match) => {
      const link = match[1] ?? '';
      if (/^(https?:|mailto:)/.test(link)) return [];
      const [file = '', anchor] = link.split('#');
      const target = file === '' ? path : joined(path, file);
      if (!tree.has(target) && !exists(target)) return [`${path}:${lineAt(text, match.index)}: the link ${link} leads to no file`];
      const linked = tree.get(target);
      if (anchor === undefined || linked === undefined || !target.endsWith('.md') || anchorsOf(linked).has(anchor)) return [];
      return [`${path}:${lineAt(text, match.index)}: ${target} has no heading #${anchor}`];
    });
  });
}

/**
 * Every rule, such as `E-7`, that a page in docs/protocols numbers and neither the title of a test nor a vector that a test reads names; every rule
 * that two pages number; and every rule that a title names and no page numbers. A mention in a comment proves nothing.
 */
export function checkRules(tree: SourceTree): Finding {
  const written = [...tree].filter(([path]) => isTest(path) && path.endsWith('.test.ts'));
  const vectors = [...tree]
    .filter(([path]) => path.startsWith('test/vectors/') && path.endsWith('.json') && written.some(([, text]) => text.includes(path)))
    .flatMap(([path, text]) => [...text.matchAll(/"rule":\s*"([^"]+)"/g)].map((match) => [path, match[1] ?? ''] as const));
  const titles = [...written.flatMap(([path, text]) => titlesOf(text).map((title) => [path, title] as const)), ...vectors];
  const named = titles.map(([, title]) => title).join('\n');
  const pages = new Map([...tree].filter(([path]) => path.startsWith('docs/protocols/') && path.endsWith('.md')));
  const home = new Map<string, string>();
  const finding = look(pages, (path, text) =>
    [...rulesOf(text)].flatMap((rule) => {
      const other = home.get(rule);
      home.set(rule, path);
      return [
        ...(other === undefined ? [] : [`${path}: ${rule} is a rule of ${other} already; give it a number of its own`]),
        ...(new RegExp(`\\b${rule}\\b(?!\\.)`).test(named) ? [] : [`${path}: no test names the rule ${rule}; put it in the name of the test that proves it`]),
      ];
    }),
  );
  const letters = new Set([...home.keys()].map((rule) => rule.split('-')[0]));
  const dangling = titles.flatMap(([path, title]) =>
    [...title.matchAll(/\b([A-Z]{1,4})-\d+[a-z]?\b(?!\.)/g)]
      .filter(([rule, letter]) => letters.has(letter ?? '') && !home.has(rule))
      .map(([rule]) => `${path}: it names the rule ${rule}, which no page in docs/protocols has`),
  );
  return { looked: finding.looked, problems: [...finding.problems, ...new Set(dangling)] };
}

/** Titles of the tests and groups in a test file. */
export function titlesOf(text: string): readonly string[] {
  const calls = /\b(?:test|it|describe)(?:\.\w+)?(?:\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))?\(\s*(['"`])((?:\\.|(?!\1)[\s\S])*?)\1/g;
  return [...text.matchAll(calls)].map((match) => match[2] ?? '');
}

/** The rules that a page defines: a bold or plain number at the start of a line, a list item or a table row. */
export function rulesOf(page: string): ReadonlySet<string> {
  return new Set([...page.matchAll(/^\s*(?:[-*]\s+|\|\s*|\d+\.\s+)?(?:\*\*|`)?([A-Z]{1,4}-\d+[a-z]?)(?:\*\*|`)?[\s.:|–—-]/gm)].map((match) => match[1] ?? ''));
}

/** Every constant exported by a `limits.ts` that docs/LIMITS.md does not name. */
export function checkLimits(tree: SourceTree): Finding {
  const page = tree.get('docs/LIMITS.md') ?? '';
  const files = new Map([...tree].filter(([path]) => /(^|\/)limits\.ts$/.test(path)));
  return look(files, (path, text) =>
    [...text.matchAll(/^export const (\w+)/gm)]
      .map((match) => match[1] ?? '')
      .filter((name) => !new RegExp(`\\b${name}\\b`).test(page))
      .map((name) => `${path}: ${name} is not in docs/LIMITS.md; say what it limits and what happens there`),
  );
}

function joined(from: string, link: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of decodeURIComponent(link).split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return parts.join('/');
}

// GitHub's rule: lower case, punctuation dropped, spaces to hyphens.
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...page.matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) => match[1] ?? '');
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replace(/\s/g, '-'),
    ),
  );
}
