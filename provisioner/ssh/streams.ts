/** Feeding input to a program and collecting its output within a bound; shared by every session. */
import { Readable, type Writable } from 'node:stream';
import { Fault } from '#core/errors/fault.ts';

/** Keeps the first `bytesMax` bytes and counts the rest, so that a chatty program cannot fill our memory. */
export class OutputCollector {
  readonly #bytesMax: number;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  add(chunk: Buffer): void {
    const room = this.#bytesMax - this.#bytes;
    if (room <= 0) return;
    const kept = chunk.length > room ? chunk.subarray(0, room) : chunk;
    this.#chunks.push(kept);
    this.#bytes += kept.length;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}

/**
 * Write all of `input`, then end. A program that stops reading early (EPIPE) is judged by its exit code, not by us;
 * an input that cannot be read is reported through `onFault`.
 */
export function pipeInput(input: Uint8Array | string | Readable | undefined, into: Writable, onFault: (fault: Fault) => void): void {
  into.on('error', () => {
    if (input instanceof Readable) input.destroy();
  });
  if (input === undefined) into.end();
  else if (input instanceof Readable) {
    input.on('error', (error) => onFault(new Fault('RN-PROV-021', `the data to send could not be read: ${error.message}`, { cause: error })));
    input.pipe(into);
  } else into.end(input);
}
