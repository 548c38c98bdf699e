/**
 * Not a contestant: what the platform itself allows. The same bytes over one plain TCP connection, one write per turn of
 * the event loop, a promise per call; no codec (each object is encoded once, before), no crypto, no checks. Whatever runs
 * on Node's sockets and promises stays below this row.
 */
import { connect, createServer, type Socket } from 'node:net';
import { assert } from '#core/errors/assert.ts';
import type { Payload } from '../payload.ts';
import type { WireSystem } from '../system.ts';
import { EchoCodec } from './echo-codec.ts';

const LENGTH_BYTES = 4;
const READ_BYTES = 65_536;

export const floor: WireSystem = {
  name: 'floor: bytes over node:net',
  security: 'none; no codec either',
  async serve() {
    const server = createServer({ noDelay: true }, (socket) => socket.on('data', (chunk) => socket.write(chunk)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert(address !== null && typeof address === 'object', 'a listening server has an address');
    return {
      address: { port: address.port },
      close: () => new Promise((resolve) => void server.close(() => resolve())),
    };
  },
  async connect(address) {
    const { port } = address as { port: number };
    const client = new FloorClient(port);
    await client.connected;
    return { call: (payload) => client.call(payload), close: () => client.close() };
  },
};

interface Waiting {
  readonly payload: Payload;
  readonly bytes: number;
  readonly resolve: (payload: Payload) => void;
}

/** Answers come in the order of the calls, so a queue is all the bookkeeping there is. */
class FloorClient {
  readonly connected: Promise<void>;
  readonly #socket: Socket;
  readonly #codec = new EchoCodec();
  readonly #encoded = new Map<Payload, Buffer>();
  readonly #waiting: Waiting[] = [];
  #first = 0;
  #received = 0;
  #out: Buffer[] = [];

  constructor(port: number) {
    this.#socket = connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: Buffer.alloc(READ_BYTES), callback: (byteCount) => this.#onRead(byteCount) },
    });
    this.connected = new Promise((resolve, reject) => {
      this.#socket.once('connect', resolve);
      this.#socket.once('error', reject);
    });
  }

  call(payload: Payload): Promise<Payload> {
    return new Promise((resolve) => {
      const bytes = this.#bytesOf(payload);
      this.#waiting.push({ payload, bytes: bytes.length, resolve });
      if (this.#out.push(bytes) === 1) process.nextTick(this.#flush);
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.end(() => resolve()));
  }

  #bytesOf(payload: Payload): Buffer {
    const known = this.#encoded.get(payload);
    if (known !== undefined) return known;
    const body = this.#codec.encode(payload);
    const bytes = Buffer.alloc(LENGTH_BYTES + body.length);
    bytes.writeUInt32BE(body.length);
    bytes.set(body, LENGTH_BYTES);
    this.#encoded.set(payload, bytes);
    return bytes;
  }

  readonly #flush = (): void => {
    this.#socket.write(this.#out.length === 1 && this.#out[0] !== undefined ? this.#out[0] : Buffer.concat(this.#out));
    this.#out = [];
  };

  #onRead(byteCount: number): boolean {
    this.#received += byteCount;
    for (;;) {
      const next = this.#waiting[this.#first];
      if (next === undefined || this.#received < next.bytes) break;
      this.#received -= next.bytes;
      this.#first += 1;
      next.resolve(next.payload);
    }
    if (this.#first > 1_024) {
      this.#waiting.splice(0, this.#first);
      this.#first = 0;
    }
    return true;
  }
}
