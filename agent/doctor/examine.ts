/**
 * Explains silence: from what the interfaces, the multicast probe, TCP attempts and the mesh itself show, to findings a
 * person can act on. Pure; the measuring is done by doctor.ts.
 */
import { endWords, type LastEnd } from '#agent/api/last-end.ts';
import type { Finding, FindingLevel } from '#agent/doctor/report.ts';
import type { MulticastProbe } from '#agent/discovery/discovery.ts';
import type { Reach } from '#agent/doctor/reach.ts';
import { formatHostPort } from '#core/terminal/address.ts';
import { formatDuration } from '#core/terminal/duration.ts';
import { formatBytes } from '#core/terminal/size.ts';
import type { NodeView, StatusView } from '#mesh/swarm/views.ts';
import type { InterfaceVerdict } from '#provisioner/discover/interfaces.ts';

/** One TCP attempt at a place somebody should listen. */
export interface Attempt {
  /** A node's name, or the address a person typed. */
  readonly subject: string;
  readonly fingerprint: string | null;
  readonly host: string;
  readonly port: number;
  readonly reach: Reach;
  /** Round trip over the authenticated link, where there is one. */
  readonly linkMs: number | null;
}

/** What was measured about the place where state is kept. */
export interface DiskFacts {
  readonly path: string;
  readonly exists: boolean;
  /** Why it cannot be written: the system's code and words; null where it can. */
  readonly fault: { readonly code: string | null; readonly text: string } | null;
  readonly freeBytes: number | null;
  readonly fsyncMs: number | null;
}

export interface Examination {
  readonly selfName: string;
  readonly verdicts: readonly InterfaceVerdict[];
  /** Null where discovery is switched off. */
  readonly probe: MulticastProbe | null;
  readonly attempts: readonly Attempt[];
  readonly disk: DiskFacts;
  /** Null when the agent is not running. */
  readonly status: StatusView | null;
  /** What ended the agent, where it does not run. */
  readonly ended: LastEnd | null;
  readonly binding: string | null;
  readonly wallYear: number;
}

const FSYNC_SLOW_MS = 500;
const FREE_BYTES_MIN = 64 * 1024 * 1024;

/** All findings, in the order in which the questions build on each other. */
export function examine(facts: Examination): readonly Finding[] {
  return [...interfaces(facts), ...multicast(facts), ...peers(facts), ...mesh(facts), ...versions(facts), ...machine(facts)];
}

function finding(check: string, subject: string, level: FindingLevel, text: string, next: string | null = null): Finding {
  return { check, subject, level, text, next };
}

function interfaces({ verdicts }: Examination): readonly Finding[] {
  const rows = verdicts.map((verdict) => finding('interface', verdict.name, 'ok', verdict.text));
  if (verdicts.some((verdict) => verdict.used)) return rows;
  const text = 'no usable interface is left: none faces a LAN, so nobody can be found or reached';
  return [
    ...rows,
    finding('interface', 'all', 'critical', text, 'Plug in a cable, switch an interface on, or name one under `interfaces` in the configuration.'),
  ];
}

function multicast({ probe }: Examination): readonly Finding[] {
  if (probe === null)
    return [
      finding('multicast-out', 'all', 'notice', 'discovery is switched off in the configuration; nodes find each other only by `peers` and learnt addresses'),
    ];
  return probe.interfaces.flatMap(({ name, looped, heard }) => [
    looped
      ? finding('multicast-out', name, 'ok', 'our own multicast question went out and came back')
      : finding(
          'multicast-out',
          name,
          'critical',
          'our own multicast question did not come back: something on this machine drops multicast DNS (UDP port 5353)',
          'Look at the local firewall (`nft list ruleset`); allow UDP 5353 to 224.0.0.251.',
        ),
    heard > 0
      ? finding('multicast-in', name, 'ok', `multicast DNS of ${String(heard)} other machine${heard === 1 ? '' : 's'} was heard`)
      : finding(
          'multicast-in',
          name,
          'notice',
          'no other machine was heard by multicast DNS',
          'If others are there: look for Wi-Fi client isolation, IGMP snooping without a querier, or a VLAN in between.',
        ),
  ]);
}

function peers(facts: Examination): readonly Finding[] {
  const answered = new Set(facts.probe?.answered.flatMap((agent) => [agent.properties.fingerprint, agent.address]) ?? []);
  return facts.attempts.flatMap((attempt) => {
    const place = formatHostPort(attempt.host, attempt.port);
    const unicast = unicastFinding(attempt, place);
    const inSight = facts.probe === null || answered.has(attempt.host) || (attempt.fingerprint !== null && answered.has(attempt.fingerprint));
    if (inSight) return [unicast];
    const works = attempt.reach.kind === 'open' || attempt.linkMs !== null;
    return [
      unicast,
      works
        ? finding(
            'multicast-peer',
            attempt.subject,
            'warning',
            `multicast blocked between ${facts.selfName} and ${attempt.subject}, unicast works`,
            'Nothing breaks as long as addresses stay; to be found after an address change, allow UDP 5353 multicast between the two (Wi-Fi client isolation, IGMP snooping, VLAN, firewall).',
          )
        : finding(
            'multicast-peer',
            attempt.subject,
            'warning',
            `${attempt.subject} is silent by multicast too`,
            'Check that it is switched on and on the same network.',
          ),
    ];
  });
}

function unicastFinding({ subject, reach, linkMs, port }: Attempt, place: string): Finding {
  if (linkMs !== null) return finding('unicast', subject, 'ok', `linked with ${subject} at ${place}, round trip ${linkMs.toFixed(1)} ms`);
  switch (reach.kind) {
    case 'open':
      return finding('unicast', subject, 'ok', `TCP port ${String(port)} of ${subject} at ${place} answers (${String(reach.tookMs)} ms)`);
    case 'refused':
      return finding(
        'unicast',
        subject,
        'critical',
        `TCP port ${String(port)} of ${subject} at ${place} refuses: the machine is there, but no agent listens`,
        `Run \`robonet status\` there; a different port may be configured.`,
      );
    case 'silent':
      return finding(
        'unicast',
        subject,
        'critical',
        `TCP port ${String(port)} of ${subject} at ${place} is blocked or the machine is off: no answer within ${formatDuration(reach.waitedMs)}`,
        `Allow TCP port ${String(port)} in the firewalls of both machines and of anything in between.`,
      );
    case 'unreachable':
      return finding('unicast', subject, 'critical', `${subject} at ${place} cannot be reached: ${reach.why}`, 'Check the address, the cable and the routes.');
  }
}

function mesh({ status, ended }: Examination): readonly Finding[] {
  if (status === null) {
    const silent = 'the agent is not running: this machine takes no part';
    if (ended === null) return [finding('mesh', 'agent', 'critical', silent, 'Start it with `robonet agent start`.')];
    return [finding('mesh', 'agent', 'critical', `${silent}; ${endWords(ended)}`, ended.next)];
  }
  const rows: Finding[] = [];
  if (status.state === 'member')
    rows.push(
      finding(
        'mesh',
        status.mesh?.name ?? 'mesh',
        'ok',
        `member of ${status.mesh?.name ?? 'a mesh'} with ${String(status.nodes.length)} node${status.nodes.length === 1 ? '' : 's'}`,
      ),
    );
  else
    rows.push(
      finding(
        'mesh',
        status.self.name,
        status.state === 'unjoined' ? 'notice' : 'warning',
        status.stateReason ?? `this node is ${status.state}`,
        status.state === 'unjoined' ? 'Found a mesh with `robonet init NAME` or join one with `robonet join`.' : '`robonet status` says what to do.',
      ),
    );
  for (const node of status.nodes) if (!node.self && node.liveness !== 'up' && node.address === null) rows.push(noAddress(node));
  return rows;
}

function noAddress(node: NodeView): Finding {
  return finding(
    'unicast',
    node.name,
    'warning',
    `no address of ${node.name} is known: it is ${node.liveness} and silent by multicast`,
    'Switch it on, or give its address under `peers` in the configuration.',
  );
}

function versions({ status }: Examination): readonly Finding[] {
  const own = status?.self.capabilities?.agentVersion;
  const others = status?.nodes.filter((node) => !node.self && node.capabilities !== null && node.capabilities.agentVersion !== own) ?? [];
  if (own === undefined) return [];
  if (others.length === 0) return [finding('version', own, 'ok', `every node in sight runs version ${own}`)];
  return others.map((node) =>
    finding(
      'version',
      node.name,
      'notice',
      `${node.name} runs version ${node.capabilities?.agentVersion ?? 'unknown'}, this node ${own}`,
      'Bring the older one up to date.',
    ),
  );
}

/** What is wrong, and what helps. */
function diskFault({ code, text }: NonNullable<DiskFacts['fault']>, freeBytes: number | null): readonly [string, string] {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return [
        `state cannot be written: the disk is full${freeBytes === null ? '' : ` (${formatBytes(freeBytes)} free)`}`,
        'Free some space (`df -h`, `journalctl --vacuum-size=50M`); the service then starts the agent again.',
      ];
    case 'EACCES':
      return [`state cannot be looked at: ${text}`, 'Run the same command with sudo.'];
    default:
      return [`state cannot be written: ${text}`, 'Look at `dmesg` and the mount options; a card that turns read-only is usually worn out.'];
  }
}

function machine({ disk, status, binding, wallYear }: Examination): readonly Finding[] {
  const rows: Finding[] = [];
  rows.push(
    wallYear >= 2025
      ? finding('clock', 'wall clock', 'ok', `the clock is plausible (year ${String(wallYear)})`)
      : finding(
          'clock',
          'wall clock',
          'critical',
          `the clock stands in the year ${String(wallYear)}: invitations look expired or not yet valid`,
          'Let it be set from the network (`timedatectl set-ntp true`), or fit a clock battery.',
        ),
  );
  for (const condition of status?.self.conditions ?? [])
    if (condition.until === null) rows.push(finding('condition', condition.kind, condition.severity, condition.text));
  if (binding !== null) rows.push(finding('identity', 'hardware binding', 'ok', binding));
  for (const flag of status?.degraded ?? [])
    rows.push(finding('identity', 'state', 'critical', `stored state is degraded: ${flag}`, 'See docs/OPERATING.md, "Degraded state".'));
  if (!disk.exists) rows.push(finding('disk', disk.path, 'notice', 'there is no state yet: the agent has never run here'));
  else if (disk.fault !== null) rows.push(finding('disk', disk.path, 'critical', ...diskFault(disk.fault, disk.freeBytes)));
  else if (disk.freeBytes !== null && disk.freeBytes < FREE_BYTES_MIN)
    rows.push(finding('disk', disk.path, 'critical', `only ${formatBytes(disk.freeBytes)} are free`, 'Make room: journals must be able to grow.'));
  else if (disk.fsyncMs !== null && disk.fsyncMs > FSYNC_SLOW_MS)
    rows.push(
      finding(
        'disk',
        disk.path,
        'warning',
        `writing one block durably took ${String(Math.round(disk.fsyncMs))} ms`,
        'A worn or very slow card; expect slow starts.',
      ),
    );
  else
    rows.push(
      finding(
        'disk',
        disk.path,
        'ok',
        `writable, ${disk.freeBytes === null ? 'free space unknown' : `${formatBytes(disk.freeBytes)} free`}, one durable write ${disk.fsyncMs === null ? '' : `${disk.fsyncMs.toFixed(1)} ms`}`.trim(),
      ),
    );
  return rows;
}
