/** `provision --scan`: show the LAN while it is being looked at, let the person choose, and colonize what was chosen. */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { VerbContext } from '#core/node/command-line/verb.ts';
import { formatDuration } from '#core/terminal/duration.ts';
import { printable } from '#core/terminal/table.ts';
import { scan, type ScanResult } from '#provisioner/discover/scan.ts';
import type { HostRow } from '#provisioner/discover/sighting.ts';
import { scanLines, scanPlainLine } from '#provisioner/screens/scan-table.ts';
import { nodesSchema, readReply, statusSchema } from '#provisioner/sponsor/agent-replies.ts';
import { sessionHere } from '#provisioner/ssh/here.ts';
import { colonize } from './colonize.ts';
import type { NamedHost } from './reach.ts';
import type { Workbench } from './workbench.ts';

const timeoutMsDefault = 10_000;

/** Scan; and with a terminal or `--yes`, go on to colonize. */
export async function scanAndChoose(invocation: Invocation, context: VerbContext, bench: Workbench): Promise<ExitCode> {
  const { output } = context;
  const timeout = invocation.value('timeout');
  const shown = new Map<string, string>();
  const own = await ownMesh();
  const result = await scan({
    timeoutMs: typeof timeout === 'number' ? timeout : timeoutMsDefault,
    stay: typeof timeout === 'number',
    sweep: invocation.flag('sweep'),
    ownMeshTag: own.tag,
    memberArch: own.arch,
    signal: context.signal,
    onRows: (rows) => {
      if (bench.live.enabled) bench.live.show(['', ...scanLines(rows, output.notePalette), '', output.notePalette.dim('looking …')]);
      else
        for (const row of rows) {
          // Without a terminal a line appears when a machine is first seen to be something, and again when that changes.
          if (shown.get(row.address) !== row.standing && row.standing !== 'unreachable') output.note(scanPlainLine(row));
          shown.set(row.address, row.standing);
        }
    },
  });
  bench.live.clear();
  if (context.signal.aborted) return EXIT.interrupted;
  if (!result.interfaces.some((verdict) => verdict.used))
    throw new Fault('RN-PROV-032', `no network interface can be searched: ${result.interfaces.map((verdict) => `${verdict.name} ${verdict.text}`).join('; ')}`);
  output.line(...(result.rows.length === 0 ? [] : scanLines(result.rows, output.palette)));
  for (const line of aboutScan(result)) output.note(line);
  const candidates = result.rows.filter((row) => row.standing === 'candidate');
  const going = invocation.flag('yes') || (bench.asker.present && candidates.length > 0);
  if (!going || candidates.length === 0) {
    output.document('scan', scanDocument(result));
    return result.rows.length === 0 ? EXIT.unavailable : EXIT.ok;
  }
  const chosen = invocation.flag('yes') ? candidates : await choose(candidates, bench);
  if (chosen.length === 0) {
    output.note('nothing chosen; nothing was changed');
    return EXIT.ok;
  }
  const user = await loginName(chosen, invocation, bench);
  return await colonize(
    chosen.map((row) => hostOfRow(row, user)),
    invocation,
    context,
    bench,
  );
}

async function choose(candidates: readonly HostRow[], bench: Workbench): Promise<readonly HostRow[]> {
  const chosen = await bench.asker.choose(
    'Which machines shall become members? (arrows move, space marks, enter goes on)',
    candidates.map((row) => ({
      value: row.address,
      label: `${printable(row.name ?? row.address)}  ${row.address}`,
      hint: [row.maker, row.os].filter((text) => text !== null).join(', '),
    })),
    [],
  );
  return candidates.filter((row) => chosen?.includes(row.address) === true);
}

/** "Enters login": asked once where nothing else says it. */
async function loginName(chosen: readonly HostRow[], invocation: Invocation, bench: Workbench): Promise<string | null> {
  if (invocation.text('user') !== undefined || !bench.asker.present) return null;
  const first = chosen[0];
  const usual = first === undefined ? '' : bench.reach.route({ host: first.address, user: null, port: null }).user;
  return await bench.asker.text('Log in as which user?', chosen.every((row) => row.maker === 'Raspberry Pi') ? 'pi' : usual);
}

/** Connected to by address: a name from the network is a label and nothing more. */
function hostOfRow(row: HostRow, user: string | null): NamedHost {
  return { label: row.name ?? row.address, host: row.address, user, port: row.sshPort === 22 ? null : row.sshPort, passwordFile: null, sudoPasswordFile: null };
}

/** What the agent of this machine knows of its mesh: the tag to recognise members by, and their architectures. */
async function ownMesh(): Promise<{ readonly tag: string | null; readonly arch: ReadonlyMap<string, string> }> {
  const here = sessionHere();
  const [status, nodes] = await Promise.all(['status', 'nodes'].map((verb) => here.run({ argv: ['robonet', verb, '--json'], timeoutMs: 10_000 })));
  const own = status === undefined ? null : readReply(status, statusSchema);
  const listed = nodes === undefined ? null : readReply(nodes, nodesSchema);
  return {
    tag: own?.kind === 'reply' && own.value.mesh !== null ? own.value.mesh.id.slice(0, 16) : null,
    arch: new Map(
      listed?.kind === 'reply'
        ? listed.value.nodes.flatMap(({ fingerprint, capabilities }) =>
            capabilities === null || capabilities === undefined ? [] : [[fingerprint, capabilities.arch] as const],
          )
        : [],
    ),
  };
}

/** How the search was done; with nothing found, also what to check. */
function aboutScan(result: ScanResult): readonly string[] {
  const used = result.interfaces.filter((verdict) => verdict.used);
  const passed = result.interfaces.filter((verdict) => !verdict.used);
  const lines = [
    `${result.rows.length} machine${result.rows.length === 1 ? '' : 's'} in ${formatDuration(result.milliseconds)} on ${used.map((verdict) => verdict.name).join(', ')}`,
  ];
  lines.push(...result.skipped.map((text) => `not swept: ${text}`), ...result.problems);
  if (result.rows.length > 0) return lines;
  return [
    'Found nothing.',
    ...used.map((verdict) => `  searched     ${verdict.name}: ${verdict.text}`),
    ...passed.map((verdict) => `  not searched ${verdict.name}: ${verdict.text}`),
    '  check        are the machines powered, and is their link light on? a board may need a minute to boot: --timeout 60s',
    '  check        Wi-Fi: "AP isolation" or a guest network keeps machines apart; try a cable',
    '  check        VLAN or another subnet: name the machines by address (provision pi@192.168.7.20)',
    '  check        a firewall here that drops UDP 5353; `provision doctor` looks at this machine',
    ...(result.swept.length > 0 ? [] : ['  next         provision --scan --sweep also looks at port 22 of every local address']),
    ...lines.slice(1),
  ];
}

function scanDocument(result: ScanResult): object {
  return {
    hosts: result.rows,
    interfaces: result.interfaces.map(({ name, used, reason, text }) => ({ name, used, reason, text })),
    swept: result.swept,
    skipped: result.skipped,
    problems: result.problems,
    milliseconds: result.milliseconds,
  };
}
