/**
 * What members say to each other about who is there. Typed and within limits: bytes were checked before (`codec.ts`).
 * A message comes over an authenticated link, so who speaks is known; whom it speaks about is hearsay.
 */
import type { Version } from './version.ts';

/** A word about one member. `by` is who accuses, as told: hearsay when it is not the speaker. */
export type Update =
  | { readonly kind: 'alive'; readonly id: string; readonly version: Version }
  | { readonly kind: 'accuse'; readonly id: string; readonly version: Version; readonly by: string }
  | { readonly kind: 'farewell'; readonly id: string; readonly version: Version; readonly forGood: boolean };

/** One line of the table of members, as two members compare it. */
export interface RowTold {
  readonly id: string;
  readonly version: Version;
  readonly state: 'here' | 'down' | 'stopped' | 'left';
  /** Who said so, for `down`. */
  readonly accusers: readonly string[];
}

/** Everything that is said. All but `digest` and `rows` carry news along. */
export type SwimMessage =
  | { readonly kind: 'probe'; readonly number: number; readonly updates: readonly Update[] }
  /** The answer to a `probe`, or the good news of a helper. */
  | { readonly kind: 'ack'; readonly number: number; readonly updates: readonly Update[] }
  /** "Probe this one for me." */
  | { readonly kind: 'ask'; readonly number: number; readonly target: string; readonly updates: readonly Update[] }
  /** "I am here, but it has not answered me either." */
  | { readonly kind: 'nack'; readonly number: number; readonly updates: readonly Update[] }
  | { readonly kind: 'news'; readonly updates: readonly Update[] }
  /** What the speaker knows, by part of the table. */
  | { readonly kind: 'digest'; readonly members: number; readonly hashes: readonly number[] }
  /** The rows of some parts; `answer` asks for the same rows back. */
  | { readonly kind: 'rows'; readonly buckets: readonly number[]; readonly rows: readonly RowTold[]; readonly answer: boolean };
