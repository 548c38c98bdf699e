/**
 * The history shared with one peer: both directions' chains, the challenges, the newest checkpoints. It outlives the TCP
 * connections that carry it; one session at a time works on it (protocol.md §2.7–§2.9). Plain state with its few
 * operations; who may do what when is the session's business.
 */
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { ChallengeBook, NO_CHALLENGE } from '#mesh/hcth/challenges.ts';
import { makeCheckpoint } from '#mesh/hcth/checkpoint.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import type { LinkChain } from '#mesh/hcth/link-chain.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Void } from '#mesh/wire/message.ts';
import { SESSION_LIMITS as LIMITS } from './limits.ts';

/** How a session begins on a link. */
export interface LinkStart {
  readonly link: Link;
  /** Frames of ours that were lost with the last connection. */
  readonly announce: Void | null;
  /** False in the lobby: nothing is signed or remembered about strangers. */
  readonly recorded: boolean;
}

/** See the header. */
export class Link {
  readonly sending: LinkChain;
  readonly receiving: LinkChain;
  readonly challenges: ChallengeBook;
  /** Newest challenge received from the peer; echoed in our next checkpoint. */
  echo: Uint8Array = NO_CHALLENGE;
  /** Newest checkpoint of ours for this peer, and of the peer for us. */
  ownCheckpoint: SignedObject | null;
  peerCheckpoint: SignedObject | null;
  #frames = 0;
  #bytes = 0;
  #slot = -1;

  constructor(start: {
    readonly sending: LinkChain;
    readonly receiving: LinkChain;
    readonly challenges?: ChallengeBook;
    readonly ownCheckpoint: SignedObject | null;
    readonly peerCheckpoint: SignedObject | null;
  }) {
    this.sending = start.sending;
    this.receiving = start.receiving;
    this.challenges = start.challenges ?? new ChallengeBook();
    this.ownCheckpoint = start.ownCheckpoint;
    this.peerCheckpoint = start.peerCheckpoint;
  }

  /** Count what was sent since the last checkpoint. */
  sent(bytes: number): void {
    this.#frames += 1;
    this.#bytes += bytes;
  }

  /** A checkpoint is due: a new slot, or enough frames or bytes (§2.8). */
  isCheckpointDue(slot: number): boolean {
    return this.sending.signable && (slot !== this.#slot || this.#frames >= LIMITS.checkpointFrames || this.#bytes >= LIMITS.checkpointBytes);
  }

  /** Sign our present position. The frame that carries it must be the next one. */
  checkpoint(crypto: CryptoPort, key: SignKey, from: Aid, to: Aid, slot: number): SignedObject {
    const received = this.receiving.sequence > 0 ? this.receiving.position : null;
    const object = makeCheckpoint(crypto, key, { from, to, sending: this.sending, received, echo: this.echo, slot });
    this.ownCheckpoint = object;
    this.#frames = 0;
    this.#bytes = 0;
    this.#slot = slot;
    return object;
  }
}

/** Number of the 60 s slot that an instant of this run lies in. */
export function slotOf(mono: Millis): number {
  return Math.floor(mono / LIMITS.slotMs);
}
