/**
 * What this node knows of each member, and a fingerprint of it by parts, so that two nodes find out cheaply where they
 * differ. Members of whom nothing was heard have no row: they are as `assumed` says. Rows exist for members only, so who
 * was forgotten cannot come back by gossip.
 */
import { type Millis, NEVER } from '#core/time/time.ts';
import { type Directory, hashOf } from './directory.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { RowTold } from './messages.ts';
import type { Case } from './suspicion.ts';
import { type Version, VERSION_NONE } from './version.ts';

/** How a member is seen. `stopped` and `left` are its own words. */
export type MemberState = 'up' | 'suspect' | 'down' | 'stopped' | 'left';

/** Mutable; owned by the table. */
export interface Row {
  version: Version;
  state: MemberState;
  /** What we saw ourselves at this version. */
  own: Case['own'];
  /** Who else accuses it at this version. */
  accusers: readonly string[];
  /** Valid while suspect. */
  suspectAt: Millis;
  /** When it last said something to us directly; −∞ before. */
  heardAt: Millis;
  /** When it last contradicted a suspicion or a judgement, newest last. */
  refutedAt: readonly Millis[];
  /** Unstable until then; NEVER is not used: 0 for steady ones. */
  unstableUntil: Millis;
  /** Who passed on its farewell, while that is hearsay. */
  farewell: { readonly forGood: boolean; readonly by: readonly string[] } | null;
}

/** What is believed of members of whom nothing was heard in this run. */
export interface Assumption {
  readonly version: Version;
  readonly state: 'up' | 'down';
}

/** A member is down until something of it is heard. */
export const UNHEARD: Assumption = { version: VERSION_NONE, state: 'down' };

/** See the header. */
export class MemberTable {
  readonly #assumed: Assumption;
  readonly #rows = new Map<string, Row>();
  #directory: Directory;
  #hashes: number[] = [];

  constructor(directory: Directory, assumed: Assumption) {
    this.#directory = directory;
    this.#assumed = assumed;
    this.#rehash();
  }

  /** Other members than before; returns those that were struck. */
  setDirectory(directory: Directory): readonly string[] {
    const struck = [...this.#rows.keys()].filter((id) => !directory.has(id));
    for (const id of struck) this.#rows.delete(id);
    // What is assumed holds for the members of the beginning; of a newcomer nothing is known.
    if (this.#assumed !== UNHEARD) for (const id of directory.ids()) if (!this.#directory.has(id)) this.#rows.set(id, { ...this.#fresh(), ...UNHEARD });
    this.#directory = directory;
    this.#rehash();
    return struck;
  }

  state(id: string): MemberState {
    return this.#rows.get(id)?.state ?? this.#assumed.state;
  }

  version(id: string): Version {
    return this.#rows.get(id)?.version ?? this.#assumed.version;
  }

  /** A copy of a member's row to look at. */
  peek(id: string): Row {
    return this.#rows.get(id) ?? this.#fresh();
  }

  /** Change a member's row, and the fingerprint with it. */
  change(id: string, how: (row: Row) => void): void {
    if (!this.#directory.has(id)) return;
    const row = this.#rows.get(id) ?? this.#fresh();
    const before = rowHash(id, row);
    how(row);
    this.#rows.set(id, row);
    const after = rowHash(id, row);
    const bucket = this.#directory.bucketOf(id);
    if (before !== after) this.#hashes[bucket] = ((this.#hashes[bucket] ?? 0) ^ before ^ after) >>> 0;
  }

  /** The fingerprint, by parts. */
  get hashes(): readonly number[] {
    return this.#hashes;
  }

  /** A row as others are told it. */
  told(id: string): RowTold {
    const row = this.peek(id);
    return { id, version: row.version, state: hereOr(row.state), accusers: row.state === 'down' ? row.accusers.slice(0, LIMITS.rowAccusersMax) : [] };
  }

  /** Rows that differ from what is assumed; what memory is spent on. */
  get rowCount(): number {
    return this.#rows.size;
  }

  #fresh(): Row {
    const { version, state } = this.#assumed;
    return {
      version,
      state,
      own: 'nothing',
      accusers: [],
      suspectAt: NEVER,
      heardAt: Number.NEGATIVE_INFINITY,
      refutedAt: [],
      unstableUntil: 0,
      farewell: null,
    };
  }

  #rehash(): void {
    const { version, state } = this.#assumed;
    const key = `${version.incarnation}.${version.counter}.${state}`;
    const fresh = this.#fresh();
    this.#hashes = [...this.#directory.bucketHashes(key, (id) => rowHash(id, fresh))];
    for (const [id, row] of this.#rows) {
      const bucket = this.#directory.bucketOf(id);
      this.#hashes[bucket] = ((this.#hashes[bucket] ?? 0) ^ rowHash(id, fresh) ^ rowHash(id, row)) >>> 0;
    }
  }
}

function hereOr(state: MemberState): RowTold['state'] {
  return state === 'up' || state === 'suspect' ? 'here' : state;
}

const STATE_SALT: Readonly<Record<RowTold['state'], number>> = { here: 11, down: 12, stopped: 13, left: 14 };

/** Suspicions are passing and not part of it. */
function rowHash(id: string, { version, state }: Pick<Row, 'version' | 'state'>): number {
  const salted = hashOf(id, STATE_SALT[hereOr(state)]);
  return Math.imul(salted ^ Math.imul(version.incarnation, 0x27d4eb2f) ^ Math.imul(version.counter + 1, 0x165667b1), 0x9e3779b1) >>> 0;
}
