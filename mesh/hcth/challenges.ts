/**
 * Challenges: 16 random bytes per slot and peer that its next checkpoint must echo, which is what makes pre-computed
 * chains worthless (protocol.md §2.8, D7). An echo is fresh for two slots, then stale (no credit, no penalty: anybody on
 * the path can delay), and one that was never issued is the peer's own doing. The bytes come from outside.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { assert } from '#core/errors/assert.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';

/** Bytes of a challenge. */
export const CHALLENGE_BYTES = 16;

/** The echo before any challenge was received: never credited, never blamed. */
export const NO_CHALLENGE = new Uint8Array(CHALLENGE_BYTES);

/** What an echo is worth. */
export type EchoVerdict = 'fresh' | 'stale' | 'never-issued';

/** The challenges issued to one peer in this session and those before, newest last. Owned by the peer's link. */
export class ChallengeBook {
  readonly #issued: { readonly slot: number; readonly challenge: Uint8Array }[] = [];
  #forgotten = false;

  /** Whether the slot has no challenge yet and one should be drawn. */
  isDue(slot: number): boolean {
    const newest = this.#issued.at(-1);
    return newest === undefined || newest.slot < slot;
  }

  /** Note a challenge as issued in a slot; slots never go back. */
  issue(slot: number, challenge: Uint8Array): void {
    assert(challenge.length === CHALLENGE_BYTES, 'a challenge has 16 bytes');
    assert((this.#issued.at(-1)?.slot ?? slot) <= slot, 'slots never go back');
    this.#issued.push({ slot, challenge });
    if (this.#issued.length > LIMITS.challengesRememberedMax) {
      this.#issued.shift();
      this.#forgotten = true;
    }
  }

  /** The newest challenge, to be sent along. */
  get newest(): Uint8Array | undefined {
    return this.#issued.at(-1)?.challenge;
  }

  /** Judge an echo received in a slot. Once old challenges have been forgotten, an unknown one can only be called stale. */
  judge(echo: Uint8Array, slot: number): EchoVerdict {
    if (bytesEqual(echo, NO_CHALLENGE)) return 'stale';
    const found = this.#issued.find((issued) => bytesEqual(issued.challenge, echo));
    if (found === undefined) return this.#forgotten ? 'stale' : 'never-issued';
    return slot - found.slot < LIMITS.challengeSlotsFresh ? 'fresh' : 'stale';
  }
}
