/**
 * The command line's side of the local API: typed calls over the UNIX socket; what went wrong in the agent arrives as the
 * same fault it was there. Never touches the agent's state itself.
 */
import { request } from 'node:http';
import { dirname } from 'node:path';
import { ANSWER_BYTES_MAX, ANSWER_MS_MAX } from '#agent/api/limits.ts';
import { endWords, lastEnd } from '#agent/api/last-end.ts';
import type { ApiMethod, ApiMethods } from '#agent/api/protocol.ts';
import { catalogue } from '#core/errors/catalogue.ts';
import { Fault, type FaultCode } from '#core/errors/fault.ts';
import { formatDuration } from '#core/terminal/duration.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';

/** Where the agent listens unless told otherwise. */
export const SOCKET_PATH = '/run/robonet/agent.sock';

export interface CallOptions {
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/** A client of one agent. */
export interface AgentClient {
  readonly path: string;
  call<Method extends ApiMethod>(method: Method, body: ApiMethods[Method]['request'], options?: CallOptions): Promise<ApiMethods[Method]['response']>;
  /** Past events (at most `limit`, oldest first), then new ones until the signal or the agent ends the stream. */
  follow(limit: number, onEvent: (event: EventRecord) => void, signal: AbortSignal): Promise<void>;
}

export function createClient(path: string): AgentClient {
  return {
    path,
    async call(method, body, options = {}) {
      const text = await exchange(path, 'POST', `/v1/${method}`, JSON.stringify(body), options);
      const answer = parse(text);
      if ('error' in answer) throw faultFrom(answer['error']);
      if (!('result' in answer)) throw new Fault('RN-AGENT-009', `the agent's answer to ${method} has no result`);
      return answer['result'] as ApiMethods[typeof method]['response']; // our own agent, checked by version; see api/server.ts
    },
    follow(limit, onEvent, signal) {
      let rest = '';
      return exchange(path, 'GET', `/v1/events?limit=${String(limit)}`, '', { timeoutMs: 0, signal }, (chunk) => {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) if (line !== '') onEvent(eventOf(parse(line)));
      }).then(() => undefined);
    },
  };
}

function exchange(path: string, method: string, url: string, body: string, options: CallOptions, onText?: (text: string) => void): Promise<string> {
  const timeoutMs = options.timeoutMs ?? ANSWER_MS_MAX;
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath: path,
      path: url,
      method,
      agent: false,
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    });
    const timer =
      timeoutMs > 0
        ? setTimeout(() => {
            reject(new Fault('RN-AGENT-002', `the agent has not answered within ${formatDuration(timeoutMs)}`));
            sent.destroy();
          }, timeoutMs)
        : undefined;
    const stop = (): void => {
      sent.destroy();
      reject(new Fault('RN-CLI-003', 'interrupted'));
    };
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', stop);
    };
    options.signal?.addEventListener('abort', stop, { once: true });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      settle();
      reject(connectionFault(error, path));
    });
    sent.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (onText !== undefined && response.statusCode === 200) onText(chunk);
        else text += chunk;
        if (text.length > ANSWER_BYTES_MAX) sent.destroy();
      });
      response.on('error', (error) => {
        settle();
        reject(
          new Fault('RN-AGENT-001', `the agent went away while answering: ${error.message}`, {
            effect: 'Unknown: the agent may have stopped half way; its state on disk is consistent.',
          }),
        );
      });
      response.on('end', () => {
        settle();
        if (onText !== undefined && response.statusCode !== 200) reject(faultFrom(parse(text)['error']));
        else resolve(text);
      });
    });
    sent.end(body);
  });
}

function connectionFault(error: NodeJS.ErrnoException, path: string): Fault {
  switch (error.code) {
    case 'ENOENT':
      return notRunning(path, `there is no socket at ${path}`, error);
    case 'ECONNREFUSED':
      return notRunning(path, `nobody answers on ${path} (left behind by one that was killed)`, error);
    case 'EACCES':
    case 'EPERM':
      return new Fault('RN-AGENT-003', `user ${String(process.getuid?.() ?? 'unknown')} may not use ${path}`, { cause: error });
    default:
      return new Fault('RN-AGENT-001', `the agent cannot be reached on ${path}: ${error.message}`, { cause: error });
  }
}

/** With what ended it, where that is known: "start it" is no advice on a full disk. */
function notRunning(path: string, what: string, cause: Error): Fault {
  const end = lastEnd(dirname(path));
  if (end === undefined) return new Fault('RN-AGENT-001', `the agent is not running: ${what}`, { cause });
  return new Fault('RN-AGENT-001', `the agent is not running: ${endWords(end)}`, { cause, next: end.next });
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Fault('RN-AGENT-009', `the agent answered something that is not a JSON document (${String(text.length)} characters)`);
}

function eventOf(line: Readonly<Record<string, unknown>>): EventRecord {
  const { v, type, ...event } = line;
  if (v !== 1 || type !== 'event') throw new Fault('RN-AGENT-009', `the event stream holds a document of type ${String(type)} and version ${String(v)}`);
  return event as unknown as EventRecord; // written by our own agent from the same type
}

/** The fault an error document describes; a code this version does not know keeps its text. */
export function faultFrom(document: unknown): Fault {
  const field = (name: string): string => {
    const value: unknown = typeof document === 'object' && document !== null ? Object.entries(document).find(([key]) => key === name)?.[1] : undefined;
    return typeof value === 'string' ? value : '';
  };
  const code = field('code');
  if (isFaultCode(code)) return new Fault(code, field('message'), { effect: field('effect'), next: field('next') });
  return new Fault('RN-AGENT-009', `the agent reports ${code === '' ? 'an error' : code}: ${field('message')}`);
}

function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(catalogue, code);
}
