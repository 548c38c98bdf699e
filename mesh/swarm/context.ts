/** One connection as the node sees it: the session, and what the rooms note beside it. */
import type { Millis } from '#core/time/time.ts';
import type { DialTarget } from '#mesh/membership/dial-plan.ts';
import type { Address } from '#mesh/membership/address-policy.ts';
import type { PeerIdentity } from '#mesh/session/host.ts';
import type { Session } from '#mesh/session/session.ts';
import type { HandshakePayload, ResumeBlock } from '#mesh/wire/message.ts';

/** The two ends of a connection. */
export interface Ends {
  readonly remote: Address;
  /** Our side of it; null where the runner does not say. */
  readonly local: Address | null;
  /** Hardware address of the remote end, where the neighbour table knows it. */
  readonly mac: string | null;
}

/** What a judgement goes on with once our own record has been read again. */
export interface Recheck {
  readonly peer: PeerIdentity;
  readonly block: ResumeBlock | null;
  readonly probed: 'silent' | 'answers' | null;
}

/** What the swarm knows about one connection besides the session itself. */
export interface Context {
  readonly session: Session;
  readonly target: DialTarget | null;
  readonly openedAt: Millis;
  readonly source: string;
  /** What the peer said in its handshake payload. */
  payload: HandshakePayload | null;
  /** The resume block that we showed. */
  ourBlock: ResumeBlock | null;
  lobby: 'guest' | 'host' | null;
  counted: 'half-open' | 'open' | 'no';
  /** The peer waits until its earlier session has answered, or has not answered, this very question. */
  probe: { readonly until: Millis; readonly peer: PeerIdentity; readonly block: ResumeBlock | null; readonly question: number | null } | null;
  /** The peer waits until our own record of it has been read again (R6). */
  recheck: Recheck | null;
  pings: Map<number, { readonly at: Millis; readonly command: number | null }>;
  /** Bytes of its unfinished frame, as counted in the sum over all connections. */
  bytesHeld: number;
  /** The machine it came from: its hardware address where that is known, else its source address. */
  readonly machine: string;
  readonly mac: string | null;
  /** The address on our side of it; null where the runner does not say. */
  readonly local: Address | null;
  /** Why somebody seems to stand in between; null where nothing says so. */
  relayed: string | null;
  paused: boolean;
  pausedUntil: Millis;
  /** After a change of the network: the link is given up when nothing was heard by then. */
  aliveBy: Millis;
  heard: boolean;
  /** The peer may send larger frames than it was told: a new session says so, when no call is under way. */
  renewWanted: boolean;
  /** What our ACCEPT said the peer may send in one frame. */
  payloadBytesMaxTold: number;
}
