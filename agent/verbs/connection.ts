/** How verbs reach the agent: its socket, and starting it where a verb may. */
import { dirname } from 'node:path';
import { type AgentClient, createClient, SOCKET_PATH } from '#agent/api/client.ts';
import { endWords, lastEnd } from '#agent/api/last-end.ts';
import type { StatusAnswer } from '#agent/api/protocol.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { OptionSpec, VerbContext } from '#core/node/command-line/verb.ts';

/** The socket option of the whole program. */
export const socketOption: OptionSpec = { flags: '--socket <path>', text: `the agent's socket (default: ${SOCKET_PATH})`, env: 'ROBONET_SOCKET' };

const START_MS_MAX = 15_000;
const POLL_MS = 100;

/** The socket a command line means. */
export function socketPath(invocation: Invocation): string {
  return invocation.text('socket') ?? SOCKET_PATH;
}

export function clientFor(invocation: Invocation): AgentClient {
  return createClient(socketPath(invocation));
}

/** A client of a running agent; at the usual socket the agent is started where it is not running. */
export async function runningAgent(invocation: Invocation, { output, signal }: VerbContext): Promise<AgentClient> {
  const client = clientFor(invocation);
  try {
    await client.call('status', {}, { signal });
    return client;
  } catch (error) {
    if (!isFault(error, 'RN-AGENT-001') || !invocation.flag('start') || client.path !== SOCKET_PATH) throw error;
  }
  const { startService } = await import('#agent/service/service.ts');
  output.note('the agent is not running: starting it');
  await startService();
  await answering(client, signal);
  return client;
}

/** Wait until the agent answers; not for one that has ended since and will not be started again. */
export async function answering(client: AgentClient, signal: AbortSignal): Promise<StatusAnswer> {
  const deadline = performance.now() + START_MS_MAX;
  for (;;) {
    try {
      return await client.call('status', {}, { signal });
    } catch (error) {
      if (!isFault(error, 'RN-AGENT-001')) throw error;
      const end = lastEnd(dirname(client.path));
      if (end?.retry === 'never') throw new Fault('RN-AGENT-017', `the agent did not come up: ${endWords(end)}`, { cause: error, next: end.next });
      if (performance.now() > deadline) {
        const silence = `the agent has not answered on ${client.path} within ${String(START_MS_MAX / 1_000)} s`;
        if (end === undefined) throw new Fault('RN-AGENT-017', silence, { cause: error });
        throw new Fault('RN-AGENT-017', `${silence}: ${endWords(end)}`, { cause: error, next: end.next });
      }
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Names of the known nodes, for completion; nothing where the agent is silent. */
export async function nodeNames(): Promise<readonly string[]> {
  try {
    const status = await createClient(process.env['ROBONET_SOCKET'] ?? SOCKET_PATH).call('status', {}, { timeoutMs: 500 });
    return status.nodes.map((node) => node.name);
  } catch (error) {
    if (isFault(error)) return [];
    throw error;
  }
}

/** What `--dry-run` says. */
export function sayWould({ output }: VerbContext, ...would: readonly string[]): undefined {
  output.line(...would.map((text) => `would ${text}`));
  output.document('dry-run', { would });
  return undefined;
}
