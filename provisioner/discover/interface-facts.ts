/**
 * Reads what the kernel says about every network interface: names from /proc/net/dev, particulars from /sys/class/net,
 * addresses from the operating system. Reads only; runs nothing. A sysfs that belongs to another network namespace (some
 * containers) lacks the interface's folder: then its particulars are null, not guessed.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { basename, join } from 'node:path';
import type { InterfaceAddress, InterfaceFacts } from '#provisioner/discover/interfaces.ts';

const FLAG_UP = 0x1;
const FLAG_LOOPBACK = 0x8;
const FLAG_POINT_TO_POINT = 0x10;
const FLAG_MULTICAST = 0x1000;
/** ARP hardware types (include/uapi/linux/if_arp.h). */
const ARPHRD_LOOPBACK = 772;
const ARPHRD_NONE = 65_534;
const ARPHRD_PPP = 512;

/** Facts of all interfaces of this network namespace, sorted by name. */
export function readInterfaceFacts(sysClassNet = '/sys/class/net', procNet = '/proc/net'): readonly InterfaceFacts[] {
  const addresses = networkInterfaces();
  const names = new Set([...interfaceNames(procNet), ...Object.keys(addresses)]);
  return [...names].sort().map((name) => withNamedVlan(factsOf(name, join(sysClassNet, name), procNet, addresses[name] ?? []), names));
}

// By custom `eth0.20` is VLAN 20 of eth0, also where another kind of device stands in for it.
function withNamedVlan(facts: InterfaceFacts, names: ReadonlySet<string>): InterfaceFacts {
  const parent = /^(.+)\.\d{1,4}$/.exec(facts.name)?.[1];
  return facts.vlanOf === null && parent !== undefined && names.has(parent) ? { ...facts, vlanOf: parent } : facts;
}

function factsOf(name: string, folder: string, procNet: string, addresses: NonNullable<ReturnType<typeof networkInterfaces>[string]>): InterfaceFacts {
  const flagsText = read(join(folder, 'flags'));
  const flags = flagsText === undefined ? undefined : Number(flagsText);
  const has = (flag: number): boolean | null => (flags === undefined ? null : (flags & flag) !== 0);
  const type = Number(read(join(folder, 'type')) ?? '1');
  const operstate = read(join(folder, 'operstate'));
  const carrierText = read(join(folder, 'carrier'));
  const kind = /^DEVTYPE=(.*)$/m.exec(read(join(folder, 'uevent')) ?? '')?.[1];
  const mac = addresses.find((address) => address.mac !== '00:00:00:00:00:00')?.mac ?? read(join(folder, 'address'));
  return {
    name,
    mac: mac === undefined || mac === '' || mac === '00:00:00:00:00:00' ? null : mac.toLowerCase(),
    ipv4: addressesOf(addresses, 'IPv4'),
    ipv6: addressesOf(addresses, 'IPv6'),
    up: has(FLAG_UP),
    carrier: carrierText === undefined ? (operstate === 'down' || operstate === 'lowerlayerdown' ? false : null) : carrierText === '1',
    loopback: has(FLAG_LOOPBACK) ?? (type === ARPHRD_LOOPBACK || addresses.some((address) => address.internal)),
    pointToPoint: has(FLAG_POINT_TO_POINT) === true || type === ARPHRD_PPP,
    multicast: has(FLAG_MULTICAST),
    physical: existsSync(join(folder, 'device')),
    bridgePorts: existsSync(join(folder, 'bridge')) ? portsOf(folder) : null,
    vlanOf: kind === 'vlan' || existsSync(join(procNet, 'vlan', name)) ? (vlanParent(name, folder, procNet) ?? 'another interface') : null,
    master: linkName(join(folder, 'master')),
    tunnel: existsSync(join(folder, 'tun_flags')) || kind === 'wireguard' || type === ARPHRD_NONE || (type >= 768 && type <= 778 && type !== ARPHRD_LOOPBACK),
  };
}

function addressesOf(addresses: NonNullable<ReturnType<typeof networkInterfaces>[string]>, family: 'IPv4' | 'IPv6'): readonly InterfaceAddress[] {
  return addresses
    .filter((address) => address.family === family)
    .map(({ address, cidr }) => ({ address, prefix: Number(cidr?.split('/')[1] ?? (family === 'IPv4' ? 32 : 128)) }));
}

function portsOf(folder: string): readonly { name: string; physical: boolean }[] {
  return list(join(folder, 'brif')).map((name) => ({
    name,
    physical: existsSync(join(folder, 'brif', name, '..', 'device')) || existsSync(join(folder, '..', name, 'device')),
  }));
}

function vlanParent(name: string, folder: string, procNet: string): string | undefined {
  const lower = list(folder).find((entry) => entry.startsWith('lower_'));
  return lower?.slice('lower_'.length) ?? /^Device: (\S+)$/m.exec(read(join(procNet, 'vlan', name)) ?? '')?.[1];
}

function interfaceNames(procNet: string): readonly string[] {
  const lines = (read(join(procNet, 'dev')) ?? '').split('\n').slice(2);
  return lines.flatMap((line) => /^\s*([^:\s]+):/.exec(line)?.[1] ?? []);
}

function linkName(path: string): string | null {
  try {
    return basename(readlinkSync(path));
  } catch (error) {
    return ignoreAbsence(error, null);
  }
}

function list(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (error) {
    return ignoreAbsence(error, []);
  }
}

// Reading `carrier` of an interface that is down fails with EINVAL; interfaces may vanish between listing and reading.
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (error) {
    return ignoreAbsence(error, undefined);
  }
}

function ignoreAbsence<Value>(error: unknown, value: Value): Value {
  if (error instanceof Error && 'code' in error && ['ENOENT', 'EINVAL', 'ENODEV', 'ENOTDIR', 'EACCES'].includes(String(error.code))) return value;
  throw error;
}
