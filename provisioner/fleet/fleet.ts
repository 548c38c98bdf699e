/** Many hosts side by side, a bounded number at a time. Order of the results is the order of the hosts. */
import { isFault } from '#core/errors/fault.ts';

/** Map with at most `parallel` running; an exception that is not a fault is our bug and ends the run. */
export async function inParallel<Item, Result>(items: readonly Item[], parallel: number, act: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results = new Map<number, Result>();
  const queue = [...items.entries()];
  let bug: unknown = null;
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined && bug === null; next = queue.shift()) {
      try {
        results.set(next[0], await act(next[1]));
      } catch (error) {
        if (!isFault(error)) bug = error;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Math.min(parallel, items.length)) }, worker));
  return items.flatMap((_, index) => {
    const result = results.get(index);
    return result === undefined ? [] : [result];
  });
}
