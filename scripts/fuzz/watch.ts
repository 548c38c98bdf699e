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
/** One input that takes so much of the thread's processor time hangs: a busy machine must not make a finding of an innocent input. */
const HANG_CPU_MS = 5_000;
/** And one that takes so long by the wall clock, whatever the processor did. */
const HANG_MS = 60_000;
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
      let begun: { readonly run: number; readonly at: number; readonly cpuMs: number | undefined } = { run: -1, at: 0, cpuMs: undefined };
      const hangs = (after: string): void => {
        const input = new Uint8Array(order.blackboard, 8).slice(0, numbers[1]);
        resolve({ target, runs: begun.run, accepted: 0, reached: 0, kept: [], finding: { target, input, what: `does not return within ${after}` } });
      };
      timer = setInterval(() => {
        const run = Atomics.load(numbers, 0);
        const now = performance.now();
        if (run !== begun.run) begun = { run, at: now, cpuMs: undefined };
        // Before the first run it loads its modules.
        if (run <= 0) return;
        if (now - begun.at >= HANG_MS) hangs(`${HANG_MS} ms`);
        // A thread that has just ended has no processor time to tell; its message or its exit decides.
        cpuMsOf(worker).then(
          (cpuMs) => {
            if (begun.run !== run) return;
            begun = { ...begun, cpuMs: begun.cpuMs ?? cpuMs };
            if (cpuMs - (begun.cpuMs ?? cpuMs) >= HANG_CPU_MS) hangs(`${HANG_CPU_MS} ms of processor time`);
          },
          () => undefined,
        );
      }, LOOK_MS);
    });
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}

async function cpuMsOf(worker: Worker): Promise<number> {
  const { user, system } = await worker.cpuUsage();
  return (user + system) / 1_000;
}
