/**
 * Reads what changes only when somebody opens the case: board, processor, memory, operating system. Thin on purpose:
 * every line reads one file and cleans it. What it means is decided elsewhere (`judge/`).
 */
import type { FactsRoot } from './facts-root.ts';
import type { HardwareRecord, Virtualisation } from './facts.ts';
import { limits } from '../limits.ts';
import { readDevices, readGpu, readNpu } from './devices.ts';
import { cleanName, isPlaceholder } from './names.ts';
import { readInterfaces } from './network.ts';
import { readDisks } from './storage.ts';

/** All slow facts of a machine, read afresh. Costs a few milliseconds; call at start, not in the poll. */
export function readRecord(root: FactsRoot): HardwareRecord {
  const cpuinfo = root.text('/proc/cpuinfo') ?? '';
  const { virtualisation, virtualiser } = readVirtualisation(root, cpuinfo);
  const model = cleanName(deviceTree(root, 'model')) ?? dmiName(root);
  return {
    v: 1,
    arch: readArch(root, cpuinfo),
    os: osName(root.text('/etc/os-release') ?? root.text('/usr/lib/os-release') ?? ''),
    kernel: cleanName(root.text('/proc/sys/kernel/osrelease')) ?? 'unknown',
    virtualisation,
    virtualiser,
    model,
    compatible: (deviceTree(root, 'compatible') ?? '')
      .split('\0')
      .filter((entry) => entry !== '')
      .slice(0, limits.compatibleMax),
    serial: usableSerial(deviceTree(root, 'serial-number')) ?? usableSerial(root.text('/sys/devices/soc0/serial_number')),
    dmi: {
      vendor: dmi(root, 'sys_vendor'),
      product: dmi(root, 'product_name'),
      productUuid: usableUuid(root.text('/sys/class/dmi/id/product_uuid')),
      productSerial: usableSerial(root.text('/sys/class/dmi/id/product_serial')),
      boardSerial: usableSerial(root.text('/sys/class/dmi/id/board_serial')),
    },
    cpu: { model: cpuModel(cpuinfo), cores: coreCount(cpuinfo), maxMhz: maxMhz(root) },
    memoryBytes: kibibytes(root.text('/proc/meminfo') ?? '', 'MemTotal') ?? 0,
    pageBytes: pageBytes(root),
    disks: readDisks(root),
    interfaces: readInterfaces(root),
    gpu: readGpu(root),
    npu: readNpu(root),
    devices: readDevices(root),
  };
}

/** A `name: value kB` line of `/proc/meminfo`, in bytes. */
export function kibibytes(meminfo: string, name: string): number | null {
  const match = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo);
  return match?.[1] === undefined ? null : Number(match[1]) * 1_024;
}

function deviceTree(root: FactsRoot, name: string): string | null {
  const text = root.text(`/proc/device-tree/${name}`) ?? root.text(`/sys/firmware/devicetree/base/${name}`);
  return text === null || text === '' ? null : text;
}

function dmi(root: FactsRoot, name: string): string | null {
  const text = cleanName(root.text(`/sys/class/dmi/id/${name}`));
  return text === null || isPlaceholder(text) ? null : text;
}

function dmiName(root: FactsRoot): string | null {
  const product = dmi(root, 'product_name') ?? dmi(root, 'board_name');
  const vendor = dmi(root, 'sys_vendor') ?? dmi(root, 'board_vendor');
  if (product === null) return null;
  return vendor === null || product.startsWith(vendor) ? product : `${vendor} ${product}`;
}

function usableSerial(text: string | null): string | null {
  if (text === null || text.length > 128 || isPlaceholder(text)) return null;
  return cleanName(text)?.toLowerCase() ?? null;
}

/** UUIDs that whole product lines share. */
const SHARED_UUIDS = new Set(['03000200-0400-0500-0006-000700080009', '12345678-1234-5678-90ab-cddeefaabbcc', 'fefefefe-fefe-fefe-fefe-fefefefefefe']);

function usableUuid(text: string | null): string | null {
  const uuid = text?.toLowerCase() ?? '';
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid) || SHARED_UUIDS.has(uuid)) return null;
  return new Set(uuid.replaceAll('-', '')).size <= 2 ? null : uuid;
}

/** The kernel's word for the architecture, in ours; from the files first, so that a staged machine may differ from this one. */
function readArch(root: FactsRoot, cpuinfo: string): string {
  const names = new Map([
    ['aarch64', 'arm64'],
    ['x86_64', 'x64'],
  ]);
  const said = root.text('/proc/sys/kernel/arch');
  if (said !== null) return names.get(said) ?? said;
  if (/^vendor_id\s*:/m.test(cpuinfo)) return 'x64';
  if (/^CPU implementer\s*:/m.test(cpuinfo)) return 'arm64';
  return process.arch;
}

function osName(osRelease: string): string {
  return cleanName(/^PRETTY_NAME="?([^"\n]+)"?/m.exec(osRelease)?.[1] ?? null) ?? 'Linux';
}

/** ARM cores say a part number instead of a name. */
const ARM_PARTS = new Map([
  ['0xd03', 'Cortex-A53'],
  ['0xd04', 'Cortex-A35'],
  ['0xd05', 'Cortex-A55'],
  ['0xd07', 'Cortex-A57'],
  ['0xd08', 'Cortex-A72'],
  ['0xd09', 'Cortex-A73'],
  ['0xd0a', 'Cortex-A75'],
  ['0xd0b', 'Cortex-A76'],
  ['0xd0c', 'Neoverse-N1'],
  ['0xd41', 'Cortex-A78'],
]);

function cpuModel(cpuinfo: string): string | null {
  const named = cleanName(/^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1] ?? null);
  if (named !== null) return named;
  const parts = new Set([...cpuinfo.matchAll(/^CPU part\s*:\s*(0x[0-9a-f]+)$/gm)].map((match) => ARM_PARTS.get(match[1] ?? '') ?? ''));
  parts.delete('');
  return parts.size === 0 ? null : [...parts].sort().join(' + ');
}

function coreCount(cpuinfo: string): number {
  const count = [...cpuinfo.matchAll(/^processor\s*:/gm)].length;
  return Math.max(1, Math.min(count, limits.processorsMax));
}

function maxMhz(root: FactsRoot): number | null {
  let fastest = 0;
  for (const policy of root.list('/sys/devices/system/cpu/cpufreq')) {
    fastest = Math.max(fastest, Number(root.text(`/sys/devices/system/cpu/cpufreq/${policy}/cpuinfo_max_freq`) ?? 0) || 0);
  }
  return fastest === 0 ? null : Math.round(fastest / 1_000);
}

/** The page size is in no file of its own; the ELF auxiliary vector of this process holds it (entry 6, AT_PAGESZ). */
function pageBytes(root: FactsRoot): number | null {
  const vector = root.bytes('/proc/self/auxv');
  if (vector === null) return null;
  const view = new DataView(vector.buffer, vector.byteOffset, vector.byteLength);
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    if (view.getUint32(offset, true) === 6) return view.getUint32(offset + 8, true);
  }
  return null;
}

/** Machine, virtual machine or container. */
export function readVirtualisation(root: FactsRoot, cpuinfo: string): { virtualisation: Virtualisation; virtualiser: string | null } {
  const environment = root.text('/proc/1/environ') ?? '';
  const manager =
    root.text('/run/systemd/container') ??
    environment
      .split('\0')
      .find((entry) => entry.startsWith('container='))
      ?.slice(10);
  if (manager !== undefined && manager !== '') return { virtualisation: 'container', virtualiser: manager };
  if (root.exists('/.dockerenv')) return { virtualisation: 'container', virtualiser: 'docker' };
  if (root.exists('/run/.containerenv')) return { virtualisation: 'container', virtualiser: 'podman' };
  const vendor = [dmi(root, 'sys_vendor'), dmi(root, 'product_name'), dmi(root, 'bios_vendor'), dmi(root, 'board_vendor')].join(' ');
  const named =
    /QEMU|KVM|VMware|VirtualBox|innotek|Xen|Parallels|bhyve|Google Compute|Amazon EC2|OpenStack|Bochs|DigitalOcean|Hetzner|Apple Virtualization/i.exec(
      vendor,
    )?.[0];
  if (named !== undefined) return { virtualisation: 'vm', virtualiser: named };
  if (/Microsoft Corporation/.test(vendor) && /Virtual Machine/.test(vendor)) return { virtualisation: 'vm', virtualiser: 'Hyper-V' };
  const hypervisor = root.text('/sys/hypervisor/type');
  if (hypervisor !== null) return { virtualisation: 'vm', virtualiser: hypervisor };
  const model = deviceTree(root, 'model') ?? '';
  if (/^linux,dummy-virt|QEMU|crosvm/i.test(`${deviceTree(root, 'compatible') ?? ''} ${model}`)) return { virtualisation: 'vm', virtualiser: 'QEMU' };
  if (/^flags\s*:.*\bhypervisor\b/m.test(cpuinfo)) return { virtualisation: 'vm', virtualiser: null };
  return { virtualisation: 'none', virtualiser: null };
}
