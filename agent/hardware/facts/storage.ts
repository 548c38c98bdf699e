/** Reads disks, cards and mounts: what they are, how big, which one carries the root file system. */
import type { FactsRoot } from './facts-root.ts';
import type { Disk, StorageKind } from './facts.ts';
import { limits } from '../limits.ts';
import { cleanName } from './names.ts';

const SECTOR_BYTES = 512;

/** Whole disks, sorted by name; loop devices, RAM disks and optical drives are none. */
export function readDisks(root: FactsRoot): readonly Disk[] {
  const mounted = rootDevice(root);
  const disks: Disk[] = [];
  for (const name of root.list('/sys/block')) {
    if (/^(loop|ram|zram|dm-|md|sr|fd|nbd|mmcblk\d+(boot|rpmb|gp))/.test(name)) continue;
    const bytes = Number(root.text(`/sys/block/${name}/size`) ?? 0) * SECTOR_BYTES;
    if (!(bytes > 0)) continue;
    if (disks.length >= limits.disksMax) break;
    disks.push({ name, kind: storageKind(root, name), bytes, model: diskModel(root, name), id: diskId(root, name), root: isRoot(mounted, name) });
  }
  const only = disks.length === 1 ? disks[0] : undefined;
  // A container or an overlay hides the device; with a single disk there is nothing to mix up.
  return only === undefined || only.root || mounted !== null ? disks : [{ ...only, root: true }];
}

function storageKind(root: FactsRoot, name: string): StorageKind {
  if (name.startsWith('mmcblk')) return root.text(`/sys/block/${name}/device/type`) === 'MMC' ? 'emmc' : 'sd';
  if (name.startsWith('nvme')) return 'nvme';
  if (/^(vd|xvd)/.test(name)) return 'virtual';
  const vendor = `${root.text(`/sys/block/${name}/device/vendor`) ?? ''} ${root.text(`/sys/block/${name}/device/model`) ?? ''}`;
  if (/QEMU|VBOX|VMware|Virtual/i.test(vendor)) return 'virtual';
  const rotational = root.text(`/sys/block/${name}/queue/rotational`);
  return rotational === '1' ? 'hdd' : rotational === '0' ? 'ssd' : 'unknown';
}

function diskModel(root: FactsRoot, name: string): string | null {
  return cleanName(root.text(`/sys/block/${name}/device/model`)) ?? cleanName(root.text(`/sys/block/${name}/device/name`));
}

function diskId(root: FactsRoot, name: string): string | null {
  const places = ['device/cid', 'wwid', 'device/wwid', 'device/serial', 'serial'];
  for (const place of places) {
    const text = cleanName(root.text(`/sys/block/${name}/${place}`));
    if (text !== null && !/^0+$/.test(text)) return text.toLowerCase();
  }
  return null;
}

/** The kernel name of the device mounted at `/`; null behind overlays, images and network roots. */
function rootDevice(root: FactsRoot): string | null {
  const mount = readMounts(root).findLast((entry) => entry.at === '/');
  if (mount === undefined || !mount.source.startsWith('/dev/')) return null;
  if (mount.source === '/dev/root') return /\broot=\/dev\/(\S+)/.exec(root.text('/proc/cmdline') ?? '')?.[1] ?? null;
  return mount.source.slice('/dev/'.length);
}

function isRoot(mounted: string | null, disk: string): boolean {
  if (mounted === null) return false;
  const rest = mounted.startsWith(disk) ? mounted.slice(disk.length) : null;
  return rest !== null && (/\d$/.test(disk) ? /^(p\d+)?$/ : /^\d*$/).test(rest);
}

/** One mounted file system. */
export interface Mount {
  readonly at: string;
  readonly source: string;
  /** The file system itself is read-only, not merely this view of it. */
  readonly readOnly: boolean;
}

/**
 * Mounted file systems in mount order. `mountinfo` tells a read-only file system (an error did that) from a read-only view of a
 * writable one (a hardened service sees all of `/` so); `/proc/mounts`, simpler to stage, is used where `mountinfo` is absent.
 */
export function readMounts(root: FactsRoot): readonly Mount[] {
  const detailed = root.text('/proc/self/mountinfo');
  const mounts: Mount[] = [];
  if (detailed !== null) {
    for (const line of detailed.split('\n')) {
      const [left, right] = line.split(' - ');
      const at = left?.split(' ')[4];
      const [, source, options] = right?.split(' ') ?? [];
      if (at !== undefined && source !== undefined && options !== undefined) mounts.push({ at, source, readOnly: options.split(',').includes('ro') });
    }
    return mounts;
  }
  for (const line of (root.text('/proc/mounts') ?? '').split('\n')) {
    const [source, at, , options] = line.split(' ');
    if (source !== undefined && at !== undefined && options !== undefined) mounts.push({ at, source, readOnly: options.split(',').includes('ro') });
  }
  return mounts;
}

/** The mount that holds a path. */
export function mountOf(mounts: readonly Mount[], path: string): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const inside = mount.at === '/' || path === mount.at || path.startsWith(`${mount.at}/`);
    if (inside && mount.at.length >= (best?.at.length ?? 0)) best = mount;
  }
  return best;
}
