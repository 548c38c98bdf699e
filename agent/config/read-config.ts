/**
 * Reads config.yaml: YAML without aliases, then the schema. Every error names the file, line and column, the key, what was
 * expected and, for unknown keys, the nearest known one. All errors of a file are reported at once.
 */
import { LineCounter, parseDocument, visit } from 'yaml';
import { Fault } from '#core/errors/fault.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { expectedForm, settingNames, type Settings, settingsSchema } from '#agent/config/settings.ts';

/** One thing wrong with a file. */
export interface ConfigProblem {
  readonly line: number;
  readonly column: number;
  readonly text: string;
}

/** Settings of a file's text; `path` is for messages only. Throws a fault that lists every problem. */
export function parseConfig(text: string, path: string): Settings {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, schema: 'core', uniqueKeys: true, prettyErrors: false });
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = counter.linePos(offset);
    return { line, column: col };
  };
  if (document.errors.length > 0)
    throw wrong(
      path,
      document.errors.map((error) => ({ ...at(error.pos[0]), text: firstLine(error.message) })),
    );
  const aliases: ConfigProblem[] = [];
  visit(document, {
    Alias: (_key, node) => {
      aliases.push({ ...at(node.range?.[0] ?? 0), text: 'aliases (*name) are not allowed; write the value out' });
    },
  });
  if (aliases.length > 0) throw wrong(path, aliases);
  const plain: unknown = document.toJS({ maxAliasCount: 0 });
  const checked = settingsSchema.safeParse(plain ?? {});
  if (checked.success) return checked.data;
  throw wrong(
    path,
    checked.error.issues.flatMap((issue) => {
      const where = (keys: readonly PropertyKey[]): { line: number; column: number } => {
        const path = keys.map((key) => (typeof key === 'symbol' ? String(key) : key));
        for (let length = path.length; length > 0; length -= 1) {
          const offset = offsetOf(document.getIn(path.slice(0, length), true));
          if (offset !== undefined) return at(offset);
        }
        return at(0);
      };
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => {
          const suggestion = nearest(key, settingNames);
          const line = keyLine(text, key);
          const hint = suggestion === undefined ? `; known settings: ${settingNames.join(', ')}` : `; did you mean ${suggestion}?`;
          return { ...(line ?? where([...issue.path, key])), text: `unknown setting '${key}'${hint}` };
        });
      }
      const [key] = issue.path;
      if (key === undefined) return [{ line: 1, column: 1, text: 'expected settings as `key: value` lines' }];
      const value: unknown = document.getIn(issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part)));
      return [{ ...where(issue.path), text: `${issue.path.map(String).join('.')}: ${show(value)} is not allowed; expected ${expectedForm(String(key))}` }];
    }),
  );
}

function wrong(path: string, problems: readonly ConfigProblem[]): Fault {
  const lines = problems.map((problem) => `${path}:${String(problem.line)}:${String(problem.column)}: ${problem.text}`);
  return new Fault('RN-AGENT-005', lines.join('\n'));
}

function offsetOf(node: unknown): number | undefined {
  if (typeof node !== 'object' || node === null || !('range' in node) || !Array.isArray(node.range)) return undefined;
  const start: unknown = node.range[0];
  return typeof start === 'number' ? start : undefined;
}

function keyLine(text: string, key: string): { line: number; column: number } | undefined {
  const index = text.split('\n').findIndex((line) => line.trimStart().startsWith(`${key}:`));
  return index < 0 ? undefined : { line: index + 1, column: (text.split('\n')[index] ?? '').indexOf(key) + 1 };
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}

function show(value: unknown): string {
  const text = typeof value === 'object' && value !== null && 'toJSON' in value ? JSON.stringify(value) : JSON.stringify(value);
  return text === undefined ? 'nothing' : text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
