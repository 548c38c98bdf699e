/** Host names, addresses and ports as people type them. Nothing is resolved here, and nothing accepted that a shell or a terminal could misread. */
import { parsed, type Parsed, problem } from '#core/terminal/parsed.ts';

/** A place to connect to; `port` is undefined where none was written. */
export interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** A TCP port between 1 and 65 535. */
export function parsePort(text: string): Parsed<number> {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? parsed(port) : problem(`'${text}' is not a port; write a number from 1 to 65535`);
}

/** Whether a text is a host name of letters, digits, `-`, `_` and dots, or an IPv4 address. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && /^(?!-)[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62}))*\.?$/.test(text);
}

/** Whether a text looks like an IPv6 address, with or without a zone. */
export function isIpv6(text: string): boolean {
  return /^[0-9a-fA-F:]*:[0-9a-fA-F:]*(?:\d+\.\d+\.\d+\.\d+)?(?:%[A-Za-z0-9._-]+)?$/.test(text) && text.length >= 2;
}

/** `pi.local`, `10.0.0.5:7411`, `[fe80::1%eth0]:7411`, `fe80::1`. */
export function parseHostPort(text: string): Parsed<HostPort> {
  const expected = `'${text}' is not an address; write HOST or HOST:PORT, an IPv6 address with a port as [ADDRESS]:PORT`;
  const bracketed = /^\[([^\]]+)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return withPort(bracketed[1] ?? '', bracketed[2], isIpv6, expected);
  if (isIpv6(text)) return parsed({ host: text, port: undefined });
  const [host = '', port, ...rest] = text.split(':');
  return rest.length > 0 ? problem(expected) : withPort(host, port, isHostName, expected);
}

function withPort(host: string, port: string | undefined, valid: (host: string) => boolean, expected: string): Parsed<HostPort> {
  if (!valid(host)) return problem(expected);
  if (port === undefined) return parsed({ host, port: undefined });
  const number = parsePort(port);
  return number.kind === 'value' ? parsed({ host, port: number.value }) : problem(`'${text(host, port)}': ${number.problem}`);
}

function text(host: string, port: string): string {
  return `${host}:${port}`;
}

/** `host:port`, with brackets around IPv6. */
export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${String(port)}` : `${host}:${String(port)}`;
}
