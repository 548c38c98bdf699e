/**
 * The executor's half of fencing (protocol.md §3.3 rule 12): it remembers the highest pair and refuses lower ones, so that
 * a leader that does not know yet that it is none cannot undo what its successor did.
 */
import type { Fence } from './inputs.ts';

/** See the header. Start it with what was stored. */
export class FenceGuard {
  #highest: Fence;

  constructor(highest: Fence = { term: 0, index: 0 }) {
    this.#highest = highest;
  }

  get highest(): Fence {
    return this.#highest;
  }

  /** Whether an effect may happen; remembers it. The same pair again is allowed: whoever repeats is the same. */
  admit(fence: Fence): boolean {
    const { term, index } = this.#highest;
    if (fence.term < term || (fence.term === term && fence.index < index)) return false;
    this.#highest = fence;
    return true;
  }
}
