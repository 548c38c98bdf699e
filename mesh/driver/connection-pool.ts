/**
 * The node's connections by number: those that came in, those that were dialled, those being dialled. Turns what the
 * transport reports into inputs of the swarm; moves bytes and understands none.
 */
import { isFault } from '#core/errors/fault.ts';
import type { SwarmInput } from '#mesh/swarm/step.ts';
import type { Address, Connection, Dialling, Listener, Transport } from '#mesh/transport/transport.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';
import { NeighbourTable } from './neighbour-table.ts';

/**
 * Accepted connections are numbered upwards from 1; dials bring the swarm's own, negative numbers.
 * Invariant: every number that the swarm was told of ends with one `closed` or `dial-failed`, unless it was dropped.
 */
export class ConnectionPool {
  readonly #transport: Transport;
  readonly #input: (input: SwarmInput) => void;
  readonly #connections = new Map<number, Connection>();
  readonly #dialling = new Map<number, { readonly dialling: Dialling; readonly timer: NodeJS.Timeout }>();
  readonly #listeners: Listener[] = [];
  readonly #neighbours = new NeighbourTable();
  #nextAccepted = 1;

  constructor(transport: Transport, input: (input: SwarmInput) => void) {
    this.#transport = transport;
    this.#input = input;
  }

  /** The port really listened on; 0 before. */
  get port(): number {
    return this.#listeners[0]?.address.port ?? 0;
  }

  /** The hardware behind an address on this link, where the kernel knows it. */
  macOf(host: string): string | null {
    return this.#neighbours.macOf(host);
  }

  /** Listen on these hosts, or on all addresses of the machine. */
  async listen(hosts: readonly string[] | undefined, port: number): Promise<void> {
    if (hosts === undefined) {
      try {
        this.#listeners.push(await this.#transport.listen({ host: '::', port }, this.#accept));
      } catch (error) {
        // A machine without IPv6 has no "::"; a port in use stays a fault.
        if (!isFault(error) || !/EAFNOSUPPORT|EADDRNOTAVAIL/.test(error.message)) throw error;
        this.#listeners.push(await this.#transport.listen({ host: '0.0.0.0', port }, this.#accept));
      }
      return;
    }
    for (const host of hosts) this.#listeners.push(await this.#transport.listen({ host, port: this.port === 0 ? port : this.port }, this.#accept));
  }

  /** Write; what the transport could not take yet is reported to the swarm. */
  send(id: number, bytes: Uint8Array): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    if (!connection.write(bytes)) this.#input({ kind: 'backlog', connection: id, bytes: connection.writableLength });
  }

  /** Stop or go on reading. */
  pause(id: number, paused: boolean): void {
    if (paused) this.#connections.get(id)?.pause();
    else this.#connections.get(id)?.resume();
  }

  /** Close after what has been written; `abort` closes at once. */
  close(id: number, abort: boolean): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    if (abort) connection.destroy();
    else endSoon(connection);
  }

  /** Reach out; answered by `connected` or `dial-failed`. */
  dial(id: number, address: Address): void {
    const done = (): boolean => {
      const entry = this.#dialling.get(id);
      if (entry !== undefined) clearTimeout(entry.timer);
      return this.#dialling.delete(id);
    };
    const dialling = this.#transport.dial(address, {
      connected: (connection) => {
        if (!done()) return connection.destroy();
        this.#connections.set(id, connection);
        this.#input({ kind: 'connected', connection: id, remote: connection.remote, local: connection.local });
        this.#attach(id, connection);
      },
      failed: (why) => {
        if (done()) this.#input({ kind: 'dial-failed', connection: id, why });
      },
    });
    const timer = setTimeout(() => {
      dialling.cancel();
      if (done()) this.#input({ kind: 'dial-failed', connection: id, why: 'ETIMEDOUT' });
    }, LIMITS.dialMsMax);
    this.#dialling.set(id, { dialling, timer });
  }

  /** A new run of the swarm begins: it is told nothing more of the connections of the last one. */
  drop(): void {
    for (const connection of this.#connections.values()) endSoon(connection);
    this.#connections.clear();
    this.#cancelDials();
  }

  /** Everything written is sent, or the time for it is over. */
  async drain(): Promise<void> {
    const until = Date.now() + LIMITS.stopMsMax;
    for (const connection of this.#connections.values()) connection.end();
    while (this.#connections.size > 0 && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  /** Close everything at once; resolves when the port is free. */
  async destroy(): Promise<void> {
    for (const connection of this.#connections.values()) connection.destroy();
    this.#connections.clear();
    this.#cancelDials();
    await Promise.all(this.#listeners.splice(0).map((listener) => listener.close()));
  }

  #cancelDials(): void {
    for (const { dialling, timer } of this.#dialling.values()) {
      clearTimeout(timer);
      dialling.cancel();
    }
    this.#dialling.clear();
  }

  readonly #accept = (connection: Connection): void => {
    const id = this.#nextAccepted;
    this.#nextAccepted += 1;
    this.#connections.set(id, connection);
    this.#input({ kind: 'accepted', connection: id, remote: connection.remote, local: connection.local, mac: this.macOf(connection.remote.host) });
    this.#attach(id, connection);
  };

  #attach(id: number, connection: Connection): void {
    connection.listen({
      bytes: (chunk) => {
        if (this.#connections.get(id) === connection) this.#input({ kind: 'received', connection: id, bytes: chunk });
      },
      drained: () => this.#input({ kind: 'backlog', connection: id, bytes: 0 }),
      closed: (reason) => {
        // A dropped one belongs to an earlier run, in which the same number meant another connection.
        if (this.#connections.get(id) !== connection) return;
        this.#connections.delete(id);
        this.#input({ kind: 'closed', connection: id, why: reason === 'broken' ? 'the connection was reset' : 'the connection was closed' });
      },
    });
  }
}

/** A peer that never closes its half would keep the socket for ever. */
function endSoon(connection: Connection): void {
  connection.end();
  setTimeout(() => {
    connection.destroy();
  }, LIMITS.stopMsMax).unref();
}
