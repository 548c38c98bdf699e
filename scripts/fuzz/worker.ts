/**
 * One search in a thread of its own. Before every run the input is put where the watching thread can see it, so that even
 * an input that never returns is known.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { fuzzTargets } from '#test/fuzz/targets.ts';
import { Coverage } from './coverage.ts';
import { readCorpus } from './corpus.ts';
import { fuzz } from './fuzzer.ts';
import { isOrder, type Order } from './watch.ts';

const root = pathToFileURL(resolve(import.meta.dirname, '..', '..')).href;
/** Our own code, and the two libraries that see foreign bytes first. */
const watched = new RegExp(`^${root}/(core|mesh|provisioner|agent|node_modules/(dns-packet|msgpackr))/`);

function work(order: Order): void {
  const target = fuzzTargets.find(({ name }) => name === order.target);
  if (target === undefined) throw new TypeError(`there is no target ${order.target}`);
  const coverage = new Coverage((url) => watched.test(url));
  const numbers = new Int32Array(order.blackboard, 0, 2);
  const bytes = new Uint8Array(order.blackboard, 8);
  const report = fuzz(target, coverage, {
    seed: order.seed,
    ms: order.ms,
    corpus: readCorpus(target.name).map(({ input }) => input),
    about: (input) => {
      bytes.set(input.subarray(0, bytes.length));
      numbers[1] = input.length;
      Atomics.add(numbers, 0, 1);
    },
  });
  coverage.close();
  parentPort?.postMessage(report);
}

const order: unknown = workerData;
if (!isOrder(order)) throw new TypeError('a search begins with an order');
work(order);
