/**
 * Which facts an identity is bound to. Pure. Exactly one anchor is taken, the strongest present, so that a node survives whatever
 * people really change (memory, disk, card, USB adapters) and is refused where the machine itself is another one:
 *
 * 1. the board's serial number (device tree or SoC), else the DMI product UUID, else DMI serials;
 * 2. else the permanent address of a built-in network interface;
 * 3. else the identifier of the disk or card that carries the root file system;
 * 4. else, and always in a container, the address of the interface on the LAN.
 *
 * `/etc/machine-id` is never taken: cloned images share it.
 */
import type { HardwareRecord } from '../facts/facts.ts';

/** Name and value of the anchor; empty where the machine has none. */
export function bindingFacts(record: HardwareRecord): ReadonlyMap<string, string> {
  const anchor =
    record.virtualisation === 'container' ? lanAnchor(record) : (boardAnchor(record) ?? networkAnchor(record) ?? diskAnchor(record) ?? lanAnchor(record));
  return new Map(anchor === undefined ? [] : [anchor]);
}

type Anchor = readonly [name: string, value: string];

function boardAnchor(record: HardwareRecord): Anchor | undefined {
  if (record.serial !== null) return ['board serial', record.serial];
  if (record.dmi.productUuid !== null) return ['product UUID', record.dmi.productUuid];
  if (record.dmi.boardSerial !== null) return ['board serial', `${record.dmi.vendor ?? ''} ${record.dmi.boardSerial}`.trim()];
  if (record.dmi.productSerial !== null) return ['product serial', `${record.dmi.vendor ?? ''} ${record.dmi.productSerial}`.trim()];
  return undefined;
}

function networkAnchor(record: HardwareRecord): Anchor | undefined {
  const [lowest] = record.interfaces
    .filter((candidate) => candidate.permanent && candidate.bus === 'built-in')
    .map((candidate) => candidate.mac)
    .sort();
  return lowest === undefined ? undefined : ['built-in MAC address', lowest];
}

function diskAnchor(record: HardwareRecord): Anchor | undefined {
  const disk = record.disks.find((candidate) => candidate.root);
  // Virtual disks carry made-up identifiers that copies share.
  return disk === undefined || disk.id === null || disk.kind === 'virtual'
    ? undefined
    : [`identifier of ${disk.kind === 'sd' ? 'the card' : 'the disk'}`, disk.id];
}

function lanAnchor(record: HardwareRecord): Anchor | undefined {
  const first = record.interfaces[0];
  return first === undefined ? undefined : ['MAC address on the LAN', first.mac];
}
