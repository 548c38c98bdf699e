/**
 * The transport over TCP. Nagle's algorithm is off, because the session already writes once per turn of the event loop.
 * No deadlines here: what is too slow is judged by the machines, which own the clock.
 */
import { type Server, type Socket, connect, createServer } from 'node:net';
import { Fault } from '#core/errors/fault.ts';
import { BACKLOG, WRITABLE_BYTES_HIGH } from './limits.ts';
import type { Address, CloseReason, Connection, ConnectionEvents, DialEvents, Dialling, Listener, Transport } from './transport.ts';

/** The operating system's TCP; `from` is the address to dial from, the system's choice where absent. */
export function createTcpTransport({ from }: { readonly from?: string } = {}): Transport {
  return { listen: listenTcp, dial: (address, events) => dialTcp(address, from, events) };
}

function listenTcp(address: Address, accept: (connection: Connection) => void): Promise<Listener> {
  const server = createServer({ noDelay: true, pauseOnConnect: true, highWaterMark: WRITABLE_BYTES_HIGH }, (socket) => {
    // A connection that is gone before it is accepted has no addresses any more.
    if (socket.remoteAddress === undefined) socket.destroy();
    else accept(new TcpConnection(socket, false));
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: Error & { code?: string }) => {
      reject(new Fault('RN-MESH-003', `port ${String(address.port)} on ${address.host} cannot be opened: ${error.code ?? error.message}`, { cause: error }));
    });
    server.listen({ host: address.host, port: address.port, backlog: BACKLOG }, () => {
      // After start-up an error can only concern one connection (out of descriptors); it must not end the process.
      server.removeAllListeners('error').on('error', () => undefined);
      resolve({ address: addressOf(server, address), close: () => closed(server) });
    });
  });
}

function addressOf(server: Server, asked: Address): Address {
  const bound = server.address();
  return bound === null || typeof bound === 'string' ? asked : { host: bound.address, port: bound.port };
}

/** The port is free one turn after closing; Node's own callback would wait for every accepted connection to end too. */
function closed(server: Server): Promise<void> {
  server.close();
  return new Promise((resolve) => setImmediate(resolve));
}

function dialTcp(address: Address, from: string | undefined, events: DialEvents): Dialling {
  const socket = connect({ host: address.host, port: address.port, noDelay: true, ...(from === undefined ? {} : { localAddress: from }) });
  let settled = false;
  socket.once('error', (error: Error & { code?: string }) => {
    if (settled) return;
    settled = true;
    events.failed(error.code ?? error.message);
  });
  socket.once('connect', () => {
    if (settled) return;
    settled = true;
    events.connected(new TcpConnection(socket, true));
  });
  return {
    cancel() {
      if (settled) return;
      settled = true;
      socket.on('error', () => undefined);
      socket.destroy();
    },
  };
}

/** Invariant: `closed` is delivered exactly once, after the last bytes. */
class TcpConnection implements Connection {
  readonly remote: Address;
  readonly local: Address;
  readonly outgoing: boolean;
  readonly #socket: Socket;
  #events: ConnectionEvents | undefined;
  #reason: CloseReason | undefined;
  #paused = false;

  constructor(socket: Socket, outgoing: boolean) {
    this.#socket = socket;
    this.outgoing = outgoing;
    // Kept now: Node forgets them when the socket closes.
    this.remote = { host: plain(socket.remoteAddress), port: socket.remotePort ?? 0 };
    this.local = { host: plain(socket.localAddress), port: socket.localPort ?? 0 };
    socket.pause();
    socket.on('error', () => {
      this.#reason ??= 'broken';
    });
    socket.on('end', () => {
      this.#reason ??= 'remote';
    });
    socket.on('close', () => {
      this.#reason ??= 'broken';
      this.#deliverClosed();
    });
  }

  get writableLength(): number {
    return this.#socket.writableLength;
  }

  listen(events: ConnectionEvents): void {
    this.#events = events;
    this.#socket.on('data', (chunk: Uint8Array) => {
      // A plain array: views into it, of which there are several per frame, cost a third of those into a Buffer.
      events.bytes(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    });
    this.#socket.on('drain', () => {
      events.drained();
    });
    if (this.#socket.closed)
      queueMicrotask(() => {
        this.#deliverClosed();
      });
    else if (!this.#paused) this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    return this.#socket.writable ? this.#socket.write(bytes) : true;
  }

  pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#events !== undefined) this.#socket.resume();
  }

  end(): void {
    this.#reason ??= 'local';
    this.#socket.end();
    // Whatever still arrives is read and dropped, so that the other side's FIN is seen.
    this.#socket.resume();
  }

  destroy(): void {
    this.#reason ??= 'local';
    this.#socket.destroy();
  }

  #deliverClosed(): void {
    const events = this.#events;
    if (events === undefined || this.#reason === undefined) return;
    this.#events = undefined;
    events.closed(this.#reason);
  }
}

/** `::ffff:10.0.0.1` is written `10.0.0.1`, so that one machine has one name whatever the listener's family. */
function plain(address: string | undefined): string {
  return address?.replace(/^::ffff:(?=\d+\.)/, '') ?? '';
}
