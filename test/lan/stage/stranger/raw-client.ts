/**
 * A stranger on the LAN: opens TCP connections and sends whatever bytes it was told to, as a program of its own inside a
 * host's network. It knows nothing of the protocol; the test composes the bytes. Reads one `Visit[]` as JSON from standard
 * input, prints one `Reception[]`.
 */
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** One connection to make. */
export interface Visit {
  readonly host: string;
  readonly port: number;
  /** Source address; several give one machine several faces. */
  readonly from: string;
  /** Sent one after another; `afterBytes` waits until so many bytes have come back in all. */
  readonly send: readonly { readonly hex: string; readonly afterBytes?: number }[];
  /** Give up waiting for the other side to close. */
  readonly patienceMs: number;
}

/** What came of it. */
export interface Reception {
  readonly ending: 'closed by the peer' | 'reset by the peer' | 'refused' | 'still open';
  readonly receivedHex: string;
  readonly elapsedMs: number;
}

/** Makes one visit. */
export async function visit(plan: Visit): Promise<Reception> {
  const startedAt = performance.now();
  const received: Buffer[] = [];
  let ending: Reception['ending'] | undefined;
  let isConnected = false;
  const socket = connect({ host: plan.host, port: plan.port, localAddress: plan.from });
  socket.on('data', (chunk: Buffer) => received.push(chunk));
  socket.on('connect', () => (isConnected = true));
  socket.on('error', () => (ending ??= isConnected ? 'reset by the peer' : 'refused'));
  socket.on('end', () => (ending ??= 'closed by the peer'));
  socket.on('close', () => (ending ??= 'closed by the peer'));
  const isOver = (): boolean => ending !== undefined || performance.now() - startedAt > plan.patienceMs;
  const bytes = (): number => received.reduce((sum, chunk) => sum + chunk.length, 0);
  for (const part of plan.send) {
    while (!isOver() && bytes() < (part.afterBytes ?? 0)) await delay(2);
    if (!isOver()) socket.write(Buffer.from(part.hex, 'hex'));
  }
  while (!isOver()) await delay(5);
  const result: Reception = {
    ending: ending ?? 'still open',
    receivedHex: Buffer.concat(received).toString('hex'),
    elapsedMs: Math.round(performance.now() - startedAt),
  };
  socket.destroy();
  return result;
}

if (import.meta.main) {
  let input = '';
  for await (const chunk of process.stdin) input += String(chunk);
  const plans: readonly Visit[] = JSON.parse(input);
  process.stdout.write(JSON.stringify(await Promise.all(plans.map((plan) => visit(plan)))));
}
