/**
 * Brings a lab's hosts into the states the use cases begin with: a founded mesh, members, a foreign mesh. Everything is
 * done with the programs' own commands, as a person would.
 */
import type { NodeView } from '#mesh/swarm/views.ts';
import type { Host } from '../lab/host/host.ts';
import { type Waited, waitFor } from '../lab/wait-for.ts';
import { nodesOf, robonetOk, statusOf } from './documents.ts';

/** How the mesh is founded. */
export interface FoundingOptions {
  readonly name?: string;
  readonly admission?: 'approve' | 'closed' | 'token' | 'open';
  readonly trustProfile?: 'home' | 'lab' | 'fleet';
}

const SEEN_WITHIN_MS = 90_000;

/** Founds a mesh on a host that has `robonet`. */
export async function found(host: Host, options: FoundingOptions = {}): Promise<void> {
  await robonetOk(host, [
    'init',
    options.name ?? 'homelab',
    ...(options.admission === undefined ? [] : ['--admission', options.admission]),
    ...(options.trustProfile === undefined ? [] : ['--trust-profile', options.trustProfile]),
  ]);
}

/** A fresh single-use invitation. */
export async function invite(host: Host, options: readonly string[] = []): Promise<string> {
  const document = await robonetOk<{ readonly token: string }>(host, ['invite', ...options]);
  if (!document.token.startsWith('rnj1.')) throw new Error('the invitation holds no token');
  return document.token;
}

/** Joins with a token on standard input. */
export async function joinByToken(host: Host, token: string, options: readonly string[] = []): Promise<void> {
  await robonetOk(host, ['join', '--token-file', '-', '--wait', '30', ...options], { stdin: `${token}\n` });
}

/** Invites and joins, one after another. */
export async function adopt(sponsor: Host, hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) await joinByToken(host, await invite(sponsor));
}

/** Waits until a host sees exactly these members, all up: for a minute and a half, or as long as the use case gives. */
export async function waitForMembers(
  observer: Host,
  names: readonly string[],
  evidence?: () => Promise<string>,
  withinMs = SEEN_WITHIN_MS,
): Promise<Waited<readonly NodeView[]>> {
  const wanted = [...names].sort().join(' ');
  return waitFor(`${observer.name} sees ${wanted} up`, { withinMs, ...(evidence === undefined ? {} : { evidence }) }, async () => {
    const nodes = await nodesOf(observer);
    const seen = nodes.map((node) => `${node.name}:${node.liveness}`).sort();
    if (
      seen.join(' ') ===
      [...names]
        .map((name) => `${name}:up`)
        .sort()
        .join(' ')
    )
      return nodes;
    throw new Error(`sees ${seen.join(' ')}`);
  });
}

/** Throws unless every host is a member that sees all the others up and reports no critical problem. */
export async function expectHealthy(hosts: readonly Host[], members: readonly string[] = hosts.map((host) => host.name)): Promise<void> {
  for (const host of hosts) {
    await waitForMembers(host, members);
    const status = await statusOf(host);
    const critical = status.problems.filter((problem) => problem.severity === 'critical');
    if (status.state !== 'member' || critical.length > 0) throw new Error(`${host.name} is not healthy: ${status.state} ${JSON.stringify(critical)}`);
  }
}

/** Fingerprint a host shows on its own screen. */
export async function fingerprintOf(host: Host): Promise<string> {
  return (await statusOf(host)).self.fingerprint;
}

/** The agent's own process, not the one that supervises it: another number means that it was restarted. */
export async function agentPid(host: Host): Promise<number | undefined> {
  return (await host.processes()).find((process) => process.command.endsWith('robonet agent'))?.pid;
}
