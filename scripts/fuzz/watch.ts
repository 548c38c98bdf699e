/**
 * One search, watched from outside: it runs in a thread of its own, and when a single input does not return the thread is
 * ended and that input is the finding.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FuzzReport } from './fuzzer.ts';

/** What a search is told. */
export interface Order {
  readonly target: string;
  readonly seed: string;
  readonly ms: number;
  /** Two 32-bit numbers (runs begun, bytes of the input), then the input. */
  readonly blackboard: SharedArrayBuffer;
}

/** Bytes of an input that fit on the blackboard. */
const BLACKBOARD_BYTES = 1 << 17;
/** One input that takes so long hangs. */
const HANG_MS = 5_000;
const LOOK_MS = 500;

/** What a thread was given is typed as anything. */
export function isOrder(value: unknown): value is Order {
  return typeof value === 'object' && value !== null && 'target' in value && 'blackboard' in value && value.blackboard instanceof SharedArrayBuffer;
}

/** Search for so long. */
export async function watchedFuzz(target: string, seed: string, ms: number): Promise<FuzzReport> {
  const order: Order = { target, seed, ms, blackboard: new SharedArrayBuffer(8 + BLACKBOARD_BYTES) };
  const worker = new Worker(join(import.meta.dirname, 'worker.ts'), { workerData: order });
  const numbers = new Int32Array(order.blackboard, 0, 2);
  let timer: NodeJS.Timeout | undefined;
  try {
    return await new Promise<FuzzReport>((resolve, reject) => {
      worker.on('message', resolve);
      worker.on('error', reject);
      worker.on('exit', (code) => {
        reject(new Error(`the search of ${target} ended early with ${code}`));
      });
      let run = -1;
      let since = performance.now();
      timer = setInterval(() => {
        const now = Atomics.load(numbers, 0);
        if (now !== run) [run, since] = [now, performance.now()];
        // Before the first run it loads its modules.
        if (run <= 0 || performance.now() - since < HANG_MS) return;
        const input = new Uint8Array(order.blackboard, 8).slice(0, numbers[1]);
        resolve({ target, runs: run, accepted: 0, reached: 0, kept: [], finding: { target, input, what: `does not return within ${HANG_MS} ms` } });
      }, LOOK_MS);
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
