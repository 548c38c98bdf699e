/**
 * The machine before and after: what differs, in plain words, and what that means (PHYS-08). Pure. Only a change of the binding
 * anchor concerns the identity; everything else is a change of what the node can do.
 */
import type { Millis } from '#core/time/time.ts';
import type { Condition } from '#mesh/swarm/views.ts';
import { bindingFacts } from '../binding/binding-facts.ts';
import type { Disk, HardwareRecord } from '../facts/facts.ts';
import { limits } from '../limits.ts';

/** One difference. */
export interface HardwareChange {
  readonly what: string;
  /** `null` for "was not there". */
  readonly before: string | null;
  /** `null` for "is gone". */
  readonly after: string | null;
  readonly meaning: string;
}

/** All differences; `identityChanged` means that the binding anchor is another one. */
export interface HardwareDifference {
  readonly changes: readonly HardwareChange[];
  readonly identityChanged: boolean;
  /** One line per change, empty for none. */
  readonly text: string;
}

/** Memory that differs by less than this share is the same memory: kernels reserve a little more or less. */
const MEMORY_TOLERANCE = 0.02;

/** What changed between two readings of one node. */
export function compareHardware(before: HardwareRecord, after: HardwareRecord): HardwareDifference {
  const anchorBefore = describe(bindingFacts(before));
  const anchorAfter = describe(bindingFacts(after));
  const identityChanged = anchorBefore !== anchorAfter;
  const changes: HardwareChange[] = [];
  const note = (what: string, was: string | null, is: string | null, meaning: string): void => {
    if (was !== is) changes.push({ what, before: was, after: is, meaning });
  };
  if (identityChanged)
    note('machine', anchorBefore, anchorAfter, 'the identity is bound to the old one: this looks like another machine with a copied disk, and needs approval');
  if (before.serial !== after.serial && !anchorAfter?.includes(after.serial ?? '\0')) note('serial number', before.serial, after.serial, 'another board');
  note('model', before.model, after.model, 'another kind of machine');
  note('architecture', before.arch, after.arch, 'programs for the old architecture do not run');
  if (Math.abs(before.memoryBytes - after.memoryBytes) > before.memoryBytes * MEMORY_TOLERANCE) {
    const less = after.memoryBytes < before.memoryBytes;
    note(
      'memory',
      gibibytes(before.memoryBytes),
      gibibytes(after.memoryBytes),
      less ? 'work that needs more than this no longer comes here; a module may be loose or broken' : 'larger work can come here',
    );
  }
  note('processors', String(before.cpu.cores), String(after.cpu.cores), after.cpu.cores < before.cpu.cores ? 'less work fits here' : 'more work fits here');
  note('processor', before.cpu.model, after.cpu.model, 'another processor');
  note('graphics processor', before.gpu, after.gpu, after.gpu === null ? 'work that needs it no longer comes here' : 'work that needs it may come here');
  note('accelerator', before.npu, after.npu, after.npu === null ? 'AI inference no longer comes here' : 'AI inference may come here');
  compareDisks(before.disks, after.disks, note);
  for (const card of before.interfaces)
    if (!after.interfaces.some(({ mac }) => mac === card.mac)) note(`network card ${card.name}`, card.mac, null, 'the node is reached another way');
  for (const card of after.interfaces)
    if (!before.interfaces.some(({ mac }) => mac === card.mac)) note(`network card ${card.name}`, null, card.mac, 'one more way to reach the node');
  for (const device of before.devices) if (!after.devices.includes(device)) note(device, 'present', null, `the skill "${device}" is withdrawn`);
  for (const device of after.devices) if (!before.devices.includes(device)) note(device, null, 'present', `the skill "${device}" is offered`);
  return { changes, identityChanged, text: changes.map(line).join('\n') };
}

type Note = (what: string, was: string | null, is: string | null, meaning: string) => void;

function compareDisks(before: readonly Disk[], after: readonly Disk[], note: Note): void {
  const same = (a: Disk, b: Disk): boolean => (a.id !== null && b.id !== null ? a.id === b.id : a.name === b.name && a.bytes === b.bytes);
  const gone = before.filter((disk) => !after.some((other) => same(disk, other)));
  const come = after.filter((disk) => !before.some((other) => same(disk, other)));
  for (const disk of gone) {
    const swap = come.findIndex((other) => other.name === disk.name);
    const successor = swap < 0 ? undefined : come.splice(swap, 1)[0];
    note(
      `disk ${disk.name}`,
      disc(disk),
      successor === undefined ? null : disc(successor),
      disk.root ? 'the system runs from another disk; space is counted anew' : 'what was stored on it is not here any more',
    );
  }
  for (const disk of come) note(`disk ${disk.name}`, null, disc(disk), 'more room');
}

/** The condition that keeps the difference in sight until it is a day old; `null` where nothing changed. */
export function hardwareChangedCondition(difference: HardwareDifference, now: Millis): Condition | null {
  if (difference.changes.length === 0) return null;
  const text = difference.changes.map(line).join('; ').slice(0, limits.conditionCharactersMax);
  return {
    kind: 'hardware-changed',
    severity: difference.identityChanged ? 'critical' : 'warning',
    text,
    value: difference.changes.length,
    worst: difference.changes.length,
    unit: 'changes',
    since: now,
    until: null,
  };
}

function line(change: HardwareChange): string {
  return `${change.what}: ${change.before ?? 'none'} → ${change.after ?? 'none'} (${change.meaning})`;
}

function describe(facts: ReadonlyMap<string, string>): string | null {
  const [first] = facts;
  return first === undefined ? null : `${first[0]} ${first[1]}`;
}

function disc(disk: Disk): string {
  const id = disk.id === null ? '' : `, ${disk.id.length > 24 ? `${disk.id.slice(0, 24)}…` : disk.id}`;
  return `${disk.model ?? disk.kind} ${gibibytes(disk.bytes)}${id}`;
}

function gibibytes(bytes: number): string {
  return `${Math.round((bytes / 1024 ** 3) * 10) / 10} GiB`;
}
