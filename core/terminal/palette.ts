/**
 * Colour as a parameter: a palette either paints or returns its text unchanged, and the caller that knows the terminal
 * chooses. Never looks at the environment itself.
 */

/** What a piece of text means; the palette decides how it looks. */
export interface Palette {
  readonly coloured: boolean;
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  warn(text: string): string;
  bad(text: string): string;
  accent(text: string): string;
}

/** A palette that paints with the eight standard colours, or one that leaves everything plain. */
export function createPalette(coloured: boolean): Palette {
  const paint =
    (open: number, close: number) =>
    (text: string): string =>
      coloured && text !== '' ? `\u001b[${String(open)}m${text}\u001b[${String(close)}m` : text;
  return {
    coloured,
    bold: paint(1, 22),
    dim: paint(2, 22),
    good: paint(32, 39),
    warn: paint(33, 39),
    bad: paint(31, 39),
    accent: paint(36, 39),
  };
}
