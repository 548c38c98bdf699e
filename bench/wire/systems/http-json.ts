/** `node:http` with JSON bodies over keep-alive connections, one per request in flight: what most people would write. */
import { Agent, createServer, request } from 'node:http';
import { assert } from '#core/errors/assert.ts';
import type { Payload } from '../payload.ts';
import type { WireSystem } from '../system.ts';

export const httpJson: WireSystem = {
  name: 'HTTP/1.1 + JSON',
  security: 'plaintext',
  async serve() {
    const server = createServer((incoming, reply) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('end', () => {
        const text = JSON.stringify(JSON.parse(Buffer.concat(chunks).toString()));
        reply.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
        reply.end(text);
      });
    });
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert(address !== null && typeof address === 'object', 'a listening server has an address');
    return {
      address: { port: address.port },
      close: () =>
        new Promise((resolve) => {
          server.closeAllConnections();
          server.close(() => resolve());
        }),
    };
  },
  async connect(address, inFlight) {
    const { port } = address as { port: number };
    const agent = new Agent({ keepAlive: true, maxSockets: inFlight });
    return {
      call: (payload) =>
        new Promise<Payload>((resolve, reject) => {
          const body = JSON.stringify(payload);
          const call = request(
            {
              agent,
              host: '127.0.0.1',
              port,
              method: 'POST',
              path: '/echo',
              headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
            },
            (reply) => {
              const chunks: Buffer[] = [];
              reply.on('data', (chunk: Buffer) => chunks.push(chunk));
              reply.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString()) as Payload));
            },
          );
          call.on('error', reject);
          call.end(body);
        }),
      async close() {
        agent.destroy();
      },
    };
  },
};
