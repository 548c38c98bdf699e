/**
 * What members bring and each node has to verify: nothing is looked at twice, and each of them may make only so much work.
 * Proofs and contest notices come in by this door; what is verified afterwards is their desks' business.
 */
import type { Millis } from '#core/time/time.ts';
import type { AidText } from '#mesh/hcth/identity-text.ts';
import { TokenBucket } from '#mesh/session/token-bucket.ts';
import { SWARM_LIMITS as LIMITS } from './limits.ts';

/** Mutable; one per kind of news. Bounded by `proofsSeenMax` and by the number of members. */
export class NewsIntake {
  /** What was looked at before, whatever it turned out to be worth. */
  readonly #seen = new Set<string>();
  readonly #budgets = new Map<AidText, TokenBucket>();

  /** Whether to look at it: new under this name, and within what its bringer may ask for. */
  admits(from: AidText, name: string, now: Millis): boolean {
    if (this.#seen.has(name)) return false;
    let budget = this.#budgets.get(from);
    if (budget === undefined) {
      budget = new TokenBucket(LIMITS.proofsPerSecond, LIMITS.proofsBurst, now);
      this.#budgets.set(from, budget);
    }
    if (!budget.take(1, now)) return false;
    if (this.#seen.size >= LIMITS.proofsSeenMax) this.#seen.clear();
    this.#seen.add(name);
    return true;
  }
}
