/** `events`, `doctor`, `explain`, `version`: looking without changing. */
import { clientFor } from '#agent/verbs/connection.ts';
import type { DoctorReport, Finding } from '#agent/doctor/report.ts';
import { catalogue } from '#core/errors/catalogue.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { FaultEntry } from '#core/errors/fault-entry.ts';
import { buildIdentity } from '#core/node/build-identity.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { Output } from '#core/node/command-line/output.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { pad, printable, renderPairs } from '#core/terminal/table.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';

const DOCTOR_MS_MAX = 30_000;

/** `robonet events`. */
export async function showEvents(invocation: Invocation, { output, signal }: VerbContext): Promise<undefined> {
  const client = clientFor(invocation);
  const limit = invocation.number('limit') ?? 50;
  const print = (event: EventRecord): void => {
    output.document('event', event);
    output.line(eventLine(event, output));
  };
  if (invocation.flag('follow')) await client.follow(limit, print, signal);
  else for (const event of (await client.call('events', { limit }, { signal })).toReversed()) print(event);
  return undefined;
}

function eventLine(event: EventRecord, output: Output): string {
  const paint = output.palette;
  const colour = event.severity === 'critical' ? paint.bad : event.severity === 'warning' ? paint.warn : (text: string): string => text;
  const source = event.source === null ? '' : paint.dim(` (${event.source})`);
  return `${formatTimestamp(event.at)}  ${colour(pad(event.code, 22))}  ${printable(event.text)}${source}`;
}

/** `robonet doctor`. */
export async function runDoctorVerb(invocation: Invocation, { output, signal }: VerbContext): Promise<ExitCode> {
  const peers = invocation.texts('peer');
  const note = setTimeout(() => {
    output.note('asking the network: this takes a few seconds …');
  }, 500);
  let report: DoctorReport;
  try {
    report = await clientFor(invocation).call('doctor', { peers }, { signal, timeoutMs: DOCTOR_MS_MAX });
  } catch (error) {
    if (!isFault(error, 'RN-AGENT-001')) throw error;
    const { doctorWithoutAgent } = await import('#agent/doctor/without-agent.ts');
    report = await doctorWithoutAgent(peers);
  } finally {
    clearTimeout(note);
  }
  const bad = report.findings.filter((finding) => finding.level !== 'ok');
  output.document('doctor', { findings: report.findings, tookMs: report.tookMs, healthy: !bad.some((finding) => finding.level === 'critical') });
  output.line(...report.findings.flatMap((finding) => findingLines(finding, output)));
  const worst = bad.length === 0 ? 'nothing is wrong' : `${String(bad.length)} thing${bad.length === 1 ? '' : 's'} to look at`;
  output.line('', `${worst} (${String(report.findings.length)} checks)`);
  return bad.some((finding) => finding.level === 'critical') ? EXIT.failed : EXIT.ok;
}

function findingLines(finding: Finding, output: Output): readonly string[] {
  const paint = output.palette;
  const mark = { ok: paint.good('ok      '), notice: paint.accent('notice  '), warning: paint.warn('warning '), critical: paint.bad('critical') }[
    finding.level
  ];
  const next = finding.next === null ? [] : [`          ${paint.dim(printable(finding.next))}`];
  return [`${mark}  ${pad(finding.check, 15)} ${printable(finding.subject)}: ${printable(finding.text)}`, ...next];
}

/** `robonet explain [CODE]`. */
export async function explain(invocation: Invocation, { output }: VerbContext): Promise<undefined> {
  const faults: Readonly<Record<string, FaultEntry>> = catalogue;
  const { refusalCodes, refusalText, isRefusalCode } = await import('#mesh/wire/refusal.ts');
  const { eventCodes } = await import('#agent/verbs/event-codes.ts');
  const code = invocation.argument(0)?.toUpperCase();
  if (code === undefined) {
    const all = [
      ...Object.entries(faults).map(([name, entry]) => [name, entry.title] as const),
      ...refusalCodes.map((name) => [name, refusalText(name)] as const),
      ...eventCodes,
    ];
    output.document('codes', { codes: all.map(([name, title]) => ({ code: name, title })) });
    output.line(...renderPairs(all));
    return undefined;
  }
  const entry = faults[code];
  if (entry !== undefined) {
    output.document('explanation', { code, kind: 'fault', ...entry });
    output.line(
      `${code}: ${entry.title}`,
      ...renderPairs(
        [
          ['why', entry.why],
          ['effect', entry.effect],
          ['next', entry.next],
          ['again', { never: 'trying again does not help', later: 'may work later', now: 'try again at once' }[entry.retry]],
          ['exit', String(entry.exit)],
        ],
        '  ',
      ),
    );
    return undefined;
  }
  const text = isRefusalCode(code) ? refusalText(code) : eventCodes.get(code);
  if (text === undefined) {
    const suggestion = nearest(code, [...Object.keys(faults), ...refusalCodes, ...eventCodes.keys()]);
    throw new Fault('RN-AGENT-013', `no code is called '${printable(code)}'${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`);
  }
  output.document('explanation', { code, kind: isRefusalCode(code) ? 'refusal' : 'event', title: text });
  output.line(`${code}: ${text}`);
  return undefined;
}

/** `robonet version`. */
export function showVersion(_invocation: Invocation, { output }: VerbContext): undefined {
  const { version, build, packaged } = buildIdentity;
  output.document('version', { version, build, packaged, node: process.versions.node, arch: process.arch, platform: process.platform });
  output.line(`robonet ${version} (build ${build}, ${process.platform}-${process.arch}, Node ${process.versions.node})`);
  return undefined;
}
