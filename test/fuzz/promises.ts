/** What the targets check with: broken promises are exceptions of one kind, with the bytes in them. */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';

/** A property does not hold. */
export class BrokenPromise extends Error {
  override readonly name = 'BrokenPromise';
}

/** Throws unless it holds. */
export function promise(holds: boolean, what: string): asserts holds {
  if (!holds) throw new BrokenPromise(what);
}

/** Throws unless both are the same bytes. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  promise(bytesEqual(actual, expected), `${what}: ${hex(actual.subarray(0, 80))} instead of ${hex(expected.subarray(0, 80))}`);
}
