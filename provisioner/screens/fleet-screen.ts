/**
 * What a person sees while hosts are being colonized: one live line per host on a terminal, plain lines elsewhere, and a
 * recap table at the end. Everything goes to stderr but the recap; with `--json` nothing is drawn at all.
 */
import type { Output } from '#core/node/command-line/output.ts';
import { formatBytes } from '#core/terminal/size.ts';
import { pad, printable, renderTable } from '#core/terminal/table.ts';
import type { FleetHost, HostNews } from '#provisioner/fleet/colonize-host.ts';
import type { HostOutcome } from '#provisioner/fleet/outcome.ts';
import { describeStep } from '#provisioner/plan/describe.ts';
import type { LiveLines } from './live-lines.ts';

export class FleetScreen {
  readonly #output: Output;
  readonly #live: LiveLines;
  readonly #lines = new Map<string, string>();
  readonly #width: number;

  constructor(output: Output, live: LiveLines, hosts: readonly FleetHost[]) {
    this.#output = output;
    this.#live = live;
    this.#width = Math.max(...hosts.map((host) => host.label.length), 4);
    for (const host of hosts) this.#lines.set(host.label, 'waiting');
  }

  /** A fact about one host. */
  news(host: FleetHost, news: HostNews): void {
    const text = newsText(news);
    if (news.kind === 'warning') this.#say(`${host.label}: note: ${text}`);
    else if (news.kind === 'undoing') this.#say(`${host.label}: ${text}`);
    else if (!this.#live.enabled && news.kind !== 'sent') this.#say(`${host.label}: ${text}`);
    this.#lines.set(host.label, news.kind === 'sent' ? `sending  ${bar(news.bytes, news.bytesAll)}  ${text}` : text);
    this.#draw();
  }

  /** The end of one host. */
  ended(outcome: HostOutcome): void {
    const paint = this.#output.notePalette;
    const text = outcome.kind === 'failed' ? paint.bad(`failed: ${outcome.fault.message}`) : paint.good(resultWord(outcome));
    if (!this.#live.enabled) this.#say(`${outcome.label}: ${text} (${outcome.seconds.toFixed(1)} s)`);
    this.#lines.set(outcome.label, text);
    this.#draw();
  }

  close(): void {
    this.#live.clear();
  }

  #say(text: string): void {
    this.#live.above(printableLine(text));
  }

  #draw(): void {
    this.#live.show([...this.#lines].map(([label, text]) => `${pad(printable(label), this.#width)}  ${text}`));
  }
}

/** The table of results, then for each host that failed its cause and what to do. */
export function recapLines(outcomes: readonly HostOutcome[], output: Output): readonly string[] {
  const paint = output.palette;
  const rows = outcomes.map((outcome) => [
    printable(outcome.label),
    outcome.address ?? '-',
    outcome.kind === 'failed' ? paint.bad('failed') : outcome.kind === 'already-member' ? paint.dim(resultWord(outcome)) : paint.good(resultWord(outcome)),
    `${outcome.seconds.toFixed(1)} s`,
    printable(detailOf(outcome)),
  ]);
  const table = renderTable(
    [{ heading: 'HOST' }, { heading: 'ADDRESS' }, { heading: 'RESULT' }, { heading: 'TIME', align: 'right' }, { heading: 'DETAILS' }],
    rows,
    (text) => paint.bold(text),
  );
  const failures = outcomes.flatMap((outcome) =>
    outcome.kind === 'failed'
      ? [
          '',
          `${paint.bold(printable(outcome.label))}: ${printable(outcome.fault.message)}`,
          `  effect  ${outcome.fault.effect}`,
          `  next    ${outcome.fault.next}`,
          `  code    ${outcome.fault.code}`,
        ]
      : [],
  );
  return [...table, ...failures];
}

function resultWord(outcome: HostOutcome): string {
  switch (outcome.kind) {
    case 'joined':
      return 'joined';
    case 'already-member':
      return 'already member';
    case 'planned':
      return 'planned';
    case 'undo-planned':
      return 'planned';
    case 'undone':
      return 'undone';
    case 'failed':
      return 'failed';
  }
}

function detailOf(outcome: HostOutcome): string {
  switch (outcome.kind) {
    case 'joined':
      return `${outcome.fingerprint}, ${outcome.name} in ${outcome.meshName}${outcome.escrow === null ? '; its next key is on the device' : '; next key in escrow'}`;
    case 'already-member':
      return `${outcome.fingerprint ?? ''}${outcome.meshName === null ? '' : ` in ${outcome.meshName}`}; nothing to do`;
    case 'planned':
      return `${outcome.steps.length} steps`;
    case 'undo-planned':
      return `${outcome.paths.length} paths to remove`;
    case 'undone':
      return [
        `${outcome.departed ? 'left the mesh; ' : ''}${outcome.removed.length} paths removed`,
        ...outcome.left.filter((what) => what.startsWith('/')).map((path) => `${path} stays`),
      ].join('; ');
    case 'failed':
      return outcome.fault.code;
  }
}

function newsText(news: HostNews): string {
  switch (news.kind) {
    case 'phase':
    case 'warning':
    case 'waiting':
      return news.text;
    case 'step':
      return `${news.index + 1}/${news.count} ${describeStep(news.step)}`;
    case 'sent':
      return `${formatBytes(news.bytes)} of ${formatBytes(news.bytesAll)}  ${formatBytes(news.bytesPerSecond)}/s`;
    case 'undoing':
      return `taking back what was begun: ${news.why}`;
  }
}

function bar(done: number, all: number): string {
  const width = 20;
  const full = Math.round((width * Math.min(done, all)) / Math.max(1, all));
  return `${'█'.repeat(full)}${'░'.repeat(width - full)}`;
}

function printableLine(text: string): string {
  return text
    .split(/(\u001b\[[0-9;]*m)/)
    .map((part) => (part.startsWith('\u001b[') ? part : printable(part)))
    .join('');
}
