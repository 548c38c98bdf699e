/** How nodes, trust and conditions are put into words and table cells; every verb says them the same way. Pure. */
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import { formatDuration, formatRelative } from '#core/terminal/duration.ts';
import type { Palette } from '#core/terminal/palette.ts';
import { formatBytes } from '#core/terminal/size.ts';
import { printable } from '#core/terminal/table.ts';
import type { Millis } from '#core/time/time.ts';
import type { ClosedView, NodeView } from '#mesh/swarm/views.ts';

/** "online (this node)", "offline, last seen 3 min ago". */
export function onlineWords(node: NodeView, now: Millis, palette: Palette): string {
  if (node.self) return palette.good('online (this node)');
  const seen = node.lastSeen === null ? 'not seen yet' : `last seen ${formatRelative(node.lastSeen, now)}`;
  switch (node.liveness) {
    case 'up':
      return palette.good('online');
    case 'suspect':
      return palette.warn(`silent, ${seen}`);
    case 'down':
      return palette.bad(`offline, ${seen}`);
    case 'left':
      return palette.dim('left');
  }
}

/** "voter, leader". */
export function roleWords(node: NodeView): string {
  return [printable(node.role), ...(node.voter && node.role !== 'voter' ? ['voter'] : []), ...(node.leader ? ['leader'] : [])].join(', ');
}

/** "T1 0.23"; a dash for oneself. */
export function trustWords(node: NodeView): string {
  if (node.trust === null) return '-';
  const standing = node.trust.standing === 'clear' ? '' : ` ${node.trust.standing}`;
  return `T${String(node.trust.level)} ${node.trust.score.toFixed(2)}${standing}`;
}

/** "ok", or the kinds of what is wrong now. */
export function conditionWords(node: NodeView, palette: Palette): string {
  const open = node.conditions.filter((condition) => condition.until === null);
  if (open.length === 0) return node.capabilities === null ? palette.dim('unknown') : 'ok';
  const text = open.map((condition) => condition.kind).join(', ');
  return open.some((condition) => condition.severity === 'critical') ? palette.bad(text) : palette.warn(text);
}

/** "Raspberry Pi 4 Model B, 4 cores, 3.7 GiB". */
export function machineWords(node: NodeView): string {
  const { capabilities } = node;
  if (capabilities === null) return '-';
  return `${printable(capabilities.model ?? capabilities.profile)}, ${printable(capabilities.arch)}, ${String(capabilities.cpu.cores)} core${capabilities.cpu.cores === 1 ? '' : 's'}, ${formatBytes(capabilities.memoryBytes)}`;
}

/** "attic (ABCD-…), closed 2026-01-01 10:00:00Z; new-attic (EFGH-…) has taken its place". */
export function closedWords({ name, fingerprint, closedAt, successor }: ClosedView): string {
  const after = successor === null ? '' : `; ${printable(successor.name ?? 'another identity')} (${successor.fingerprint}) has taken its place`;
  return `${printable(name)} (${fingerprint}), closed ${formatTimestamp(closedAt)}${after}`;
}

/** "0.8 ms" or a dash. */
export function rttWords(node: NodeView): string {
  if (node.rttMs === null) return '-';
  return node.rttMs < 1_000 ? `${node.rttMs.toFixed(1)} ms` : formatDuration(node.rttMs);
}
