/**
 * `~/.ssh/config` for people who already named their machines there: an alias becomes host, port, user, keys and jumps.
 * `Match exec` is never evaluated (nothing a network said may start a program), and options that weaken the host-key
 * check are not honoured.
 */
import { globSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { Fault } from '#core/errors/fault.ts';
import { nameProblem, type HostTarget } from './host-name.ts';
import { includeDepthMax, jumpCountMax, secretFileBytesMax } from './limits.ts';
import SSHConfig from 'ssh-config';

/** Everything needed to open a connection. */
export interface Route {
  /** As the person called it; known_hosts and messages use it. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Tried in this order; files that do not exist are passed over. */
  readonly identityFiles: readonly string[];
  /** Keys were named by the person, so the agent's other keys come after them. */
  readonly identitiesNamed: boolean;
  readonly identitiesOnly: boolean;
  /** Socket of the SSH agent; null for none. */
  readonly agentSocket: string | null;
  readonly knownHostsFiles: readonly string[];
  /** Machines to pass through, first one first. */
  readonly jumps: readonly Route[];
}

/** What the resolution depends on, so that tests bring their own. */
export interface ClientEnvironment {
  readonly home: string;
  readonly user: string;
  readonly agentSocket: string | null;
  /** Parsed configuration; null when there is none. */
  readonly config: SSHConfig | null;
  /** Given on the command line; they win over the configuration. */
  readonly override: {
    readonly user: string | null;
    readonly port: number | null;
    readonly identityFiles: readonly string[];
    readonly knownHostsFiles: readonly string[];
  };
}

/** Read `~/.ssh/config` (or another file) with its Includes. */
export function loadClientConfig(file: string, home: string = homedir()): SSHConfig | null {
  const text = readWithIncludes(file, home, 0);
  if (text === null) return null;
  try {
    return SSHConfig.parse(text);
  } catch (error) {
    throw new Fault('RN-PROV-034', `${file} cannot be understood: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Where and how to connect for a target. Pure but for the environment it is given. */
export function resolveRoute(target: HostTarget, environment: ClientEnvironment, depth = 0): Route {
  const { home, override } = environment;
  const computed = environment.config?.compute(target.host, { ignoreCase: true, matchExec: false }) ?? {};
  const one = (key: string): string | null => {
    const value = computed[key];
    return typeof value === 'string' ? value : (value?.[0] ?? null);
  };
  const many = (key: string): readonly string[] => {
    const value = computed[key];
    return value === undefined ? [] : typeof value === 'string' ? [value] : value;
  };
  const user = target.user ?? override.user ?? one('user') ?? environment.user;
  const port = target.port ?? override.port ?? parsePortOf(one('port'), target.host);
  const address = expand(one('hostname') ?? target.host, { home, host: target.host, user, port });
  const problem = nameProblem(address);
  if (problem !== null) throw new Fault('RN-PROV-034', `HostName of ${target.host} ${problem}`);
  const path = (value: string): string => expand(value, { home, host: address, user, port });
  const named = [...(target.identityFiles ?? []), ...override.identityFiles, ...many('identityfile')].map(path);
  const defaults = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name));
  const knownHosts = override.knownHostsFiles.length > 0 ? override.knownHostsFiles : splitPaths(many('userknownhostsfile')).map(path);
  const identityAgent = one('identityagent');
  return {
    name: target.host,
    address,
    port,
    user,
    identityFiles: named.length > 0 ? named : defaults,
    identitiesNamed: named.length > 0,
    identitiesOnly: one('identitiesonly')?.toLowerCase() === 'yes',
    agentSocket: agentSocketOf(identityAgent, environment.agentSocket, path),
    knownHostsFiles: knownHosts.length > 0 ? knownHosts : [join(home, '.ssh', 'known_hosts')],
    jumps: jumpsOf(one('proxyjump'), environment, depth),
  };
}

function jumpsOf(value: string | null, environment: ClientEnvironment, depth: number): readonly Route[] {
  if (value === null || value.toLowerCase() === 'none') return [];
  const hops = value.split(',').map((hop) => hop.trim());
  if (hops.length > jumpCountMax || depth >= jumpCountMax)
    throw new Fault('RN-PROV-034', `ProxyJump ${value} has more than ${jumpCountMax} jumps or leads back to itself`);
  // The command line's user, port and key are for the target, not for the machines on the way.
  const plain: ClientEnvironment = { ...environment, override: { ...environment.override, user: null, port: null } };
  return hops.flatMap((hop) => {
    const match = /^(?:ssh:\/\/)?(?:([^@\s]+)@)?(\[[^\]]+\]|[^:\s]+)(?::(\d+))?$/.exec(hop);
    const host = match?.[2]?.replace(/^\[|\]$/g, '');
    if (host === undefined) throw new Fault('RN-PROV-034', `ProxyJump "${hop}" is not [user@]host[:port]`);
    const route = resolveRoute({ host, user: match?.[1] ?? null, port: match?.[3] === undefined ? null : Number(match[3]) }, plain, depth + 1);
    return [...route.jumps, { ...route, jumps: [] }];
  });
}

function agentSocketOf(identityAgent: string | null, fallback: string | null, path: (value: string) => string): string | null {
  if (identityAgent === null || identityAgent === 'SSH_AUTH_SOCK') return fallback;
  return identityAgent.toLowerCase() === 'none' ? null : path(identityAgent);
}

function parsePortOf(value: string | null, host: string): number {
  if (value === null) return 22;
  const port = Number(value);
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new Fault('RN-PROV-034', `Port ${value} of ${host} is not a port number`);
  return port;
}

function splitPaths(values: readonly string[]): readonly string[] {
  return values.flatMap((value) => value.split(/\s+/)).filter((value) => value !== '' && value !== 'none');
}

function expand(value: string, known: { home: string; host: string; user: string; port: number }): string {
  const tokens: Record<string, string> = { '%h': known.host, '%r': known.user, '%p': String(known.port), '%d': known.home, '%n': known.host, '%%': '%' };
  return value.replace(/^~(?=\/|$)/, known.home).replace(/%[hrpdn%]/g, (token) => tokens[token] ?? token);
}

function readWithIncludes(file: string, home: string, depth: number): string | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('RN-PROV-034', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  if (text.length > secretFileBytesMax * 16) throw new Fault('RN-PROV-034', `${file} is larger than the ${secretFileBytesMax * 16} bytes that are read`);
  return text
    .split('\n')
    .map((line) => {
      const include = /^\s*include\s+(.+?)\s*$/i.exec(line)?.[1];
      if (include === undefined) return line;
      if (depth >= includeDepthMax) return '';
      return include
        .split(/\s+/)
        .map((pattern) => pattern.replaceAll('"', '').replace(/^~(?=\/)/, home))
        .map((pattern) => (isAbsolute(pattern) ? pattern : join(home, '.ssh', pattern)))
        .flatMap((pattern) => globSync(pattern).map((path) => readWithIncludes(isAbsolute(path) ? path : join(dirname(file), path), home, depth + 1) ?? ''))
        .join('\n');
    })
    .join('\n');
}
