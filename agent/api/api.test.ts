import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '#agent/api/client.ts';
import { BODY_BYTES_MAX } from '#agent/api/limits.ts';
import type { StatusAnswer } from '#agent/api/protocol.ts';
import { type ApiHandlers, serveApi } from '#agent/api/server.ts';
import { Fault } from '#core/errors/fault.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'api-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const refuse = (): never => {
  throw new Fault('RN-AGENT-019', "no node is called 'x'", { next: 'Look again.' });
};
const status = { state: 'unjoined', nodes: [] } as unknown as StatusAnswer;
const handlers: ApiHandlers = {
  status: () => status,
  init: () => status,
  join: () => status,
  leave: () => status,
  invite: refuse,
  invitations: () => [],
  'revoke-invitation': () => ({}),
  approve: refuse,
  deny: refuse,
  forget: refuse,
  close: refuse,
  bar: refuse,
  unbar: refuse,
  'add-voter': refuse,
  'remove-voter': refuse,
  settle: () => ({}),
  rotate: refuse,
  'identity-document': refuse,
  'export-next-key': refuse,
  'forget-next-key': () => ({}),
  trust: refuse,
  identity: () => {
    throw new TypeError('a bug');
  },
  events: () => [],
  ping: () => new Promise(() => undefined),
  doctor: () => ({ findings: [], tookMs: 0 }),
};

function event(code: string): EventRecord {
  return { at: 1, code, severity: 'info', text: code, aid: null, source: null, data: {} };
}

describe('the local API', () => {
  const listeners = new Set<(event: EventRecord) => void>();
  const events = {
    recentEvents: (limit: number) => [event('SECOND'), event('FIRST')].slice(0, limit),
    onEvent: (listener: (event: EventRecord) => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const serve = (path = join(folder, 'run', 'agent.sock')) =>
    serveApi({ path, handlers, events, onProblem: () => undefined }).then((server) => ({ server, path }));

  it('answers over a socket that only its owner and group may use, and removes it when closed', async () => {
    const { server, path } = await serve();
    expect(await createClient(path).call('status', {})).toEqual(status);
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(statSync(join(folder, 'run')).mode & 0o777).toBe(0o750);
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  it('carries a fault with code, text and next step to the command line', async () => {
    const { server, path } = await serve();
    await expect(createClient(path).call('forget', { node: 'x' })).rejects.toMatchObject({
      code: 'RN-AGENT-019',
      message: "no node is called 'x'",
      next: 'Look again.',
      exit: 65,
    });
    await server.close();
  });

  it('reports a bug in a handler as unexpected and goes on serving', async () => {
    const { server, path } = await serve();
    await expect(createClient(path).call('identity', {})).rejects.toMatchObject({ code: 'RN-CLI-002' });
    expect(await createClient(path).call('invitations', {})).toEqual([]);
    await server.close();
  });

  it.each([
    ['an unknown method', '/v1/reboot', '{}', 'no method POST /v1/reboot'],
    ['a prototype name', '/v1/constructor', '{}', 'no method'],
    ['an unknown field', '/v1/init', '{"name":"x","admission":"open","trustProfile":"lab","force":true}', 'init: '],
    ['a wrong value', '/v1/invite', '{"role":"king","uses":1,"expiresInMs":1000,"label":null}', 'invite: role'],
    ['what is not JSON', '/v1/status', '{', 'not JSON'],
    ['an oversized body', '/v1/status', `"${'x'.repeat(BODY_BYTES_MAX)}"`, 'larger than'],
  ])('%s is refused before it reaches the agent', async (_name, url, body, message) => {
    const { server, path } = await serve();
    const answer = await post(path, url, body);
    expect(answer.status).toBe(400);
    expect(answer.text).toContain(message);
    await server.close();
  });

  it('streams past and new events as one document per line, until the reader goes', async () => {
    const { server, path } = await serve();
    const seen: string[] = [];
    const ending = new AbortController();
    const following = createClient(path).follow(
      2,
      (record) => {
        seen.push(record.code);
        if (record.code === 'SECOND') for (const listener of listeners) listener(event('THIRD'));
        if (record.code === 'THIRD') ending.abort('interrupted');
      },
      ending.signal,
    );
    await expect(following).rejects.toMatchObject({ code: 'RN-CLI-003' });
    expect(seen).toEqual(['FIRST', 'SECOND', 'THIRD']);
    await server.close();
    await expect.poll(() => listeners.size).toBe(0);
  });

  it('takes over the socket of an agent that was killed, but not that of a live one', async () => {
    const path = join(folder, 'agent.sock');
    writeFileSync(path, '');
    const { server } = await serve(path);
    await expect(serve(path)).rejects.toMatchObject({ code: 'RN-AGENT-004' });
    expect(await createClient(path).call('status', {})).toEqual(status);
    await server.close();
  });
});

describe('a client', () => {
  it('says that the agent is not running, with exit 69', async () => {
    await expect(createClient(join(folder, 'none.sock')).call('status', {})).rejects.toMatchObject({ code: 'RN-AGENT-001', exit: 69 });
  });

  it('does not wait for ever', async () => {
    const path = join(folder, 'mute.sock');
    const mute = createServer();
    await new Promise<void>((resolve) => mute.listen(path, resolve));
    await expect(createClient(path).call('status', {}, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'RN-AGENT-002', exit: 75 });
    mute.close();
  });

  it('says who may use the socket when it may not', async () => {
    if (process.getuid?.() === 0) return; // root may use everything
    const path = join(folder, 'closed.sock');
    writeFileSync(path, '');
    chmodSync(path, 0);
    await expect(createClient(path).call('status', {})).rejects.toMatchObject({ code: 'RN-AGENT-003' });
  });
});

function post(path: string, url: string, body: string): Promise<{ status: number | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: path, path: url, method: 'POST', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => {
        resolve({ status: response.statusCode, text });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
