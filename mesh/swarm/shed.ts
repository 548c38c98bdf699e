/**
 * Which connections go when unfinished frames altogether take too much memory (protocol.md §2.15): strangers before
 * machines in the lobby, those before members, members by trust; among equals the one that holds most.
 */

/** A connection with something unfinished. */
export interface Holder {
  readonly connection: number;
  readonly bytesHeld: number;
  readonly standing: 'stranger' | 'lobby' | 'member';
  /** Of a member, 0 … 10 000. */
  readonly score: number;
}

const ORDER: Readonly<Record<Holder['standing'], number>> = { stranger: 0, lobby: 1, member: 2 };

/** The connections to close so that at least `excess` bytes are given back; fewest trusted first. */
export function chooseToShed(holders: readonly Holder[], excess: number): readonly number[] {
  const sorted = holders
    .filter(({ bytesHeld }) => bytesHeld > 0)
    .toSorted((a, b) => ORDER[a.standing] - ORDER[b.standing] || a.score - b.score || b.bytesHeld - a.bytesHeld);
  const chosen: number[] = [];
  let left = excess;
  for (const { connection, bytesHeld } of sorted) {
    if (left <= 0) break;
    chosen.push(connection);
    left -= bytesHeld;
  }
  return chosen;
}
