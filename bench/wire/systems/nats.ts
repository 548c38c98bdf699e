/** NATS request-reply in plaintext (Debian's nats-server, the official client), msgpack bodies: a broker in between. */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Packr } from 'msgpackr';
import { assert } from '#core/errors/assert.ts';
import type { Payload } from '../payload.ts';
import type { WireSystem } from '../system.ts';

const SUBJECT = 'bench.echo';
const packr = new Packr({ useRecords: false, variableMapSize: true });

export const nats: WireSystem = {
  name: 'NATS request-reply',
  security: 'plaintext, through a broker',
  async serve() {
    const port = await freePort();
    const broker = spawn('nats-server', ['-a', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    broker.on('error', () => undefined); // reported below: no connection can be made
    const connection = await connectPatiently(port);
    const subscription = connection.subscribe(SUBJECT, {
      callback: (error, message) => {
        if (error === null || error === undefined) message.respond(packr.pack(packr.unpack(message.data)));
      },
    });
    return {
      address: { port, brokerPid: broker.pid },
      async close() {
        subscription.unsubscribe();
        await connection.close();
        broker.kill('SIGKILL');
      },
    };
  },
  async connect(address) {
    const { port } = address as { port: number };
    const connection = await connectPatiently(port);
    return {
      call: async (payload) => packr.unpack((await connection.request(SUBJECT, packr.pack(payload), { timeout: 30_000 })).data) as Payload,
      close: () => connection.close(),
    };
  },
};

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  assert(address !== null && typeof address === 'object', 'a listening server has an address');
  await new Promise<void>((resolve) => probe.close(() => resolve()));
  return address.port;
}

async function connectPatiently(port: number): Promise<NatsConnection> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await connect({ servers: `127.0.0.1:${String(port)}`, timeout: 2_000 });
    } catch (error) {
      if (attempt >= 50) throw new Error('nats-server did not answer; is Debian’s nats-server installed?', { cause: error });
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
