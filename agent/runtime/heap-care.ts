/**
 * Gives memory back that only the start needed. V8 collects its old space when that fills up; the heap of an idle agent
 * never does, and what was garbage a second after the start would stay resident for days. The executables expose the
 * collector for this (scripts/executable); from source, without it, nothing happens here.
 */
import { performance } from 'node:perf_hooks';
import { MINUTE, SECOND } from '#core/time/time.ts';

/** After the start; founding, joining and the first look at the hardware are over by then. */
const FIRST_MS = 10 * SECOND;
const REGULARLY_MS = 10 * MINUTE;
/** Less than this is not worth a pause of some fifty milliseconds (x86-64; a small board needs five times as long). */
const WASTE_BYTES_MIN = 4 * 1024 * 1024;
/** An agent with more to do than this is not made to pause; its heap is in use anyway. */
const BUSY_SHARE_MAX = 0.05;

/** What the heap takes of the machine, what of that is in use, and how busy the event loop has been since the last look. */
export interface HeapReading {
  readonly heapTotal: number;
  readonly heapUsed: number;
  readonly busyShare: number;
}

/** Invariant: at most one collection per look; none while the agent is busy or the heap about as small as after the last one. */
export class HeapCare {
  readonly #collect: () => void;
  readonly #read: () => HeapReading;
  readonly #timers: readonly NodeJS.Timeout[];
  /** Bytes in use right after the last collection; 0 before the first, which is not put off. */
  #needed = 0;

  constructor(collect = lastResort(globalThis.gc), read = reader()) {
    this.#collect = collect;
    this.#read = read;
    this.#timers = [setTimeout(this.look, FIRST_MS).unref(), setInterval(this.look, REGULARLY_MS).unref()];
  }

  /** Collect when it is worth it. */
  readonly look = (): void => {
    const { heapTotal, busyShare } = this.#read();
    if (heapTotal - this.#needed < WASTE_BYTES_MIN || (this.#needed > 0 && busyShare > BUSY_SHARE_MAX)) return;
    this.#collect();
    this.#needed = this.#read().heapUsed;
  };

  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}

/** The one flavour that also gives the emptied pages back: others keep them in V8's own pool. */
export function lastResort(gc: NodeJS.GCFunction | undefined): () => void {
  return () => {
    gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  };
}

function reader(): () => HeapReading {
  let last = performance.eventLoopUtilization();
  return () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, last);
    last = now;
    return { ...process.memoryUsage(), busyShare: utilization };
  };
}
