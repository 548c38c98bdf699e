/**
 * The newest signed vote of every voter, as far as it was told here: what a voter that restarted is answered with, and
 * where a voter that voted twice is found (C-20, C-21). Bounded by the number of voters; kept in memory only, because the
 * term of every vote that counted is on the disk of the candidate that counted it.
 */
import type { ServerId } from '../config/configuration.ts';
import type { SignedVote } from './signed-vote.ts';

/** See the header. */
export class VoteBook {
  readonly #newest = new Map<ServerId, SignedVote>();

  /** Keep it if it is the newest. Two of one term and incarnation for two candidates: both are returned. */
  take(vote: SignedVote): readonly [SignedVote, SignedVote] | undefined {
    const known = this.#newest.get(vote.voter);
    if (known === undefined || vote.term > known.term) this.#newest.set(vote.voter, vote);
    const twice = known !== undefined && known.term === vote.term && known.incarnation === vote.incarnation && known.candidate !== vote.candidate;
    return twice ? [known, vote] : undefined;
  }

  of(voter: ServerId): SignedVote | undefined {
    return this.#newest.get(voter);
  }

  /** Forget those that no longer vote. */
  keep(voters: readonly ServerId[]): void {
    for (const voter of this.#newest.keys()) if (!voters.includes(voter)) this.#newest.delete(voter);
  }
}
