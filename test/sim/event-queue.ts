/**
 * What is going to happen, in the order of its time and then of its making: a binary heap, so that a world with thousands
 * of frames on the way costs no more per frame than one with ten.
 */
import type { Millis } from '#core/time/time.ts';

interface Entry {
  readonly at: Millis;
  readonly order: number;
  readonly run: () => void;
}

/** Invariant: the entry at `i` is not later than those at `2i + 1` and `2i + 2`. */
export class EventQueue {
  readonly #heap: Entry[] = [];
  #order = 0;

  /** Time of the earliest entry; undefined while there is none. */
  get nextAt(): Millis | undefined {
    return this.#heap[0]?.at;
  }

  get size(): number {
    return this.#heap.length;
  }

  add(at: Millis, run: () => void): void {
    const heap = this.#heap;
    const entry: Entry = { at, order: this.#order, run };
    this.#order += 1;
    let index = heap.length;
    heap.push(entry);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const other = heap[above];
      if (other === undefined || !isBefore(entry, other)) break;
      heap[index] = other;
      index = above;
    }
    heap[index] = entry;
  }

  /** Take the earliest entry out. */
  take(): (() => void) | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first?.run;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let least = heap[below];
      if (least === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && isBefore(right, least)) {
        below += 1;
        least = right;
      }
      if (!isBefore(least, last)) break;
      heap[index] = least;
      index = below;
    }
    heap[index] = last;
    return first.run;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
