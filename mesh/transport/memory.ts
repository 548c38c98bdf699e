/**
 * The transport inside one process: the same behaviour as TCP without a network, for tests of whatever uses the port.
 * Each transport is one machine with a host name; they meet in the network that made them. Everything is delivered in a
 * later microtask, never inside the call that caused it.
 */
import { Fault } from '#core/errors/fault.ts';
import { WRITABLE_BYTES_HIGH } from './limits.ts';
import type { Address, CloseReason, Connection, ConnectionEvents, DialEvents, Dialling, Listener, Transport } from './transport.ts';

type Accept = (connection: Connection) => void;

/** Machines that can reach each other. */
export interface MemoryNetwork {
  /** A machine of this name. */
  machine(host: string): Transport;
  /** Break every connection between the two, as a pulled cable and a time-out would. */
  sever(a: string, b: string): void;
}

/** An empty network. */
export function createMemoryNetwork(): MemoryNetwork {
  const listeners = new Map<string, Accept>();
  const connections = new Set<MemoryConnection>();
  let portNext = 49_152;

  const freePort = (): number => {
    portNext += 1;
    return portNext;
  };

  const machine = (host: string): Transport => ({
    listen(address, accept): Promise<Listener> {
      const bound: Address = { host, port: address.port === 0 ? freePort() : address.port };
      const name = nameOf(bound);
      if (listeners.has(name)) return Promise.reject(new Fault('RN-MESH-003', `port ${String(bound.port)} on ${host} cannot be opened: EADDRINUSE`));
      listeners.set(name, accept);
      return Promise.resolve({
        address: bound,
        close: () => {
          listeners.delete(name);
          return Promise.resolve();
        },
      });
    },
    dial(address, events): Dialling {
      let cancelled = false;
      queueMicrotask(() => {
        if (cancelled) return;
        const accept = listeners.get(nameOf(address));
        if (accept === undefined) events.failed('ECONNREFUSED');
        else connectPair({ host, port: freePort() }, address, accept, events);
      });
      return {
        cancel() {
          cancelled = true;
        },
      };
    },
  });

  const connectPair = (from: Address, to: Address, accept: Accept, events: DialEvents): void => {
    const near = new MemoryConnection(from, to, true);
    const far = new MemoryConnection(to, from, false);
    near.join(far);
    far.join(near);
    connections.add(near);
    accept(far);
    events.connected(near);
  };

  return {
    machine,
    sever(a, b) {
      for (const connection of connections) {
        const ends = [connection.local.host, connection.remote.host];
        if (ends.includes(a) && ends.includes(b)) connection.sever();
        if (connection.isClosed) connections.delete(connection);
      }
    },
  };
}

function nameOf(address: Address): string {
  return `${address.host}:${String(address.port)}`;
}

/**
 * One end.
 * Invariants: `#inbox` holds what the other end wrote and this end has not taken; `closed` is delivered once and last.
 */
class MemoryConnection implements Connection {
  readonly local: Address;
  readonly remote: Address;
  readonly outgoing: boolean;
  #peer: MemoryConnection | undefined;
  #events: ConnectionEvents | undefined;
  #inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #paused = false;
  #scheduled = false;
  #mustDrain = false;
  #writeEnded = false;
  /** Set when nothing more will arrive; delivered once the inbox is empty. */
  #ending: CloseReason | undefined;
  #closed = false;

  constructor(local: Address, remote: Address, outgoing: boolean) {
    this.local = local;
    this.remote = remote;
    this.outgoing = outgoing;
  }

  /** Whether the last event has been delivered or nobody will ever ask for it. */
  get isClosed(): boolean {
    return this.#closed;
  }

  get writableLength(): number {
    return this.#peer?.unread ?? 0;
  }

  /** Bytes that have arrived and wait. */
  get unread(): number {
    return this.#inboxBytes;
  }

  join(peer: MemoryConnection): void {
    this.#peer = peer;
  }

  listen(events: ConnectionEvents): void {
    this.#events = events;
    this.#schedule();
  }

  write(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (this.#writeEnded || this.#ending !== undefined || peer === undefined) return true;
    peer.receive(bytes);
    this.#mustDrain ||= peer.unread >= WRITABLE_BYTES_HIGH;
    return !this.#mustDrain;
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#peer?.finish('remote');
    this.#drop();
    this.finish('local');
  }

  destroy(): void {
    if (this.#closed) return;
    this.#writeEnded = true;
    this.#peer?.cut('broken');
    this.cut('local');
  }

  /** Both ends break. */
  sever(): void {
    this.#peer?.cut('broken');
    this.cut('broken');
  }

  receive(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#writeEnded || this.#closed) return;
    this.#inbox.push(bytes);
    this.#inboxBytes += bytes.length;
    this.#schedule();
  }

  /** No more bytes will come; close once what came has been delivered. */
  finish(reason: CloseReason): void {
    this.#ending ??= reason;
    this.#schedule();
  }

  /** Close without delivering what came. */
  cut(reason: CloseReason): void {
    this.#drop();
    this.finish(reason);
  }

  onPeerRead(): void {
    if (!this.#mustDrain || (this.#peer?.unread ?? 0) > 0) return;
    this.#mustDrain = false;
    queueMicrotask(() => {
      if (!this.#closed && this.#ending === undefined) this.#events?.drained();
    });
  }

  #drop(): void {
    this.#inbox = [];
    this.#inboxBytes = 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed || this.#events === undefined) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused && !this.#closed) {
      const chunk = this.#inbox.shift();
      if (chunk === undefined) break;
      this.#inboxBytes -= chunk.length;
      this.#events?.bytes(chunk);
    }
    this.#peer?.onPeerRead();
    if (this.#ending === undefined || this.#inbox.length > 0 || this.#closed) return;
    this.#closed = true;
    this.#events?.closed(this.#ending);
  }
}
