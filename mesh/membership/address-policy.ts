/**
 * Which addresses may be dialled on hearsay (protocol.md §2.14, mDNS): private, unique-local, link-local and loopback
 * literals. A spoofed hint can therefore never turn a mesh into a weapon against a host on the internet. Addresses that
 * a person typed are not subject to this.
 */

/** A place to dial. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** `host:port`, with brackets around IPv6 literals. */
export function addressText(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}

/** How an IPv6 literal looks, zone included. Whether it is one is for the socket to say. */
const IPV6_LITERAL = /^[0-9a-fA-F:.]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*(?:%[A-Za-z0-9_.-]+)?$/;

/** Parse `host:port`, `[v6]:port` or a bare host with a default port; `undefined` where it is none of these. */
export function parseAddress(text: string, portDefault: number): Address | undefined {
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text);
  if (bracketed?.[1] !== undefined) return IPV6_LITERAL.test(bracketed[1]) ? withPort(bracketed[1], bracketed[2], portDefault) : undefined;
  if (IPV6_LITERAL.test(text)) return withPort(text, undefined, portDefault);
  const plain = /^([A-Za-z0-9._-]{1,253})(?::(\d{1,5}))?$/.exec(text);
  return plain?.[1] === undefined ? undefined : withPort(plain[1], plain[2], portDefault);
}

function withPort(host: string, port: string | undefined, portDefault: number): Address | undefined {
  const value = port === undefined ? portDefault : Number(port);
  return value >= 1 && value <= 65_535 ? { host, port: value } : undefined;
}

/** Whether a hint from the network may be dialled: only literals of addresses that never leave the site. */
export function isLocalAddress(host: string): boolean {
  const four = ipv4(host);
  if (four !== undefined) return isLocalIpv4(four);
  const text = host.toLowerCase().split('%')[0] ?? '';
  if (!/^[0-9a-f:.]+$/.test(text) || !text.includes(':')) return false;
  if (text.startsWith('::ffff:')) {
    const mapped = ipv4(text.slice(7));
    return mapped !== undefined && isLocalIpv4(mapped);
  }
  if (text === '::1') return true;
  const first = Number.parseInt(text.split(':')[0] ?? '', 16);
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80;
}

function ipv4(host: string): readonly number[] | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(host);
  if (match === null) return undefined;
  const parts = match.slice(1).map(Number);
  return parts.every((part) => part <= 255) ? parts : undefined;
}

function isLocalIpv4(parts: readonly number[]): boolean {
  const [a = 0, b = 0] = parts;
  return a === 10 || a === 127 || (a === 172 && b >= 16 && b <= 31) || (a === 192 && b === 168) || (a === 169 && b === 254);
}

/**
 * Whether somebody stands in between: on one link nothing translates addresses, so where the other end sees us must be
 * where we are. Undefined for two addresses of different links (a router may translate there) and for host names.
 */
export function isRelayed(seenAt: string, local: string): boolean | undefined {
  const [seen, own] = [literal(seenAt), literal(local)];
  if (seen === undefined || own === undefined || isLoopback(seen) || isLoopback(own)) return undefined;
  if (seen === own) return false;
  return linkOf(seen) === linkOf(own) ? true : undefined;
}

/** An address literal in one spelling: no zone, no IPv4 inside IPv6. */
function literal(host: string): string | undefined {
  const text = (host.split('%')[0] ?? '').toLowerCase().replace(/^::ffff:(?=\d+\.)/, '');
  return ipv4(text) !== undefined || /^[0-9a-f:]*:[0-9a-f:]+$/.test(text) ? text : undefined;
}

function isLoopback(text: string): boolean {
  return text === '::1' || text.startsWith('127.');
}

/** What two addresses of one link have in common, as most links are cut: a /24, or a /64. */
function linkOf(text: string): string {
  return text.includes(':') ? sourceKey(text) : text.split('.').slice(0, 3).join('.');
}

/** The part of a source address that connection limits count by: an IPv4 address, or the /64 of an IPv6 one (§2.15). */
export function sourceKey(host: string): string {
  const plain = host.startsWith('::ffff:') ? host.slice(7) : host;
  if (!plain.includes(':')) return plain;
  const [head = '', tail = ''] = (plain.split('%')[0] ?? '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === '' ? [] : tail.split(':');
  const missing = plain.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0;
  return [...left, ...Array.from({ length: missing }, () => '0'), ...right].slice(0, 4).join(':');
}
