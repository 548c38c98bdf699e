/**
 * Assertions are for our own mistakes only. Input from a peer, a file or a person never reaches one.
 */

/** Thrown by {@link assert}: a bug of ours; the process ends and the service manager restarts it. */
export class AssertionFailure extends Error {
  override readonly name = 'AssertionFailure';
}

/** State an invariant; kept on in production. */
export function assert(condition: boolean, why: string): asserts condition {
  if (!condition) throw new AssertionFailure(why);
}

/** For the `default` of an exhaustive switch: the compiler proves it unreachable. */
export function unreachable(value: never): never {
  throw new AssertionFailure(`unreachable: ${String(value)}`);
}
