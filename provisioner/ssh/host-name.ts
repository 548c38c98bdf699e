/**
 * How a person names a host: `name`, `address`, `user@host`, `user@host:port`, `user@[v6]:port`. What does not look like
 * one of these is refused here, before it meets a resolver, a file or a command line. Names that came from the network
 * (mDNS) go through the same gate.
 */
import { isIPv6 } from 'node:net';

/** A machine as a person names it; `null` means "not said". */
export interface HostTarget {
  readonly host: string;
  readonly user: string | null;
  readonly port: number | null;
  readonly identityFiles?: readonly string[];
}

/** Why a text cannot be a host name or address; null when it can. */
export function nameProblem(text: string): string | null {
  if (text === '') return 'is empty';
  if (text.length > 253) return `has ${text.length} characters, more than the 253 a name may have`;
  if (isIPv6(text.replace(/%[A-Za-z0-9_.-]+$/, ''))) return null;
  if (text.startsWith('-')) return 'begins with "-"';
  if (!/^[A-Za-z0-9_.-]+$/.test(text)) return 'contains a character that no host name has';
  return null;
}

/** Why a text cannot be a user name; null when it can. */
export function userProblem(text: string): string | null {
  return /^[A-Za-z0-9_.][A-Za-z0-9_.@\\-]{0,63}\$?$/.test(text) ? null : 'is not a user name';
}

/** Parse what the person typed; a sentence fragment when it cannot be used. */
export function parseHostTarget(text: string): { readonly kind: 'target'; readonly target: HostTarget } | { readonly kind: 'problem'; readonly why: string } {
  const at = text.lastIndexOf('@');
  const user = at < 0 ? null : text.slice(0, at);
  const rest = at < 0 ? text : text.slice(at + 1);
  const bracketed = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(rest);
  const plain = /^([^:[\]]+)(?::(\d{1,5}))?$/.exec(rest);
  const host = bracketed?.[1] ?? plain?.[1] ?? (isIPv6(rest.replace(/%.*$/, '')) ? rest : null);
  const portText = bracketed?.[2] ?? plain?.[2];
  if (host === null) return { kind: 'problem', why: `"${text}" is not host, user@host or user@host:port` };
  const why = nameProblem(host);
  if (why !== null) return { kind: 'problem', why: `the host in "${text}" ${why}` };
  if (user !== null && userProblem(user) !== null) return { kind: 'problem', why: `the user in "${text}" ${userProblem(user) ?? ''}` };
  const port = portText === undefined ? null : Number(portText);
  if (port !== null && (port < 1 || port > 65_535)) return { kind: 'problem', why: `the port in "${text}" is not between 1 and 65535` };
  return { kind: 'target', target: { host, user, port } };
}
