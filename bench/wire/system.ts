/**
 * One contestant of the wire benchmark: a server process that decodes a request and answers with the same object,
 * encoded again, and a client that decodes the answer. Every system runs the same loop over the same objects.
 */
import type { Payload } from './payload.ts';

export interface ServerHandle {
  /** Passed to the client process as it is (JSON). */
  readonly address: unknown;
  close(): Promise<void>;
}

export interface ClientHandle {
  call(payload: Payload): Promise<Payload>;
  close(): Promise<void>;
}

export interface WireSystem {
  readonly name: string;
  /** What the figures of this system include, for the table's footnotes. */
  readonly security: string;
  /** Settings of the engine that the product's own executable has; none where the peer is run as it comes. */
  readonly engineFlags?: readonly string[];
  serve(): Promise<ServerHandle>;
  connect(address: unknown, inFlight: number): Promise<ClientHandle>;
}
