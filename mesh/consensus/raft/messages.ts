/**
 * What the servers of one log say to each other. Requests and replies pair; every message carries the sender's term.
 * Whoever delivers them has authenticated the sender and dropped those of other meshes, of non-members and of contested
 * identities (protocol.md §3.3 rule 13).
 */
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { ServerId } from '../config/configuration.ts';

/** An entry as it travels: the bytes that were signed, and the signature. */
export interface PackedEntry {
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
}

/** Where a log ends; the later of two ends has the higher term, then the higher index. */
export interface LogEnd {
  readonly index: number;
  readonly term: number;
}

/** "Would you vote for me?" Changes nothing at whoever is asked; `term` is the one that the sender would stand in. */
export interface PreVoteRequest {
  readonly kind: 'pre-vote-request';
  readonly term: number;
  readonly end: LogEnd;
}

/** `term` is the one asked for where granted, else the one of the answerer. */
export interface PreVoteReply {
  readonly kind: 'pre-vote-reply';
  readonly term: number;
  readonly granted: boolean;
}

/** `transfer`: the leader itself gave way and has no lease any more. */
export interface VoteRequest {
  readonly kind: 'vote-request';
  readonly term: number;
  readonly end: LogEnd;
  readonly transfer: boolean;
}

/** A grant carries the signed vote; also told to those who did not ask, so that they can remind the voter of it. */
export interface VoteReply {
  readonly kind: 'vote-reply';
  readonly term: number;
  readonly vote: SignedObject | null;
}

/** Entries behind `previous`, none for a heartbeat. `round` numbers the leader's heartbeats and comes back in the reply. */
export interface AppendRequest {
  readonly kind: 'append-request';
  readonly term: number;
  readonly previous: LogEnd;
  readonly entries: readonly PackedEntry[];
  readonly commit: number;
  readonly round: number;
}

/**
 * Sent when everything it speaks of is on the disk. `accepted`: the log agrees with the leader's up to `match`. Else
 * `hint` is the newest place at which it may agree, and `match` the place that did not fit.
 */
export interface AppendReply {
  readonly kind: 'append-reply';
  readonly term: number;
  readonly round: number;
  readonly accepted: boolean;
  readonly match: number;
  readonly hint: LogEnd;
  /** Which life of the sender this is; what earlier ones have said is void. */
  readonly incarnation: number;
  /** The sender lost state that it had promised to keep: it must not be counted (C-22). */
  readonly damaged: boolean;
}

/** A piece of a snapshot for whoever is behind the beginning of the log; the last piece carries the proof. */
export interface SnapshotRequest {
  readonly kind: 'snapshot-request';
  readonly term: number;
  readonly round: number;
  readonly index: number;
  readonly bytes: number;
  readonly offset: number;
  readonly piece: Uint8Array;
  /** Signature of the taker, and the committed entries that lead from the snapshot to the one that names its digest. */
  readonly proof: { readonly taker: ServerId; readonly signature: Uint8Array; readonly entries: readonly PackedEntry[] } | null;
}

/** How many bytes of the snapshot at `index` have arrived. */
export interface SnapshotReply {
  readonly kind: 'snapshot-reply';
  readonly term: number;
  readonly round: number;
  readonly index: number;
  readonly offset: number;
  readonly incarnation: number;
  readonly damaged: boolean;
}

/** The leader gives way to the receiver, which stands at once. */
export interface TimeoutNow {
  readonly kind: 'timeout-now';
  readonly term: number;
}

/** "I restarted; what do you know?" `nonce` comes back, so that answers to an earlier start do not count. */
export interface RecoverRequest {
  readonly kind: 'recover-request';
  readonly term: number;
  readonly nonce: number;
}

/** The highest term known, and the newest vote of the asker. */
export interface RecoverReply {
  readonly kind: 'recover-reply';
  readonly term: number;
  readonly nonce: number;
  readonly vote: SignedObject | null;
}

export type ConsensusMessage =
  | PreVoteRequest
  | PreVoteReply
  | VoteRequest
  | VoteReply
  | AppendRequest
  | AppendReply
  | SnapshotRequest
  | SnapshotReply
  | TimeoutNow
  | RecoverRequest
  | RecoverReply;

/** Whether a log that ends at `a` is at least as new as one that ends at `b` (Raft §5.4.1). */
export function isAsNew(a: LogEnd, b: LogEnd): boolean {
  return a.term > b.term || (a.term === b.term && a.index >= b.index);
}
