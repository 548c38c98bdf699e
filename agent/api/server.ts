/**
 * Serves the local API on a UNIX socket that only root and the socket's group may use (docs/adr/0002). Checks every body,
 * answers faults with their code, streams events with bounded backlog. Decides nothing itself.
 */
import { chmodSync, mkdirSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { BODY_BYTES_MAX, EVENTS_MAX, STREAM_BACKLOG_BYTES_MAX, STREAMS_MAX } from '#agent/api/limits.ts';
import { API_VERSION, type ApiMethod, type ApiMethods } from '#agent/api/protocol.ts';
import { requestSchemas } from '#agent/api/schemas.ts';
import { somebodyListens } from '#agent/api/socket.ts';
import { EXIT } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import { errorReport, messageOf } from '#core/node/command-line/report.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';

/** Who may use the agent: its own user and group. */
const SOCKET_MODE = 0o660;
const DIRECTORY_MODE = 0o750;

/** One handler per method; `signal` is aborted when the caller has gone. */
export type ApiHandlers = {
  readonly [Method in ApiMethod]: (request: ApiMethods[Method]['request']) => Promise<ApiMethods[Method]['response']> | ApiMethods[Method]['response'];
};

export interface EventSource {
  recentEvents(limit: number): readonly EventRecord[];
  onEvent(listener: (event: EventRecord) => void): () => void;
}

export interface ApiServerOptions {
  readonly path: string;
  readonly handlers: ApiHandlers;
  readonly events: EventSource;
  readonly onProblem: (text: string) => void;
}

/** A listening API; `close` ends streams and removes the socket. */
export interface ApiServer {
  close(): Promise<void>;
}

/** Listen. Faults when another agent holds the socket or its folder cannot be written. */
export async function serveApi(options: ApiServerOptions): Promise<ApiServer> {
  const { path } = options;
  if (await somebodyListens(path)) throw new Fault('RN-AGENT-004', `another agent answers on ${path}`);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    rmSync(path, { force: true }); // left behind by an agent that was killed
  } catch (error) {
    throw new Fault('RN-AGENT-007', `the run directory ${dirname(path)} cannot be used: ${messageOf(error)}`, {
      cause: error,
      next: 'Make it writable for the agent, or choose another with --run-dir.',
    });
  }
  const streams = new Set<ServerResponse>();
  const server = createServer((request, response) => {
    serve(request, response, options, streams).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else answerError(response, error);
    });
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  await listen(server, path);
  chmodSync(path, SOCKET_MODE);
  server.on('error', (error) => {
    options.onProblem(`the local API's socket: ${error.message}`);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        for (const stream of streams) stream.end();
        server.close(() => {
          rmSync(path, { force: true });
          resolve();
        });
        server.closeIdleConnections();
        setTimeout(() => {
          server.closeAllConnections();
        }, 500).unref();
      }),
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, options: ApiServerOptions, streams: Set<ServerResponse>): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://agent');
  if (request.method === 'GET' && url.pathname === '/v1/events') {
    stream(url, response, options.events, streams);
    return;
  }
  const method = /^\/v1\/([a-z-]{1,32})$/.exec(url.pathname)?.[1] ?? '';
  if (request.method !== 'POST' || !isMethod(method)) throw new Fault('RN-AGENT-008', `no method ${request.method ?? ''} ${url.pathname.slice(0, 80)}`);
  const body = await readBody(request);
  const checked = requestSchemas[method].safeParse(body);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new Fault('RN-AGENT-008', `${method}: ${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'wrong form'}`);
  }
  const result = await dispatch(options.handlers, method, checked.data);
  send(response, 200, { v: API_VERSION, result });
}

// The schema of a method and the handler's parameter are the same type; the table of both is checked where it is written.
function dispatch<Method extends ApiMethod>(handlers: ApiHandlers, method: Method, request: unknown): Promise<unknown> {
  return Promise.resolve(handlers[method](request as ApiMethods[Method]['request']));
}

function isMethod(text: string): text is ApiMethod {
  return Object.hasOwn(requestSchemas, text);
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of request) {
    if (!Buffer.isBuffer(part)) continue;
    length += part.length;
    if (length > BODY_BYTES_MAX) throw new Fault('RN-AGENT-008', `the request is larger than ${String(BODY_BYTES_MAX)} bytes`);
    parts.push(part);
  }
  if (length === 0) return {};
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) throw new Fault('RN-AGENT-008', 'the request is not JSON', { cause: error });
    throw error;
  }
}

function stream(url: URL, response: ServerResponse, events: EventSource, streams: Set<ServerResponse>): void {
  if (streams.size >= STREAMS_MAX) throw new Fault('RN-AGENT-002', `${String(STREAMS_MAX)} event streams are open already`);
  const limit = Math.min(EVENTS_MAX, Math.max(0, Number(url.searchParams.get('limit') ?? '0') || 0));
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  const write = (event: EventRecord): void => {
    response.write(`${JSON.stringify({ v: API_VERSION, type: 'event', ...event })}\n`);
    if (response.writableLength > STREAM_BACKLOG_BYTES_MAX) response.destroy();
  };
  if (limit > 0) for (const event of events.recentEvents(limit).toReversed()) write(event);
  response.flushHeaders();
  streams.add(response);
  const stop = events.onEvent(write);
  response.on('close', () => {
    stop();
    streams.delete(response);
  });
}

function answerError(response: ServerResponse, error: unknown): void {
  const report = errorReport(error);
  send(response, report.exit === EXIT.usage ? 400 : report.exit === EXIT.notPermitted ? 403 : 500, { v: API_VERSION, error: report });
}

function send(response: ServerResponse, status: number, document: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(document)}\n`);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error): void => {
      reject(
        new Fault('RN-AGENT-007', `cannot listen on ${path}: ${error.message}`, { cause: error, next: 'Choose a shorter or writable place with --run-dir.' }),
      );
    };
    server.once('error', failed);
    server.listen(path, () => {
      server.removeListener('error', failed);
      resolve();
    });
  });
}
