/**
 * The table of every named limit, made from the doc comments in the `limits.ts` files. It reads the sources as text, so that a limit without a sentence
 * about it shows.
 */
import type { SourceTree } from '#scripts/tidy/source-tree.ts';

/** One named limit. */
export interface Limit {
  readonly folder: string;
  readonly name: string;
  readonly value: string;
  /** What it limits and what happens there; empty when the source does not say. */
  readonly meaning: string;
}

const begin = '<!-- limits -->';
const end = '<!-- /limits -->';

/** All limits of a tree, in the order of folders and lines. */
export function limitsOf(tree: SourceTree): readonly Limit[] {
  const files = [...tree].filter(([path]) => /(^|\/)limits\.ts$/.test(path)).sort(([a], [b]) => (a < b ? -1 : 1));
  return files.flatMap(([path, text]) => limitsIn(path.replace(/\/limits\.ts$/, ''), text));
}

/** The page with the text between its two marks replaced by the table; a page without marks is an error. */
export function withLimitsTable(page: string, limits: readonly Limit[]): string {
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from === -1 || to < from) throw new Error(`docs/LIMITS.md lacks the marks ${begin} and ${end}; nothing was written`);
  return `${page.slice(0, from + begin.length)}\n${table(limits)}\n${page.slice(to)}`;
}

function table(limits: readonly Limit[]): string {
  const folders = [...new Set(limits.map((limit) => limit.folder))];
  const rows = (folder: string): readonly string[] =>
    limits.filter((limit) => limit.folder === folder).map(({ name, value, meaning }) => `| \`${name}\` | ${cell(value)} | ${cell(meaning)} |`);
  return folders
    .map((folder) => ['', `### ${folder}`, '', '| limit | value | what it bounds, and what happens there |', '|---|---|---|', ...rows(folder)].join('\n'))
    .join('\n');
}

function limitsIn(folder: string, text: string): readonly Limit[] {
  const limits: Limit[] = [];
  let comment = '';
  let object: string | undefined;
  // A limit right below another, with no comment of its own, shares the sentence of that one.
  const take = (): string => {
    const meaning = comment;
    comment = 'with the one above';
    return meaning;
  };
  for (const line of withJoinedComments(text).split('\n')) {
    const said = /^\s*\/\*\*\s*(.*?)\s*\*\/\s*$/.exec(line)?.[1];
    const exported = /^export const (\w+)(?::[^=]+)? = (.*)$/.exec(line);
    const field = object === undefined ? undefined : /^ {2}(\w+): (.+?),?\s*(?:\/\/.*)?$/.exec(line);
    if (said !== undefined) comment = said;
    else if (exported !== null) {
      const [, name = '', value = ''] = exported;
      if (/^[{[]$/.test(value.trim())) {
        object = name;
        limits.push({ folder, name, value: 'the group below', meaning: comment === '' ? 'see each' : comment });
        comment = '';
      } else limits.push({ folder, name, value: value.replace(/ as const;?$|;$/, ''), meaning: take() });
    } else if (field !== undefined && field !== null && object !== undefined) {
      limits.push({ folder, name: `${object}.${field[1] ?? ''}`, value: field[2] ?? '', meaning: take() });
    } else {
      comment = '';
      if (/^[}\]]/.test(line)) object = undefined;
    }
  }
  return limits;
}

function withJoinedComments(text: string): string {
  return text.replace(/\/\*\*[\s\S]*?\*\//g, (comment) => comment.replace(/\s*\n\s*\*(?!\/)\s*/g, ' ').replace(/\s+/g, ' '));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}
