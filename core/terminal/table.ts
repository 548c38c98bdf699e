/**
 * Plain aligned columns: no boxes, stable, easy to grep, correct for wide and coloured characters. Rows are never
 * dropped; the last column may be long, the terminal wraps it.
 */
import stringWidth from 'string-width';

/** One column: its heading and on which side its cells are padded. */
export interface Column {
  readonly heading: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Text cells may come from the network: control characters would let a name rewrite the screen. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

/** Visible width in terminal cells. */
export function visibleWidth(text: string): number {
  return stringWidth(text);
}

/** `text` padded with blanks to a visible width. */
export function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const blanks = ' '.repeat(Math.max(0, width - stringWidth(text)));
  return align === 'left' ? text + blanks : blanks + text;
}

/** Lines of a table, heading first; without rows only the heading. `heading` decorates the first line. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  heading: (text: string) => string = (text) => text,
): readonly string[] {
  const widths = columns.map((column, index) => Math.max(stringWidth(column.heading), ...rows.map((row) => stringWidth(row[index] ?? ''))));
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? '', widths[index] ?? 0, column.align))
      .join(GAP)
      .trimEnd();
  return [heading(line(columns.map((column) => column.heading))), ...rows.map(line)];
}

/** Lines of "name  value" pairs with the values aligned. */
export function renderPairs(pairs: readonly (readonly [name: string, value: string])[], indent = ''): readonly string[] {
  const width = Math.max(0, ...pairs.map(([name]) => stringWidth(name)));
  return pairs.map(([name, value]) => `${indent}${pad(name, width)}${GAP}${value}`.trimEnd());
}
