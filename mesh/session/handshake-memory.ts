/**
 * What a node remembers of handshakes, so that it can say in plain words what is done to it: the ephemeral keys of those
 * that were completed, and its own. An ephemeral key is drawn for one handshake; a second sight of it is a replay, and our
 * own coming back to us is a reflection. Nothing is decided by it that the handshake would not refuse anyway: it saves the
 * Diffie-Hellman, and it makes the report certain. Bounded; the oldest is forgotten.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { SESSION_LIMITS as LIMITS } from './limits.ts';

/** When and from where a handshake was seen first. */
export interface Sighting {
  /** Wall clock. */
  readonly at: Millis;
  readonly source: string;
}

/** What a key of the other side turns out to be. */
export type Recognized = { readonly kind: 'replayed'; readonly first: Sighting } | { readonly kind: 'reflected' };

/** See the header. */
export class HandshakeMemory {
  readonly #completed = new Map<string, Sighting>();
  readonly #own = new Set<string>();

  /** A key of ours goes out. */
  ours(ephemeral: Uint8Array): void {
    forgetOldest(this.#own, LIMITS.handshakesRememberedMax);
    this.#own.add(hex(ephemeral));
  }

  /** The other side's key of a handshake that was completed. Floods complete none, so they push nothing out. */
  completed(ephemeral: Uint8Array, sighting: Sighting): void {
    forgetOldest(this.#completed, LIMITS.handshakesRememberedMax);
    this.#completed.set(hex(ephemeral), sighting);
  }

  /** Whether this key was seen before, and as what. */
  recognize(ephemeral: Uint8Array): Recognized | undefined {
    const key = hex(ephemeral);
    if (this.#own.has(key)) return { kind: 'reflected' };
    const first = this.#completed.get(key);
    return first === undefined ? undefined : { kind: 'replayed', first };
  }
}

function forgetOldest(keys: { readonly size: number; keys(): Iterable<string>; delete(key: string): boolean }, max: number): void {
  if (keys.size < max) return;
  for (const key of keys.keys()) {
    keys.delete(key);
    return;
  }
}
