/**
 * Quorum arithmetic: what so many of N have reached. Knows nothing of servers or terms.
 */

/** The highest value that at least `quorum` of the values reach; 0 where there are fewer values. */
export function reachedBy(quorum: number, values: readonly number[]): number {
  return [...values].sort((a, b) => b - a)[quorum - 1] ?? 0;
}
