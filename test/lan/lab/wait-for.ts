/**
 * Waits for a condition with a generous deadline instead of sleeping, and says how long it took. When the deadline
 * passes, the failure shows what was last seen and whatever evidence (logs of hosts) the caller can add.
 */
import { setTimeout as delay } from 'node:timers/promises';

/** How to wait. */
export interface WaitOptions {
  readonly withinMs: number;
  readonly everyMs?: number;
  /** Called once on failure; its text is appended to the message. */
  readonly evidence?: () => Promise<string> | string;
}

/** What was waited for, and how long that took. */
export interface Waited<T> {
  readonly value: T;
  readonly elapsedMs: number;
}

const EVERY_MS_DEFAULT = 100;

/**
 * Polls until `look` returns something other than `undefined` or `false`. Errors thrown by `look` count as "not yet"; the
 * last one is shown when time is up.
 */
export async function waitFor<T>(what: string, options: WaitOptions, look: () => Promise<T | undefined | false> | T | undefined | false): Promise<Waited<T>> {
  const startedAt = performance.now();
  let last = 'nothing was seen';
  for (;;) {
    try {
      const value = await look();
      if (value !== undefined && value !== false) return { value, elapsedMs: Math.round(performance.now() - startedAt) };
    } catch (error) {
      last = error instanceof Error ? error.message : String(error);
    }
    const elapsedMs = performance.now() - startedAt;
    if (elapsedMs > options.withinMs) {
      const evidence = options.evidence === undefined ? '' : `\n${await options.evidence()}`;
      throw new Error(`${what}: not true within ${options.withinMs} ms; last: ${last}${evidence}`);
    }
    await delay(options.everyMs ?? EVERY_MS_DEFAULT);
  }
}
