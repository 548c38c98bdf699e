/**
 * What a node knows to have said, to tell its own statements from those of a copy when somebody shows it one (H-13, P-10).
 * Of the present life every statement within a window is known by its number; of earlier lives, what the disk still has and
 * the newest of all. Bounded: what is older than both is unknown, not false, as an old position of a link is (H-19).
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import type { Statement } from './statement-log.ts';

/** The incarnation that a node is in. */
export interface Life {
  readonly incarnation: number;
  readonly nonce: Uint8Array;
}

/** Where a statement stands: what numbers of one life count upwards. */
type Place = Pick<Statement, 'incarnation' | 'nonce' | 'number'>;

/**
 * What a genuine signature of ours is. `known`: we remember it. `news`: of an earlier life, and newer than all that this disk
 * has of those. `old`: too old to be remembered; it says nothing. `foreign`: not made by this memory, in a life of which it is whole.
 */
export type Recognition = 'known' | 'news' | 'old' | 'foreign';

/** Mutable; one per run. */
export class OwnMemory {
  readonly #life: Life;
  /** Digests of this life by number: the newest `statementsRememberedMax`. */
  readonly #said = new Map<number, string>();
  /** Digests of earlier lives, oldest first: at most as many. */
  readonly #before = new Set<string>();
  #newestBefore: Place | null = null;
  #newest = 0;

  constructor(life: Life) {
    this.#life = life;
  }

  /** Digests held. */
  get size(): number {
    return this.#said.size + this.#before.size;
  }

  /** Whether a statement belongs to the life that this memory lives. */
  isOfThisLife({ incarnation, nonce }: Life): boolean {
    return incarnation === this.#life.incarnation && bytesEqual(nonce, this.#life.nonce);
  }

  /** This node has said it: just now, or according to its own disk, or to its own signature shown by a peer. */
  remember(statement: Place, digest: Uint8Array): void {
    if (this.isOfThisLife(statement)) {
      this.#said.set(statement.number, hex(digest));
      this.#newest = Math.max(this.#newest, statement.number);
      this.#said.delete(this.#newest - LIMITS.statementsRememberedMax);
      return;
    }
    this.#before.add(hex(digest));
    if (this.#isNewer(statement)) this.#newestBefore = { incarnation: statement.incarnation, nonce: statement.nonce.slice(), number: statement.number };
    for (const oldest of this.#before) {
      if (this.#before.size <= LIMITS.statementsRememberedMax) break;
      this.#before.delete(oldest);
    }
  }

  /** What a statement with a valid signature of ours is to us. */
  recognise(statement: Place, digest: Uint8Array): Recognition {
    if (this.isOfThisLife(statement)) {
      if (statement.number <= this.#newest - LIMITS.statementsRememberedMax) return 'old';
      return this.#said.get(statement.number) === hex(digest) ? 'known' : 'foreign';
    }
    if (this.#before.has(hex(digest))) return 'known';
    if (statement.incarnation >= this.#life.incarnation) return 'foreign';
    return this.#isNewer(statement) ? 'news' : 'old';
  }

  /** Of two lives under one number nobody can say which was later: the other one is news, too. */
  #isNewer({ incarnation, nonce, number }: Place): boolean {
    const newest = this.#newestBefore;
    if (newest === null || incarnation !== newest.incarnation) return incarnation > (newest?.incarnation ?? 0);
    return !bytesEqual(nonce, newest.nonce) || number > newest.number;
  }
}
