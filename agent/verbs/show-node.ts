/** `node NAME`, `node forget NAME`, `trust`: one node from close by. */
import { writeFileSync } from 'node:fs';
import type { AgentClient } from '#agent/api/client.ts';
import type { StatusAnswer } from '#agent/api/protocol.ts';
import { clientFor, sayWould } from '#agent/verbs/connection.ts';
import { closedWords, conditionWords, machineWords, onlineWords, roleWords, rttWords, trustWords } from '#agent/verbs/words.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { formatDuration } from '#core/terminal/duration.ts';
import type { Palette } from '#core/terminal/palette.ts';
import { formatBytes } from '#core/terminal/size.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { printable, renderPairs, renderTable } from '#core/terminal/table.ts';
import type { TrustExplanation } from '#mesh/driver/mesh-node.ts';
import type { ClosedView, Condition, NodeView } from '#mesh/swarm/views.ts';
import { spanText } from '#mesh/trust/span-text.ts';

/** The node meant by a name, identity or fingerprint. */
export function findNode(status: StatusAnswer, text: string): NodeView {
  const wanted = text.toLowerCase();
  const found = status.nodes.filter((node) => node.name.toLowerCase() === wanted || node.aid === wanted || node.fingerprint.toLowerCase() === wanted);
  const [node] = found;
  if (node !== undefined && found.length === 1) return node;
  if (node !== undefined)
    throw new Fault('RN-AGENT-019', `${String(found.length)} nodes are called '${text}'`, {
      next: `Use a fingerprint: ${found.map((other) => other.fingerprint).join(', ')}.`,
    });
  const suggestion = nearest(
    text,
    status.nodes.map((other) => other.name),
  );
  throw new Fault('RN-AGENT-019', `no node is called '${text}'${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`);
}

/** The closed identity meant, where no present node is: its successor may bear its name. */
function findClosed(status: StatusAnswer, text: string): ClosedView | undefined {
  const wanted = text.toLowerCase();
  const means = ({ name, aid, fingerprint }: Pick<NodeView, 'name' | 'aid' | 'fingerprint'>): boolean =>
    [name, aid, fingerprint].some((handle) => handle.toLowerCase() === wanted);
  return status.nodes.some(means) ? undefined : status.closed.find(means);
}

/** `robonet node NAME`. */
export async function showNode(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const status = await client.call('status', {}, { signal });
  const closed = findClosed(status, invocation.argument(0) ?? '');
  if (closed !== undefined) {
    output.document('closed-node', closed);
    output.line(closedWords(closed));
    output.note('a closed identity is never a member again; `robonet nodes` lists all of them');
    return undefined;
  }
  const node = findNode(status, invocation.argument(0) ?? '');
  const ping = await measure(client, node, invocation.number('ping') ?? 0, signal);
  output.document('node', ping === null ? node : { ...node, ping });
  const now = Date.now();
  const { capabilities } = node;
  output.line(
    ...renderPairs([
      ['name', printable(node.name)],
      ['fingerprint', node.fingerprint],
      ['identity', node.aid],
      ['online', onlineWords(node, now, output.palette)],
      ['role', roleWords(node)],
      ['trust', trustWords(node)],
      ...(node.contest === null ? [] : ([['contested', output.palette.bad(printable(node.contest.text))]] as const)),
      ['address', printable(node.address ?? '-')],
      ['round trip', rttWords(node)],
      ...(ping === null
        ? []
        : ([
            ['pings', `${String(ping.count)}: fastest ${ping.minMs.toFixed(2)} ms, median ${ping.medianMs.toFixed(2)} ms, slowest ${ping.maxMs.toFixed(2)} ms`],
          ] as const)),
      ['joined', node.joinedAt === null ? '-' : formatTimestamp(node.joinedAt)],
      ['incarnation', node.incarnation === null ? '-' : String(node.incarnation)],
      ['key', keyWords(node)],
      ...status.closed.filter(({ successor }) => successor?.aid === node.aid).map((former) => ['replaces', closedWords(former)] as const),
      ['machine', machineWords(node)],
      ...(capabilities === null
        ? []
        : ([
            ['system', printable(`${capabilities.os}, kernel ${capabilities.kernel}, agent ${capabilities.agentVersion}`)],
            ['profile', printable(capabilities.profile)],
            ['processor', printable(capabilities.cpu.model ?? '-')],
            ['graphics', printable(capabilities.gpu ?? '-')],
            ['storage', `${capabilities.storage.kind}, ${formatBytes(capabilities.storage.bytes)}, ${formatBytes(capabilities.storage.freeBytes)} free`],
            ['skills', printable(capabilities.skills.join(', ')) || '-'],
            ['MAC', printable(capabilities.macs.join(', ')) || '-'],
          ] as const)),
      ['condition', conditionWords(node, output.palette)],
    ]),
    ...node.conditions.map((condition) => `  ${conditionLine(condition, now)}`),
  );
  return undefined;
}

function keyWords({ rotation }: NodeView): string {
  if (rotation === null) return '-';
  return rotation === 0 ? 'the first one' : `rotation ${String(rotation)}`;
}

interface PingSummary {
  readonly count: number;
  readonly minMs: number;
  readonly medianMs: number;
  readonly maxMs: number;
}

async function measure(client: AgentClient, node: NodeView, count: number, signal: AbortSignal): Promise<PingSummary | null> {
  const times: number[] = [];
  while (times.length < count) times.push((await client.call('ping', { node: node.aid }, { signal })).rttMs);
  times.sort((a, b) => a - b);
  const [minMs] = times;
  if (minMs === undefined) return null;
  return { count, minMs, medianMs: times[Math.floor(times.length / 2)] ?? minMs, maxMs: times.at(-1) ?? minMs };
}

function conditionLine(condition: Condition, now: number): string {
  const value = condition.value === null ? '' : `, now ${String(condition.value)}${condition.unit === null ? '' : ` ${condition.unit}`}`;
  const worst = condition.worst === null ? '' : `, worst ${String(condition.worst)}${condition.unit === null ? '' : ` ${condition.unit}`}`;
  const span =
    condition.until === null
      ? `for ${formatDuration(now - condition.since)}${value}`
      : `over: ${formatTimestamp(condition.since)} to ${formatTimestamp(condition.until)}`;
  return printable(`${condition.severity} ${condition.kind}: ${condition.text} (${span}${worst})`);
}

/** `robonet node forget NAME`. */
export async function forgetNode(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const node = findNode(await client.call('status', {}, { signal: context.signal }), invocation.argument(0) ?? '');
  if (invocation.flag('dryRun')) return sayWould(context, `remove ${node.name} (${node.fingerprint}) from the mesh for good; its identity could not come back`);
  const forgotten = await client.call('forget', { node: node.aid }, { signal: context.signal });
  context.output.document('node', forgotten);
  context.output.line(`${printable(forgotten.name)} (${forgotten.fingerprint}) is no longer a member; a reinstalled machine may take its name.`);
  return undefined;
}

/** `robonet node close NAME`. */
export async function closeNode(invocation: Invocation, context: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const status = await client.call('status', {}, { signal: context.signal });
  const node = findNode(status, invocation.argument(0) ?? '');
  const replacedBy = invocation.text('replacedBy');
  const successor = replacedBy === undefined ? null : findNode(status, replacedBy);
  if (invocation.flag('dryRun'))
    return sayWould(
      context,
      `close the identity of ${node.name} (${node.fingerprint}) for good, on every node${successor === null ? '' : `, as replaced by ${successor.name} (${successor.fingerprint})`}`,
    );
  const closed = await client.call('close', { node: node.aid, replacedBy: successor?.aid ?? null }, { signal: context.signal });
  context.output.document('closed-node', closed);
  context.output.line(`${closedWords(closed)}.`);
  context.output.note('no node will accept this identity again; a machine that still has it is refused');
  return undefined;
}

/** `robonet trust [PEER]`. */
export async function showTrust(invocation: Invocation, context: VerbContext): Promise<ExitCode | undefined> {
  const { output, signal } = context;
  const verify = invocation.text('verify');
  if (verify !== undefined) return verifyExport(verify, context);
  const client = clientFor(invocation);
  const status = await client.call('status', {}, { signal });
  const name = invocation.argument(0);
  if (name === undefined) {
    output.document('trust', {
      peers: status.nodes.filter((node) => !node.self).map(({ aid, fingerprint, name: peer, trust }) => ({ aid, fingerprint, name: peer, trust })),
    });
    const rows = status.nodes.flatMap(({ self, name: peer, fingerprint, trust }) =>
      self || trust === null
        ? []
        : [
            [
              printable(peer),
              fingerprint,
              `T${String(trust.level)}`,
              trust.score.toFixed(4),
              String(trust.lengthCredit),
              formatDuration(trust.timeCreditMs),
              String(trust.debt),
              breakWords(trust.breaks),
            ],
          ],
    );
    output.line(
      ...renderTable(
        ['PEER', 'FINGERPRINT', 'LEVEL', 'SCORE', 'LENGTH', 'AGE', 'DEBT', 'BREAKS'].map((heading) => ({ heading })),
        rows,
        output.palette.dim,
      ),
    );
    if (rows.length === 0) output.note('no peers yet: trust is between this node and others');
    return undefined;
  }
  const node = findNode(status, name);
  const explanation = await client.call('trust', { node: node.aid }, { signal });
  const file = invocation.text('export');
  if (file !== undefined) {
    if (explanation.exported === null) throw new Fault('RN-AGENT-020', `${printable(node.name)} has never proved its identity to this node`);
    writeExport(file, explanation.exported);
    output.note(`exported to ${file}; check it anywhere with \`robonet trust --verify ${file}\``);
  }
  const { exported, ...told } = explanation;
  output.document('trust', { ...told, ...(file === undefined ? { exported } : { file }) });
  output.line(`trust of this node in ${printable(node.name)} (${node.fingerprint}): ${trustWords(explanation.peer)}`);
  if (invocation.flag('explain') || output.verbose) output.line('', ...explanationLines(explanation, output.palette));
  else if (file === undefined) output.note('add --explain for the events from which this follows');
  return undefined;
}

/** The events as a table: when, what it changed, the number after it, what happened and what to do. */
function explanationLines({ beginning, steps, result, evidence }: TrustExplanation, palette: Palette): readonly string[] {
  const rows = steps.flatMap((step) => {
    const change = step.after - step.before;
    const level = step.levelBefore === step.levelAfter ? '' : ` (T${String(step.levelBefore)} → T${String(step.levelAfter)})`;
    const text = printable(step.text);
    const row = [
      spanText(step.untilMs),
      step.at === null || step.at === 0 ? '' : formatTimestamp(step.at),
      change === 0 ? '' : `${change > 0 ? '+' : '−'}${Math.abs(change).toFixed(4)}`,
      `${step.after.toFixed(4)}${level}`,
      step.class === null ? text : palette.warn(text),
    ];
    return step.next === null ? [row] : [row, ['', '', '', '', palette.dim(`→ ${step.next}`)]];
  });
  const table = renderTable(
    ['UNTIL', 'DATE', 'CHANGE', 'TRUST', 'WHAT'].map((heading) => ({ heading })),
    rows,
    palette.dim,
  );
  const kept = evidence.map(
    ({ name, class: breakClass, why, objects }) =>
      `Evidence evidence/${name} (${breakClass}, ${String(objects.length)} signed objects of both sides; --json shows them): ${why}.`,
  );
  return [printable(beginning), ...(rows.length === 0 ? [] : table), ...result.map(printable), ...kept.map(printable)];
}

function breakWords(breaks: Readonly<Record<string, number>>): string {
  return (
    Object.entries(breaks)
      .map(([kind, count]) => `${kind}×${String(count)}`)
      .join(' ') || '-'
  );
}

function writeExport(file: string, exported: object): void {
  const text = `${JSON.stringify(exported, null, 1)}\n`;
  try {
    writeFileSync(file, text, { mode: 0o600 });
  } catch (error) {
    throw new Fault('RN-AGENT-012', `${file} cannot be written: ${messageOf(error)}`, { cause: error });
  }
}

async function verifyExport(file: string, { output }: VerbContext): Promise<ExitCode> {
  const { checkTrustFile } = await import('#agent/verbs/check-trust.ts');
  const { lines, ...outcome } = checkTrustFile(file);
  output.line(...lines.map(printable));
  output.document('trust-verification', { file, valid: true, ...outcome, lines });
  return EXIT.ok;
}
