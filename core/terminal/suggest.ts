/** "Did you mean": the nearest of a few known words, or nothing when none is near enough to be a help. */

const DISTANCE_MAX = 3;
const SIMILARITY_MIN = 0.4;

/** Shortest beginning of a word that is taken for the whole of a longer one, as in `--token` for `--token-file`. */
const BEGINNING_CHARACTERS_MIN = 4;

/** The only candidate that `word` begins, or else the one with the fewest typing slips; `undefined` where the nearest is too far away. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const begun = word.length < BEGINNING_CHARACTERS_MIN ? [] : all.filter((candidate) => candidate.toLowerCase().startsWith(word.toLowerCase()));
  return begun.length === 1 ? begun[0] : fewestSlips(word, all);
}

function fewestSlips(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = DISTANCE_MAX + 1;
  for (const candidate of candidates) {
    const distance = slips(word.toLowerCase(), candidate.toLowerCase());
    const length = Math.max(word.length, candidate.length);
    if (distance < bestDistance && (length - distance) / length > SIMILARITY_MIN) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Damerau–Levenshtein distance, optimal string alignment: insertions, deletions, replacements, swapped neighbours. */
function slips(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > DISTANCE_MAX) return Math.max(a.length, b.length);
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min((previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (previous[column - 1] ?? 0) + (same ? 0 : 1));
      if (row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[b.length] ?? 0;
}
