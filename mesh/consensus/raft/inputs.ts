/**
 * Everything that can happen to the machine, and everything that it can want. One step: one input at one present, one
 * output. The caller performs an output in the order of its fields: what is to be sent may be sent at once, because the
 * machine itself keeps back what must wait for the disk.
 */
import type { Instant, Millis } from '#core/time/time.ts';
import type { ConfigChange } from '../config/change.ts';
import type { ServerId } from '../config/configuration.ts';
import type { Fullness } from '../lease/storage-watch.ts';
import type { Proposal, ProposalKey, SealedEntry } from '../log.ts';
import type { StoredSnapshot } from '../snapshot/snapshot.ts';
import type { SignedVote } from '../votes/signed-vote.ts';
import type { ConsensusMessage } from './messages.ts';

/** When a step happens, and one random number in [0, 1) that nobody else gets: it draws the election timeout (C-3). */
export interface Present extends Instant {
  readonly chance: number;
}

/** Importance of a proposal: bulk is refused first when the disk fills. */
export type ProposalClass = 'ordinary' | 'bulk';

export type ConsensusInput =
  /** The first input, and never again. */
  | { readonly kind: 'start' }
  /** The time published as `wakeAt` has come. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'receive'; readonly from: ServerId; readonly message: ConsensusMessage }
  /** Every write up to this id is on the disk. A write that failed is not an input: the process ends (C-1). */
  | { readonly kind: 'persisted'; readonly upTo: number }
  | { readonly kind: 'propose'; readonly proposal: Proposal; readonly class: ProposalClass }
  | { readonly kind: 'change'; readonly key: ProposalKey; readonly change: ConfigChange }
  /** Ask for the index up to which a read that began now must be applied. */
  | { readonly kind: 'read'; readonly id: number }
  | { readonly kind: 'transfer'; readonly to: ServerId }
  | { readonly kind: 'storage'; readonly fullness: Fullness }
  /** The machine slept, or somebody found out that its clock cannot be believed. */
  | { readonly kind: 'suspended' }
  /** The state as it was just after the entry with `capture` was applied. */
  | { readonly kind: 'captured'; readonly index: number; readonly state: Uint8Array };

/** What must survive a restart beside the entries. */
export interface HardState {
  readonly term: number;
  /** Whom this server voted for in `term`; null for nobody. */
  readonly vote: ServerId | null;
  /** Known to be committed; may lag behind. */
  readonly commit: number;
  /** Incarnation since which this server must not vote nor be counted; null for none (C-22). */
  readonly damagedSince: number | null;
}

/** One write: as a whole or not at all, and never before an earlier one. Parts in this order; those that are null or empty are absent. */
export interface Write {
  readonly id: number;
  /** Replaces the snapshot before; entries up to its index may go. */
  readonly snapshot: StoredSnapshot | null;
  /** Entries from here on go. */
  readonly truncateFrom: number | null;
  readonly append: readonly SealedEntry[];
  readonly hard: HardState | null;
}

/** An entry that everybody agrees on, in order. */
export interface Committed {
  readonly sealed: SealedEntry;
  /** The same proposal was applied before, at this index: it must not be applied again (C-24). */
  readonly duplicateOf: number | null;
  /** Capture the state after this one and hand it back. */
  readonly capture: boolean;
}

/** Why a proposal, a change or a read was refused; the state is as it was. */
export interface Refusal {
  readonly code: 'not-leader' | 'not-ready' | 'busy' | 'transferring' | 'disk-full' | 'too-large' | 'change-pending' | 'bad-change';
  readonly why: string;
  readonly leader: ServerId | null;
}

export type Answer =
  | { readonly kind: 'settled'; readonly key: ProposalKey; readonly term: number; readonly index: number }
  | { readonly kind: 'refused'; readonly key: ProposalKey; readonly refusal: Refusal }
  /** A leader that stepped down does not know what became of it: ask again under the same key. */
  | { readonly kind: 'unknown'; readonly key: ProposalKey }
  | { readonly kind: 'readable'; readonly id: number; readonly index: number }
  | { readonly kind: 'unreadable'; readonly id: number; readonly refusal: Refusal };

/** Facts for whoever logs. */
export type ConsensusEvent =
  | { readonly kind: 'leader-changed'; readonly term: number; readonly leader: ServerId | null }
  | { readonly kind: 'stepped-down'; readonly term: number; readonly why: string }
  | { readonly kind: 'lease-voided'; readonly why: string }
  | { readonly kind: 'recovered'; readonly floor: number }
  | { readonly kind: 'damaged'; readonly why: string }
  | { readonly kind: 'restored'; readonly index: number }
  | { readonly kind: 'configuration'; readonly index: number; readonly voters: readonly ServerId[]; readonly quorum: number }
  /** A change that this leader would make by itself is not possible; said once. */
  | { readonly kind: 'change-waits'; readonly id: ServerId; readonly why: string }
  | { readonly kind: 'voted-twice'; readonly voter: ServerId; readonly votes: readonly [SignedVote, SignedVote] }
  | { readonly kind: 'discarded'; readonly from: number; readonly through: number }
  | { readonly kind: 'snapshot-taken'; readonly index: number }
  | { readonly kind: 'snapshot-installed'; readonly index: number }
  | { readonly kind: 'snapshot-refused'; readonly index: number; readonly why: string }
  | { readonly kind: 'state-diverged'; readonly index: number }
  | { readonly kind: 'transfer-ended'; readonly to: ServerId; readonly done: boolean }
  | { readonly kind: 'release-reserve' }
  | { readonly kind: 'peer-misbehaved'; readonly from: ServerId; readonly why: string };

/** The effects of one step. */
export interface ConsensusOutput {
  readonly write: Write | null;
  readonly send: readonly { readonly to: ServerId; readonly message: ConsensusMessage }[];
  /** The state of a snapshot: it replaces whatever there is, before `committed` is applied to it. */
  readonly restore: { readonly index: number; readonly state: Uint8Array } | null;
  readonly committed: readonly Committed[];
  readonly answers: readonly Answer[];
  readonly events: readonly ConsensusEvent[];
}

/** What stands in front of every visible effect: executors refuse one that is lower than the highest they have seen (C-25). */
export interface Fence {
  readonly term: number;
  readonly index: number;
}

/** The right of the leader to act alone. */
export interface HeldLease {
  /** Monotonic. */
  readonly until: Millis;
  readonly fence: Fence;
}
