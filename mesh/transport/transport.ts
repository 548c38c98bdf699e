/**
 * The transport port: connections that carry bytes, in order, both ways. It knows no frames, no deadlines and no peers;
 * those belong to the machines above. Two implementations, TCP and memory, pass one conformance suite.
 */

/** Where a connection leads. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Why a connection ended, seen from this side. */
export type CloseReason =
  /** This side closed it. */
  | 'local'
  /** The other side closed it in order. */
  | 'remote'
  /** The network broke it (reset, unreachable, time-out of the operating system). */
  | 'broken';

/** What a connection reports; set once, right after the connection is received. */
export interface ConnectionEvents {
  /** The next bytes of the stream; the chunk belongs to the receiver. */
  bytes(chunk: Uint8Array): void;
  /** Everything written has been taken by the system again, after {@link Connection.write} returned false. */
  drained(): void;
  /** The last event of a connection, exactly once. */
  closed(reason: CloseReason): void;
}

/** One connection. */
export interface Connection {
  readonly remote: Address;
  readonly local: Address;
  /** Whether this side dialled it. */
  readonly outgoing: boolean;
  /** Bytes written but not yet taken by the system: what a slow consumer is judged by. */
  readonly writableLength: number;
  /** Begin to deliver events. Nothing is lost that arrived before. */
  listen(events: ConnectionEvents): void;
  /** Send bytes; false asks to wait for `drained`. The bytes must not be changed afterwards. Ignored once closed. */
  write(bytes: Uint8Array): boolean;
  /** Stop and go on delivering `bytes`: back-pressure on the sender. */
  pause(): void;
  resume(): void;
  /** Send what has been written, then close. */
  end(): void;
  /** Close at once; what has not been sent is dropped. */
  destroy(): void;
}

/** An open port. */
export interface Listener {
  readonly address: Address;
  /** Stop accepting; existing connections stay. Resolves when the port is free. */
  close(): Promise<void>;
}

/** An attempt under way. */
export interface Dialling {
  /** Give up; `failed` is not called any more. */
  cancel(): void;
}

/** The result of dialling; exactly one of the two is called, later than the call to `dial`. */
export interface DialEvents {
  connected(connection: Connection): void;
  /** `why` is the system's code (`ECONNREFUSED`, `EHOSTUNREACH`, `ETIMEDOUT`, …). */
  failed(why: string): void;
}

/** A way to reach other machines. */
export interface Transport {
  /** Open a port (0 for any). Throws the Fault RN-MESH-003 when it cannot be had. */
  listen(address: Address, accept: (connection: Connection) => void): Promise<Listener>;
  dial(address: Address, events: DialEvents): Dialling;
}
