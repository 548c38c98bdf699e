/** Which addresses a scan may ask about: directly attached private networks, and no larger than a household or workshop needs. Pure. */
import { ipv4Number, type InterfaceVerdict } from './interfaces.ts';

/** A /22 has 1 022 hosts; larger networks are looked at by mDNS and the neighbour table only. */
export const prefixMin = 22;

export interface Subnet {
  readonly interface: string;
  /** `192.168.1.0/24`. */
  readonly text: string;
  readonly hosts: readonly string[];
}

/** The subnets of usable interfaces that may be looked through, and why others may not. */
export function subnetsOf(verdicts: readonly InterfaceVerdict[]): { readonly subnets: readonly Subnet[]; readonly skipped: readonly string[] } {
  const subnets: Subnet[] = [];
  const skipped: string[] = [];
  for (const verdict of verdicts.filter((each) => each.used))
    for (const { address, prefix } of verdict.ipv4) {
      const own = ipv4Number(address);
      if (own === undefined) continue;
      const span = 2 ** (32 - prefix);
      const base = Math.floor(own / span) * span;
      const text = `${dotted(base)}/${prefix}`;
      if (!isPrivate(own)) skipped.push(`${text} on ${verdict.name} is not a private network`);
      else if (prefix < prefixMin) skipped.push(`${text} on ${verdict.name} is larger than /${prefixMin}`);
      else if (prefix < 31 && !subnets.some((known) => known.text === text))
        subnets.push({
          interface: verdict.name,
          text,
          hosts: Array.from({ length: span - 2 }, (_, index) => dotted(base + 1 + index)).filter((host) => host !== address),
        });
    }
  return { subnets, skipped };
}

/** RFC 1918 and link-local. */
export function isPrivate(address: number): boolean {
  const inside = (base: string, prefix: number): boolean =>
    Math.floor(address / 2 ** (32 - prefix)) === Math.floor((ipv4Number(base) ?? 0) / 2 ** (32 - prefix));
  return inside('10.0.0.0', 8) || inside('172.16.0.0', 12) || inside('192.168.0.0', 16) || inside('169.254.0.0', 16);
}

/** The name to ask for when the host name of an address is wanted. */
export function reverseName(address: string): string {
  return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
}

/** The address a reverse name speaks of; null for other names. */
export function addressOfReverse(name: string): string | null {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.in-addr\.arpa\.?$/i.exec(name);
  return match === null ? null : `${match[4] ?? ''}.${match[3] ?? ''}.${match[2] ?? ''}.${match[1] ?? ''}`;
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
