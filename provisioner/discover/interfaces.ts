/**
 * Which network interfaces face the LAN, and why each of the others was passed over. Pure: the facts come from
 * interface-facts.ts, so that every case is a row of a table in the test. Never decides by name where a fact can be had.
 */
import { unreachable } from '#core/errors/assert.ts';

/** An IPv4 address of an interface with the length of its network prefix. */
export interface InterfaceAddress {
  readonly address: string;
  readonly prefix: number;
}

/** What the kernel says about one interface; null where it does not say. */
export interface InterfaceFacts {
  readonly name: string;
  readonly mac: string | null;
  readonly ipv4: readonly InterfaceAddress[];
  readonly ipv6: readonly InterfaceAddress[];
  readonly up: boolean | null;
  /** A cable is plugged in or the radio is associated. */
  readonly carrier: boolean | null;
  readonly loopback: boolean;
  readonly pointToPoint: boolean;
  readonly multicast: boolean | null;
  /** A bus device (PCI, USB, SDIO) stands behind it. */
  readonly physical: boolean;
  /** Names of the ports when it is a bridge, with whether each is physical. */
  readonly bridgePorts: readonly { readonly name: string; readonly physical: boolean }[] | null;
  /** The interface it is a VLAN of. */
  readonly vlanOf: string | null;
  /** The bridge or bond it is a port of. */
  readonly master: string | null;
  /** A TUN, TAP, WireGuard or other tunnel device. */
  readonly tunnel: boolean;
}

export type PassedOver =
  'loopback' | 'down' | 'no-carrier' | 'tunnel' | 'point-to-point' | 'bridge' | 'vlan' | 'port' | 'no-multicast' | 'no-address' | 'not-chosen';

/** The judgement of one interface. `text` is a whole sentence for `doctor`. */
export interface InterfaceVerdict {
  readonly name: string;
  readonly used: boolean;
  readonly reason: PassedOver | null;
  readonly text: string;
  readonly mac: string | null;
  readonly ipv4: readonly InterfaceAddress[];
}

/** One verdict per interface, in the order given. `chosen` names interfaces from the configuration: then only those, and even unusual kinds. */
export function judgeInterfaces(facts: readonly InterfaceFacts[], chosen: readonly string[] = []): readonly InterfaceVerdict[] {
  return facts.map((fact) => {
    const reason = whyNot(fact, chosen);
    return {
      name: fact.name,
      used: reason === null,
      reason,
      text: reason === null ? usedText(fact) : explain(fact, reason, chosen),
      mac: fact.mac,
      ipv4: fact.ipv4,
    };
  });
}

function whyNot(fact: InterfaceFacts, chosen: readonly string[]): PassedOver | null {
  const forced = chosen.includes(fact.name);
  if (chosen.length > 0 && !forced) return 'not-chosen';
  if (fact.loopback && !forced) return 'loopback';
  if (fact.up === false) return 'down';
  if (!forced) {
    if (fact.master !== null) return 'port';
    if (fact.vlanOf !== null) return 'vlan';
    if (fact.bridgePorts !== null && !fact.bridgePorts.some((port) => port.physical)) return 'bridge';
    if (fact.tunnel) return 'tunnel';
    if (fact.pointToPoint) return 'point-to-point';
  }
  if (fact.carrier === false) return 'no-carrier';
  if (fact.multicast === false && !fact.loopback) return 'no-multicast';
  if (fact.ipv4.length === 0) return 'no-address';
  return null;
}

function usedText(fact: InterfaceFacts): string {
  const addresses = fact.ipv4.map(({ address, prefix }) => `${address}/${String(prefix)}`).join(', ');
  return `used, with ${addresses}`;
}

function explain(fact: InterfaceFacts, reason: PassedOver, chosen: readonly string[]): string {
  switch (reason) {
    case 'loopback':
      return 'passed over: loopback, reaches only this machine';
    case 'down':
      return `passed over: switched off; \`ip link set ${fact.name} up\` switches it on`;
    case 'no-carrier':
      return 'passed over: no carrier (no cable, dead link or Wi-Fi not associated)';
    case 'tunnel':
      return 'passed over: a tunnel (VPN or virtual machine), not a LAN';
    case 'point-to-point':
      return 'passed over: a point-to-point link has no LAN behind it';
    case 'bridge':
      return `passed over: a bridge for containers or virtual machines (docker style, ${portsText(fact)}), not the LAN`;
    case 'vlan':
      return `passed over: a VLAN sub-interface of ${fact.vlanOf ?? 'another interface'}; name it under \`interfaces\` in the configuration to use it`;
    case 'port':
      return `passed over: a port of ${fact.master ?? 'a bridge'}, which speaks for it`;
    case 'no-multicast':
      return 'passed over: the device cannot multicast';
    case 'no-address':
      return 'passed over: no IPv4 address (DHCP not answered, or nothing configured)';
    case 'not-chosen':
      return `passed over: the configuration names only ${chosen.join(', ')}`;
    default:
      return unreachable(reason);
  }
}

function portsText(fact: InterfaceFacts): string {
  const ports = fact.bridgePorts ?? [];
  return ports.length === 0 ? 'without ports' : `only virtual ports: ${ports.map((port) => port.name).join(', ')}`;
}

/** Whether an IPv4 address lies in one of the interface's networks. */
export function isOnInterface(address: string, addresses: readonly InterfaceAddress[]): boolean {
  const value = ipv4Number(address);
  if (value === undefined) return false;
  return addresses.some(({ address: own, prefix }) => {
    const ownValue = ipv4Number(own);
    const span = 2 ** (32 - prefix);
    return ownValue !== undefined && Math.floor(ownValue / span) === Math.floor(value / span);
  });
}

/** The 32-bit number of a dotted quad. */
export function ipv4Number(address: string): number | undefined {
  const parts = address.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + Number(part), 0);
}
