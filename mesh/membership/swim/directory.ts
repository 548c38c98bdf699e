/**
 * Who are members, by decision of the log, and who watches whom: five rings, each an order of all members by another hash.
 * All members compute the same rings, so a link is wanted by both of its ends. Immutable; a change makes a new one.
 */
import { SWIM_LIMITS as LIMITS } from './limits.ts';

/** See the header. */
export class Directory {
  readonly #rings: readonly (readonly string[])[];
  readonly #ids: ReadonlySet<string>;
  #buckets: readonly (readonly string[])[] | null = null;
  readonly #neighbours = new Map<string, readonly string[]>();
  readonly #hashes = new Map<string, readonly number[]>();

  private constructor(ids: ReadonlySet<string>, rings: readonly (readonly string[])[]) {
    this.#ids = ids;
    this.#rings = rings;
  }

  /** The directory of these members. */
  static of(ids: Iterable<string>): Directory {
    const set = new Set(ids);
    const rings = Array.from({ length: LIMITS.rings }, (_, ring) => {
      const placed = [...set].map((id) => ({ id, place: hashOf(id, ring) }));
      placed.sort((a, b) => a.place - b.place || (a.id < b.id ? -1 : 1));
      return placed.map(({ id }) => id);
    });
    return new Directory(set, rings);
  }

  get size(): number {
    return this.#ids.size;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  ids(): Iterable<string> {
    return this.#ids;
  }

  /** Whether everybody is linked with everybody. */
  get isFull(): boolean {
    return this.#ids.size <= LIMITS.fullViewMembersMax;
  }

  /** Those next to a member on the rings: they watch it, and it them. Empty for strangers. */
  neighbours(id: string): readonly string[] {
    const known = this.#neighbours.get(id);
    if (known !== undefined) return known;
    const found = this.#walk(id, () => true);
    this.#neighbours.set(id, found);
    return found;
  }

  /** The members to keep a link to: all in a small mesh, else the neighbours, and behind those that are gone the next ones. */
  view(self: string, isGone: (id: string) => boolean): readonly string[] {
    if (this.isFull) return [...this.#ids].filter((id) => id !== self);
    const neighbours = this.neighbours(self);
    return neighbours.some(isGone) ? [...new Set([...neighbours, ...this.#walk(self, (id) => !isGone(id))])] : neighbours;
  }

  /** Parts into which the table of members is divided for comparison. */
  get bucketCount(): number {
    let count = 8;
    while (count < this.#ids.size / 32 && count < LIMITS.syncBucketsMax) count *= 2;
    return count;
  }

  bucketOf(id: string): number {
    return hashOf(id, LIMITS.rings) % this.bucketCount;
  }

  /** The members of one part. */
  bucket(index: number): readonly string[] {
    let buckets = this.#buckets;
    if (buckets === null) {
      const lists: string[][] = Array.from({ length: this.bucketCount }, () => []);
      for (const id of this.#ids) lists[this.bucketOf(id)]?.push(id);
      buckets = lists;
      this.#buckets = buckets;
    }
    return buckets[index] ?? [];
  }

  /** For each part, the exclusive or of what `hash` makes of its members; worked out once per `key`. */
  bucketHashes(key: string, hash: (id: string) => number): readonly number[] {
    const known = this.#hashes.get(key);
    if (known !== undefined) return known;
    const hashes = Array.from({ length: this.bucketCount }, (_, index) => this.bucket(index).reduce((sum, id) => (sum ^ hash(id)) >>> 0, 0));
    this.#hashes.set(key, hashes);
    return hashes;
  }

  /** On each ring, the first acceptable member in either direction. */
  #walk(id: string, accepts: (id: string) => boolean): readonly string[] {
    const found = new Set<string>();
    if (!this.#ids.has(id)) return [];
    for (const [index, ring] of this.#rings.entries()) {
      const at = placeIn(ring, index, id);
      for (const direction of [1, ring.length - 1]) {
        let place = at;
        for (let step = 0; step < Math.min(LIMITS.ringWalkMax, ring.length - 1); step += 1) {
          place = (place + direction) % ring.length;
          const other = ring[place];
          if (other === undefined || other === id || !accepts(other)) continue;
          found.add(other);
          break;
        }
      }
    }
    return [...found];
  }
}

function placeIn(ring: readonly string[], index: number, id: string): number {
  const place = hashOf(id, index);
  let low = 0;
  let high = ring.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = ring[middle] ?? '';
    const otherPlace = hashOf(other, index);
    if (otherPlace < place || (otherPlace === place && other < id)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Mixes well enough to spread identities, which are digests already; not a secret. */
export function hashOf(text: string, salt: number): number {
  let value = (0x811c9dc5 ^ Math.imul(salt + 1, 0x9e3779b1)) >>> 0;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
