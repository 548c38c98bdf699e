/**
 * The disk of one server: whole writes in order, each there or not. What is not confirmed when the power goes is there up
 * to some write; the next one is torn and counts as not there (core/journal proves that such are recognised). Two things
 * happen to confirmed ones, both rarely: the newest vote is gone though the disk had confirmed it, silently; or a tail of
 * everything is gone, and the start knows it (checksums, an old backup).
 */
import type { Rng } from '#core/random/random.ts';
import type { SealedEntry } from '#mesh/consensus/log.ts';
import type { HardState, Write } from '#mesh/consensus/raft/inputs.ts';
import type { Stored } from '#mesh/consensus/raft/node.ts';
import type { StoredSnapshot } from '#mesh/consensus/snapshot/snapshot.ts';

const BLANK: HardState = { term: 0, vote: null, commit: 0, damagedSince: null };

/** See the header. */
export class ServerDisk {
  hard: HardState = BLANK;
  snapshot: StoredSnapshot | null = null;
  entries: SealedEntry[] = [];
  intact = true;
  /** Writes that a power cut took, and those that it tore. */
  lost = 0;
  torn = 0;
  #waiting: Write[] = [];
  /** The hard state before the last vote. */
  #beforeVote: HardState = BLANK;

  /** Taken, not confirmed. */
  take(write: Write): void {
    this.#waiting.push(write);
  }

  /** Confirmed up to here; the writes that are now. */
  confirm(upTo: number): readonly Write[] {
    const done = this.#waiting.filter(({ id }) => id <= upTo);
    this.#waiting = this.#waiting.filter(({ id }) => id > upTo);
    for (const write of done) this.#apply(write);
    return done;
  }

  powerCut(rng: Rng): void {
    const kept = Math.floor(rng.next() * (this.#waiting.length + 1));
    const lost = this.#waiting.length - kept;
    if (lost > 0) this.torn += 1;
    this.lost += lost;
    for (const write of this.#waiting.slice(0, kept)) this.#apply(write);
    this.#waiting = [];
  }

  /** The newest vote was never there, whatever the disk said; false where there is none to lose. */
  loseVote(): boolean {
    if (this.hard.vote === null || this.#beforeVote.term >= this.hard.term) return false;
    // The entries are in another place and stay; a term that they show cannot be forgotten.
    if ((this.entries.at(-1)?.entry.term ?? this.snapshot?.base.term ?? 0) >= this.hard.term) return false;
    this.hard = { ...this.hard, term: this.#beforeVote.term, vote: this.#beforeVote.vote };
    return true;
  }

  /** A tail of the entries, and the hard state, are gone, and it shows. */
  damage(rng: Rng): void {
    this.entries = this.entries.slice(0, Math.floor(rng.next() * (this.entries.length + 1)));
    this.hard = BLANK;
    this.intact = false;
  }

  stored(): Stored {
    return { hard: this.hard, snapshot: this.snapshot, entries: this.entries, intact: this.intact };
  }

  #apply({ snapshot, truncateFrom, append, hard }: Write): void {
    if (snapshot !== null) {
      this.snapshot = snapshot;
      this.entries = this.entries.filter(({ entry }) => entry.index > snapshot.base.index);
    }
    if (truncateFrom !== null) this.entries = this.entries.filter(({ entry }) => entry.index < truncateFrom);
    this.entries.push(...append);
    if (hard === null) return;
    if (hard.vote !== null && (hard.vote !== this.hard.vote || hard.term !== this.hard.term)) this.#beforeVote = this.hard;
    this.hard = hard;
    // The start has been told, and its first write says so for ever.
    if (hard.damagedSince !== null) this.intact = true;
  }
}
