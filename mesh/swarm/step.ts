/**
 * What goes into one node and what comes out: the whole contract between the pure swarm and whatever runs it (the
 * driver with sockets and disk, the simulator with neither). Effects are performed in this order: persist, send,
 * publish, set the alarm. Connections are numbered by the runner; the swarm never sees a socket.
 */
import type { FaultCode } from '#core/errors/fault.ts';
import type { Millis } from '#core/time/time.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import type { Capabilities, Condition, EventRecord, FoundOptions, InviteOptions, JoinOptions } from './views.ts';

/** Number of a connection, unique within one run. */
export type ConnectionId = number;

/** Facts a node tells about itself. */
export interface SelfFacts {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly conditions: readonly Condition[];
}

/** Things a person or a program asks of this node; each is answered by exactly one reply with the same number. */
export type Command =
  | { readonly kind: 'found'; readonly options: FoundOptions }
  | { readonly kind: 'join'; readonly options: JoinOptions }
  | { readonly kind: 'leave' }
  | { readonly kind: 'invite'; readonly options: InviteOptions }
  | { readonly kind: 'invitations' }
  | { readonly kind: 'revoke-invitation'; readonly tokenId: string }
  | { readonly kind: 'approve'; readonly fingerprint: string; /** The member whose place the machine takes; it is closed. */ readonly replaces?: string }
  | { readonly kind: 'deny'; readonly fingerprint: string; readonly reason: string }
  | { readonly kind: 'forget'; readonly who: string }
  | { readonly kind: 'close'; readonly who: string; readonly replacedBy: string | null }
  | { readonly kind: 'identity-document'; readonly who: string | null }
  | { readonly kind: 'bar'; readonly who: string; readonly reason: string }
  | { readonly kind: 'unbar'; readonly who: string }
  /** Which machine of a contested identity is the copy; null: none, a frozen history is one machine's. */
  | { readonly kind: 'settle'; readonly who: string; readonly copy: string | null }
  /** Give a member a vote, as soon as it has caught up with the log; take one away. */
  | { readonly kind: 'add-voter' | 'remove-voter'; readonly who: string }
  | { readonly kind: 'explain-trust'; readonly who: string }
  | { readonly kind: 'ping'; readonly who: string };

/** Causes. */
export type SwarmInput =
  | { readonly kind: 'tick' }
  | { readonly kind: 'connected'; readonly connection: ConnectionId; readonly remote: Address; /** Our side of it. */ readonly local?: Address }
  | { readonly kind: 'dial-failed'; readonly connection: ConnectionId; readonly why: string }
  | {
      readonly kind: 'accepted';
      readonly connection: ConnectionId;
      readonly remote: Address;
      /** Our side of it. */
      readonly local?: Address;
      /** Hardware address of `remote`, where the machine's neighbour table knows it. */
      readonly mac?: string | null;
    }
  | { readonly kind: 'received'; readonly connection: ConnectionId; readonly bytes: Uint8Array }
  | { readonly kind: 'closed'; readonly connection: ConnectionId; readonly why: string }
  /** Bytes the transport still holds unsent for a connection. */
  | { readonly kind: 'backlog'; readonly connection: ConnectionId; readonly bytes: number }
  | { readonly kind: 'command'; readonly id: number; readonly command: Command }
  | { readonly kind: 'request'; readonly id: number; readonly who: string; readonly verb: string; readonly body: Uint8Array; readonly timeoutMs: Millis }
  | { readonly kind: 'respond'; readonly call: number; readonly result: CallResult }
  | { readonly kind: 'announce-self'; readonly facts: SelfFacts }
  | { readonly kind: 'hint'; readonly address: Address; readonly meshTag: string | null; readonly origin: 'mdns' | 'typed' | 'cache' | 'gossip' }
  | { readonly kind: 'listening'; readonly addresses: readonly Address[] }
  /** An interface came or went. */
  | { readonly kind: 'network-changed' }
  /** The hardware behind an address, as asked for. */
  | { readonly kind: 'neighbour'; readonly host: string; readonly mac: string }
  /** A peer's record as the disk has it now; null where it has none. */
  | { readonly kind: 'stored-record'; readonly key: string; readonly record: Uint8Array | null }
  /** Our own event loop stood still. */
  | { readonly kind: 'stalled'; readonly lagMs: Millis }
  /** End of the runner's turn: everything collected for one connection goes out as one frame. */
  | { readonly kind: 'flush' }
  /** This node's key was rotated, durably: tell everybody; the run ends with it, the next one uses the new key. */
  | { readonly kind: 'rotated'; readonly event: SignedObject; /** Which rotation. */ readonly number: number }
  | { readonly kind: 'stop' };

/** What a handler answered. */
export type CallResult = { readonly kind: 'ok'; readonly body: Uint8Array } | { readonly kind: 'refused'; readonly code: string; readonly text: string };

/** A refusal as data; the driver throws it as a fault. */
export interface Refusal {
  readonly code: FaultCode;
  readonly text: string;
  readonly next?: string;
}

/** The answer to a command or request. */
export type Reply = { readonly id: number } & ({ readonly kind: 'done'; readonly value: unknown } | { readonly kind: 'refused'; readonly refusal: Refusal });

/** Something that must be on disk before anything else of the same step happens. */
export type Persist =
  | { readonly kind: 'ledger'; readonly record: Uint8Array }
  /** The stored ledger is damaged behind its last good entry: only these records stay. */
  | { readonly kind: 'ledger-rewrite'; readonly records: readonly Uint8Array[] }
  | { readonly kind: 'peer'; readonly key: string; readonly record: Uint8Array | null; readonly urgent: boolean }
  | { readonly kind: 'statement'; readonly record: Uint8Array; readonly durable: boolean }
  /** The own statement log is damaged: the file as it is found is kept aside, and these records take its place. */
  | { readonly kind: 'statements-rewrite'; readonly records: readonly Uint8Array[] }
  /** Null removes it. */
  | { readonly kind: 'evidence'; readonly name: string; readonly record: Uint8Array | null }
  /** A small whole document, replaced atomically; null removes it. */
  | { readonly kind: 'document'; readonly name: DocumentName; readonly record: Uint8Array | null }
  /**
   * All that belongs to the mesh goes: ledger, peers, documents; the runner then makes a new identity. `aside`: the old
   * identity and what it has said are kept under this word, to be looked at.
   */
  | { readonly kind: 'forget-mesh'; readonly aside?: 'copy' };

/** A file of the evidence store. */
export interface StoredEvidence {
  readonly name: string;
  readonly record: Uint8Array;
}

/** Where a member was last reached. */
export interface CachedAddress {
  readonly aid: string;
  readonly host: string;
  readonly port: number;
}

/** Small documents a node keeps besides its journals. */
export type DocumentName = 'membership' | 'intent' | 'token-secrets' | 'peer-cache';

/** A call from a peer, for a handler of the layer above. */
export interface IncomingCall {
  readonly call: number;
  readonly from: string;
  readonly verb: string;
  readonly body: Uint8Array;
}

/** Everything one step asks of the world. Shared constants are returned where there is nothing to do: do not mutate. */
export interface SwarmEffects {
  readonly persist: readonly Persist[];
  readonly send: readonly { readonly connection: ConnectionId; readonly bytes: Uint8Array }[];
  /** After what was sent before; a peer gets a last chance to read. `abort`: nobody is waited for, a flood must not hold descriptors. */
  readonly close: readonly { readonly connection: ConnectionId; readonly abort?: true }[];
  readonly dial: readonly { readonly connection: ConnectionId; readonly address: Address }[];
  /** Stop or go on reading from a connection (back-pressure). */
  readonly pause: readonly { readonly connection: ConnectionId; readonly paused: boolean }[];
  readonly events: readonly EventRecord[];
  readonly replies: readonly Reply[];
  readonly calls: readonly IncomingCall[];
  /** Addresses whose hardware address is wanted, where the kernel knows it. */
  readonly neighbours: readonly string[];
  /** Peers whose record is to be read from the disk again, by their key; the answer is the input `stored-record`. */
  readonly recheck: readonly string[];
  /** This run is over: start again with an incarnation of at least this, for this reason (protocol.md §2.9). */
  readonly reincarnate: { readonly atLeast: number; readonly why: 'restore' } | null;
  /** Something waits for the end of the turn. */
  readonly flushWanted: boolean;
}
