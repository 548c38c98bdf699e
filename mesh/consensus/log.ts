/**
 * The mesh's log as everybody else sees it: propose, learn what was committed, fetch what is missing. Filled by a
 * single voter (single-voter.ts) now; a log of several voters fills the same interface, so nothing above it knows how
 * many voted. Entries are chained by SHA-256 and signed by the voter that committed them.
 */
import type { Millis } from '#core/time/time.ts';

/** What makes a proposal the same proposal: a retry under the same key never applies twice (protocol.md §3.3, rule 11). */
export interface ProposalKey {
  readonly aid: Uint8Array;
  readonly incarnation: number;
  readonly request: number;
}

/** What a proposer wants decided. */
export interface Proposal {
  readonly key: ProposalKey;
  readonly kind: string;
  readonly body: Uint8Array;
}

/** One decision, as decoded from its signed bytes. */
export interface LogEntry {
  readonly index: number;
  readonly term: number;
  /** Digest of the entry before; 32 zero bytes at index 1. */
  readonly previous: Uint8Array;
  readonly kind: string;
  readonly body: Uint8Array;
  readonly key: ProposalKey;
  /** Wall clock of the voter that committed it; for people, and for expiry as voters judge it. */
  readonly at: Millis;
  readonly voter: Uint8Array;
}

/** An entry with the bytes that were signed; only these travel and are stored. */
export interface SealedEntry {
  readonly entry: LogEntry;
  readonly bytes: Uint8Array;
  readonly signature: Uint8Array;
  readonly digest: Uint8Array;
}

/** What members say to each other about the log. */
export type LogMessage =
  | {
      readonly kind: 'append';
      readonly entries: readonly { readonly bytes: Uint8Array; readonly signature: Uint8Array }[];
      readonly term: number;
      readonly commit: number;
    }
  | { readonly kind: 'fetch'; readonly from: number };

/** Answer to a proposal. */
export type ProposeOutcome =
  | { readonly kind: 'committed'; readonly index: number }
  | { readonly kind: 'not-leader'; readonly leader: string | null }
  | { readonly kind: 'too-large'; readonly bytes: number };

/** Effects of one step: persisted before anything is sent or believed. */
export interface LogOutput {
  readonly persist: readonly SealedEntry[];
  readonly send: readonly { readonly to: string; readonly message: LogMessage }[];
  /** Newly committed here, in order; apply them to the state. */
  readonly committed: readonly SealedEntry[];
  readonly faults: readonly LogFault[];
}

/** A peer sent something that its signature or chain contradicts. */
export interface LogFault {
  readonly from: string;
  readonly why: string;
  /** The voter's own signature is under it: whoever brings it has only passed on what it was given. */
  readonly voters: boolean;
  /** What the voter's keys known to the log do not fit: who knows a newer one may still find it right. */
  readonly unproved?: SealedEntry;
}

/** Causes a log reacts to. */
export type LogInput =
  | { readonly kind: 'receive'; readonly from: string; readonly message: LogMessage; readonly bytesMax: number }
  | { readonly kind: 'linked'; readonly peer: string; readonly commit: number }
  | { readonly kind: 'unlinked'; readonly peer: string };

/** A replicated log as a machine. */
export interface ReplicatedLog {
  /** Text form of the leader, as far as known here. */
  readonly leader: string | null;
  readonly term: number;
  readonly commitIndex: number;
  /** Digest of the newest committed entry. */
  readonly head: Uint8Array;
  /** Whether this node votes, and therefore may commit. */
  readonly votes: boolean;
  propose(proposal: Proposal, wall: Millis): { readonly outcome: ProposeOutcome; readonly output: LogOutput };
  step(input: LogInput, now: Millis): LogOutput;
  /** Committed entries from an index on, at most `bytesMax` of them. */
  entriesFrom(index: number, bytesMax: number): readonly SealedEntry[];
}
