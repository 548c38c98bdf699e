/** The table of a scan. Names come from strangers: they are shown with control characters made visible. Pure. */
import type { Palette } from '#core/terminal/palette.ts';
import { pad, printable, renderTable } from '#core/terminal/table.ts';
import type { HostRow, Standing } from '#provisioner/discover/sighting.ts';

const words: Readonly<Record<Standing, string>> = {
  member: 'member',
  foreign: 'foreign mesh',
  pending: 'pending',
  candidate: 'candidate',
  unreachable: 'unreachable',
};

/** Lines of the table, heading first. */
export function scanLines(rows: readonly HostRow[], palette: Palette): readonly string[] {
  const paint: Readonly<Record<Standing, (text: string) => string>> = {
    member: palette.good,
    foreign: palette.warn,
    pending: palette.warn,
    candidate: palette.accent,
    unreachable: palette.dim,
  };
  return renderTable(
    [{ heading: 'STATE' }, { heading: 'NAME' }, { heading: 'ADDRESS' }, { heading: 'SYSTEM' }, { heading: 'ARCH' }, { heading: 'MAKER' }, { heading: 'WHY' }],
    rows.map((row) => [paint[row.standing](words[row.standing]), ...cells(row)]),
    (text) => palette.bold(text),
  );
}

/** One row as a line of its own. */
export function scanPlainLine(row: HostRow): string {
  const [name = '', address = '', ...rest] = cells(row);
  const known = rest.filter((cell) => cell !== '-');
  return [pad(words[row.standing], 12), pad(name, 16), pad(address, 15), known.join(', ')].join('  ');
}

function cells(row: HostRow): readonly string[] {
  const address = row.sshPort === null || row.sshPort === 22 ? row.address : `${row.address}:${row.sshPort}`;
  return [row.name ?? '-', address, row.os ?? '-', row.arch ?? '-', row.maker ?? '-', row.because].map(printable);
}
