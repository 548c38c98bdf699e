/**
 * Blanks the comments, strings and regular expressions of a TypeScript text, so that a search finds code only. Every blanked character becomes a
 * space and line breaks stay, so that positions still tell the line. It is a scanner, not a parser: good enough to find words.
 */

type Mode = 'code' | 'template';

const wordBeforeRegex = /(?:^|[^\w$.])(?:return|typeof|case|in|of|delete|void|throw|new|else|do|yield|await)$/;

/** The text with everything blanked that is not code. */
export function codeOnly(text: string): string {
  // By UTF-16 unit, as all positions are.
  const out = text.split('');
  const blank = (from: number, to: number): void => {
    for (let index = from; index < to; index++) if (out[index] !== '\n') out[index] = ' ';
  };
  // Depth of braces inside each open `${…}`; empty outside templates.
  const holes: number[] = [];
  let mode: Mode = 'code';
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (mode === 'template') {
      const end = templateEnd(text, at);
      blank(at, end.at);
      at = end.at + end.width;
      if (end.isHole) holes.push(0);
      mode = 'code';
      continue;
    }
    const end = skipped(text, at);
    if (end > at) {
      blank(at, end);
      at = end;
      continue;
    }
    const depth = holes.at(-1);
    if (char === '`') mode = 'template';
    else if (char === '{' && depth !== undefined) holes[holes.length - 1] = depth + 1;
    else if (char === '}' && depth !== undefined) {
      if (depth === 0) {
        holes.pop();
        mode = 'template';
      } else holes[holes.length - 1] = depth - 1;
    }
    at++;
  }
  return out.join('');
}

/** The line number, from 1, of a position. */
export function lineAt(text: string, position: number): number {
  return text.slice(0, position).split('\n').length;
}

// Where a comment, a string or a regular expression that starts here ends; `at` itself when none starts here.
function skipped(text: string, at: number): number {
  const two = text.slice(at, at + 2);
  if (two === '//') return endOr(text.indexOf('\n', at), text.length);
  if (two === '/*') return endOr(text.indexOf('*/', at + 2), text.length - 2) + 2;
  const char = text.charAt(at);
  if (char === '"' || char === "'") return quotedEnd(text, at, char);
  if (char === '/' && startsRegex(text, at)) return regexEnd(text, at);
  return at;
}

function endOr(found: number, otherwise: number): number {
  return found === -1 ? otherwise : found;
}

function quotedEnd(text: string, at: number, quote: string): number {
  let index = at + 1;
  while (index < text.length && text[index] !== quote && text[index] !== '\n') index += text[index] === '\\' ? 2 : 1;
  return index + 1;
}

function startsRegex(text: string, at: number): boolean {
  const before = text.slice(Math.max(0, at - 40), at).trimEnd();
  const last = before.at(-1);
  return last === undefined || '(,=:[!&|?{};+-*%<>~^'.includes(last) || wordBeforeRegex.test(before);
}

function regexEnd(text: string, at: number): number {
  let inClass = false;
  let index = at + 1;
  while (index < text.length && text[index] !== '\n') {
    const char = text[index];
    if (char === '\\') index++;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) break;
    index++;
  }
  index++;
  while (/[a-z]/.test(text.charAt(index))) index++;
  return index;
}

function templateEnd(text: string, at: number): { at: number; width: number; isHole: boolean } {
  let index = at;
  while (index < text.length) {
    if (text[index] === '\\') index += 2;
    else if (text[index] === '`') return { at: index, width: 1, isHole: false };
    else if (text[index] === '$' && text[index + 1] === '{') return { at: index, width: 2, isHole: true };
    else index++;
  }
  return { at: text.length, width: 0, isHole: false };
}
