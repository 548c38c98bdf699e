/**
 * Anti-entropy: two members compare fingerprints of their tables by parts and exchange the rows of a few parts that differ.
 * What gossip lost is found this way, a newcomer learns the mesh, and halves that were apart come together. How much and
 * how often is bounded; a comparison that finds nothing costs one message.
 */
import type { Rng } from '#core/random/random.ts';
import { type Millis, NEVER } from '#core/time/time.ts';
import type { Directory } from './directory.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { RowTold, SwimMessage } from './messages.ts';
import type { MemberTable } from './table.ts';

type Digest = Extract<SwimMessage, { kind: 'digest' }>;
type Rows = Extract<SwimMessage, { kind: 'rows' }>;

/** See the header. */
export class Sync {
  readonly #table: MemberTable;
  readonly #rng: Rng;
  #nextAt: Millis;
  #answeredAt: Millis = Number.NEGATIVE_INFINITY;
  #partner: string | null = null;
  /** Where the search for differences begins next, so that all parts get their turn. */
  #from = 0;

  constructor(table: MemberTable, rng: Rng, now: Millis) {
    this.#table = table;
    this.#rng = rng;
    this.#nextAt = now + rng.next() * LIMITS.syncPeriodMs;
  }

  /** With nobody there to compare with, nothing is due. */
  wakeAt(hasLinks: boolean): Millis {
    return hasLinks ? this.#nextAt : NEVER;
  }

  /** A link has opened: what its other end knows is worth knowing soon. */
  soon(partner: string, now: Millis): void {
    this.#partner = partner;
    this.#nextAt = Math.min(this.#nextAt, now + LIMITS.syncCatchUpMs);
  }

  /** The comparison that is due, with whom. */
  tick(now: Millis, links: ReadonlySet<string>, directory: Directory): { readonly to: string; readonly message: Digest } | undefined {
    if (now < this.#nextAt || links.size === 0) return undefined;
    const partners = [...links];
    const wanted = this.#partner;
    const to = wanted !== null && links.has(wanted) ? wanted : partners[Math.floor(this.#rng.next() * partners.length)];
    this.#partner = null;
    this.#nextAt = now + LIMITS.syncPeriodMs * (0.75 + this.#rng.next() / 2);
    return to === undefined ? undefined : { to, message: { kind: 'digest', members: directory.size, hashes: this.#table.hashes.slice() } };
  }

  /** Our rows of the first parts that differ; undefined where none does, or where we have just answered. */
  answer(digest: Digest, directory: Directory, now: Millis): Rows | undefined {
    const own = this.#table.hashes;
    // Other numbers of parts come from another state of the log; that evens out by itself.
    if (digest.hashes.length !== own.length || now - this.#answeredAt < LIMITS.syncAnswerMsMin) return undefined;
    const buckets: number[] = [];
    for (let step = 0; step < own.length && buckets.length < LIMITS.syncBucketsPerTime; step += 1) {
      const index = (this.#from + step) % own.length;
      if (own[index] !== digest.hashes[index]) buckets.push(index);
    }
    if (buckets.length === 0) return undefined;
    this.#answeredAt = now;
    this.#from = ((buckets.at(-1) ?? 0) + 1) % own.length;
    return { kind: 'rows', buckets, rows: this.rowsOf(buckets, directory), answer: true };
  }

  /** Somebody's rows came; the next comparison with it follows soon, as there may be more. */
  found(from: string, now: Millis): void {
    this.soon(from, now);
  }

  /** What we know of some parts; from a random place on, where it is more than one message may carry. */
  rowsOf(buckets: readonly number[], directory: Directory): readonly RowTold[] {
    const ids = buckets.flatMap((index) => directory.bucket(index));
    const start = ids.length > LIMITS.syncRowsMax ? Math.floor(this.#rng.next() * ids.length) : 0;
    return [...ids.slice(start), ...ids.slice(0, start)].slice(0, LIMITS.syncRowsMax).map((id) => this.#table.told(id));
  }
}
