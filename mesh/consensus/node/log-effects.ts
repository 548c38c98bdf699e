/** What goes into the mesh's log of one node, and what comes out (mesh-log.ts). */
import type { LogMessage, SealedEntry } from '../log.ts';
import type { Answer, ConsensusEvent } from '../raft/inputs.ts';
import type { ConsensusMessage } from '../raft/messages.ts';

/** One change of `ledger.journal`. */
export type LedgerWrite = { readonly kind: 'append'; readonly record: Uint8Array } | { readonly kind: 'rewrite'; readonly records: readonly Uint8Array[] };

/** Effects of one step: persisted before anything is sent or believed. */
export interface LogOutput {
  readonly persist: readonly LedgerWrite[];
  readonly send: readonly { readonly to: string; readonly message: LogMessage | ConsensusMessage }[];
  /** Newly committed here, in order; apply them to the state, but for what is there `again` under the same key. */
  readonly committed: readonly { readonly sealed: SealedEntry; readonly again: boolean }[];
  readonly faults: readonly LogFault[];
  /** What became of proposals; one that was committed is also answered, `settled`. */
  readonly answers: readonly Answer[];
  readonly events: readonly ConsensusEvent[];
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
  | { readonly kind: 'receive'; readonly from: string; readonly message: LogMessage | ConsensusMessage; readonly bytesMax: number }
  | { readonly kind: 'linked'; readonly peer: string; readonly commit: number }
  | { readonly kind: 'unlinked'; readonly peer: string };
