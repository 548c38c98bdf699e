/**
 * The mesh's log as everybody else sees it: propose, learn what was committed, fetch what is missing (node/mesh-log.ts).
 * Nothing above it knows how many voted. Entries are chained by SHA-256 and signed by the voter that made them.
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

/** What members say to each other about the log, beside what its servers say (raft/messages.ts). */
export type LogMessage =
  | {
      readonly kind: 'append';
      readonly entries: readonly { readonly bytes: Uint8Array; readonly signature: Uint8Array }[];
      readonly term: number;
      readonly commit: number;
    }
  | { readonly kind: 'fetch'; readonly from: number }
  /** A server's word for observers: so far everything is committed, and the chain has this digest there. */
  | { readonly kind: 'committed'; readonly term: number; readonly commit: number; readonly digest: Uint8Array; readonly leader: string | null };
