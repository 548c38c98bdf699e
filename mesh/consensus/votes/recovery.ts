/**
 * What a voter has to ask before it votes again (protocol.md §3.4). A card can lose what it confirmed, and a restart has
 * forgotten the promise to the running lease: so after every start the others are asked which terms they know and which
 * vote of ours they hold, and nothing is promised before a quorum, ourselves included, has spoken.
 */
import { type Configuration, isVoter, quorumOf, type ServerId } from '../config/configuration.ts';

/** See the header. */
export class VoteRecovery {
  readonly #answered = new Set<ServerId>();
  #floor = 0;
  #done = false;

  /** Whether enough was heard. */
  get isDone(): boolean {
    return this.#done;
  }

  /** No vote is given in terms up to this one. */
  get floor(): number {
    return this.#floor;
  }

  /** One answer; also one that comes when there were enough already. */
  take(from: ServerId, term: number): void {
    this.#answered.add(from);
    this.#floor = Math.max(this.#floor, term);
  }

  /** Whether the answers amount to a quorum now. Only voters count, and never twice. */
  check(config: Configuration, self: ServerId): boolean {
    if (this.#done) return true;
    if (config.voters.length === 0) return false;
    const own = isVoter(config, self) ? 1 : 0;
    const others = config.voters.filter((voter) => voter !== self && this.#answered.has(voter)).length;
    this.#done = own + others >= quorumOf(config);
    return this.#done;
  }

  /** Whom to ask (again). */
  missing(config: Configuration, self: ServerId): readonly ServerId[] {
    return config.voters.filter((voter) => voter !== self && !this.#answered.has(voter));
  }
}
