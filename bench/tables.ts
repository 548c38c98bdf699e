/**
 * The benchmark's results as plain text: absolute figures of this machine, and the ratios that carry meaning elsewhere.
 */
import { renderTable } from '#core/terminal/table.ts';
import type { ColonizeRow } from './colonize/run.ts';
import type { FootprintRow } from './footprint/run.ts';
import type { StorageRow } from './storage/run.ts';
import type { WireRow } from './wire/run.ts';

const RIGHT = 'right';

/** Ratios are against HTTP/1.1 + JSON and NATS of the same case and run; above 1 is faster or cheaper. */
export function wireTable(rows: readonly WireRow[]): string {
  const peer = (row: WireRow, name: string): WireRow | undefined =>
    rows.find((other) => other.system.startsWith(name) && other.bytes === row.bytes && other.inFlight === row.inFlight);
  const ratio = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(1));
  const cells = rows
    .toSorted((a, b) => b.inFlight - a.inFlight || a.bytes - b.bytes)
    .map((row) => {
      const http = peer(row, 'HTTP');
      const nats = peer(row, 'NATS');
      return [
        String(row.bytes),
        String(row.inFlight),
        row.system,
        Math.round(row.perSecond).toString(),
        row.cpuUsPerCall.toFixed(1),
        row.p50Ms.toFixed(2),
        row.p99Ms.toFixed(2),
        ratio(http && row.perSecond / http.perSecond),
        ratio(http && http.cpuUsPerCall / row.cpuUsPerCall),
        ratio(nats && row.perSecond / nats.perSecond),
        ratio(nats && nats.cpuUsPerCall / row.cpuUsPerCall),
      ];
    });
  return text(
    'Wire: request with answer, two processes on loopback, medians',
    [
      ...['bytes', 'in flight'].map((heading) => ({ heading, align: RIGHT }) as const),
      { heading: 'system' },
      ...['per second', 'CPU µs each', 'p50 ms', 'p99 ms', '× HTTP rate', '× HTTP CPU', '× NATS rate', '× NATS CPU'].map(
        (heading) => ({ heading, align: RIGHT }) as const,
      ),
    ],
    cells,
  );
}

export function colonizeTable(rows: readonly ColonizeRow[]): string {
  return text(
    'Colonize: blank hosts to confirmed members, beside the same steps one host after another with ssh and scp',
    [
      { heading: 'hosts', align: RIGHT },
      { heading: 'provision, s', align: RIGHT },
      { heading: 'ssh + scp, s', align: RIGHT },
      { heading: 'ratio', align: RIGHT },
    ],
    rows.map((row) => [String(row.hosts), row.provisionSeconds.toFixed(1), row.scpSeconds.toFixed(1), (row.scpSeconds / row.provisionSeconds).toFixed(1)]),
  );
}

export function storageTable(rows: readonly StorageRow[]): string {
  return text(
    'Storage: what an idle node writes in a day',
    ['peers', 'MB written', 'confirmations', 'MB at the device', 'budget, MB'].map((heading) => ({ heading, align: RIGHT }) as const),
    rows.map((row) => [
      String(row.peers),
      (row.bytesPerDay / 1e6).toFixed(1),
      String(Math.round(row.confirmationsPerDay)),
      (row.deviceBytesPerDay / 1e6).toFixed(1),
      (row.budgetBytesPerDay / 1e6).toFixed(1),
    ]),
  );
}

export function footprintTable(rows: readonly FootprintRow[]): string {
  return text(
    'Footprint, beside bare Node of the same version',
    [{ heading: 'what' }, { heading: 'value', align: RIGHT }, { heading: 'unit' }, { heading: 'bare Node', align: RIGHT }],
    rows.map((row) => [row.what, row.value.toFixed(row.value < 10 ? 2 : 1), row.unit, row.bareNode === null ? '' : row.bareNode.toFixed(1)]),
  );
}

function text(title: string, columns: Parameters<typeof renderTable>[0], cells: readonly (readonly string[])[]): string {
  return `\n${title}\n\n${renderTable(columns, cells).join('\n')}\n`;
}
