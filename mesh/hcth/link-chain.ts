/**
 * One direction of a link's history: the running head, and a bounded ring of past positions so that what the other side
 * acknowledges can be checked (protocol.md §2.8). Sender and receiver run the same class over the same frames; that is
 * the point. The caller has already checked that a frame carries exactly the next sequence number.
 *
 * Invariants: `sequence` only grows; a number is never used for two contents; after a void nothing may be signed until the
 * VOID frame itself has been chained, else the same place could be signed twice.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Position, Void } from '#mesh/wire/message.ts';
import { chainHead, chainLeaf, chainVoid } from './chain.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';

const DIGEST_BYTES = 32;
/** Positions that a ring has room for at first: an idle link never needs more between two checkpoints. */
const RING_POSITIONS_START = 32;

/** What a ring of past positions knows about one of them. */
export type PastHead = { readonly kind: 'head'; readonly head: Uint8Array } | { readonly kind: 'too-old' } | { readonly kind: 'not-yet' };

/** The outcome of applying a peer's VOID. */
export type VoidOutcome = { readonly kind: 'applied'; readonly lost: number } | { readonly kind: 'refused'; readonly why: string };

/** See the header. */
export class LinkChain {
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  readonly #crypto: CryptoPort;
  /** Doubles while it would have to forget, up to its limit. */
  #ring = new Uint8Array(RING_POSITIONS_START * DIGEST_BYTES);
  /** Sequence number whose head lies in the slot of the ring; -1 for none. */
  #ringSequence = new Float64Array(RING_POSITIONS_START).fill(-1);
  #sequence: number;
  #head: Uint8Array;
  #voidPending = false;

  /** Continue from a position; at sequence 0 `head` is the genesis of {@link linkGenesis}. */
  constructor(crypto: CryptoPort, start: Position) {
    this.#crypto = crypto;
    this.incarnation = start.incarnation;
    this.nonce = start.nonce;
    this.#sequence = start.sequence;
    this.#head = start.head;
    this.#remember();
  }

  /** Number of the newest chained frame; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  get head(): Uint8Array {
    return this.#head;
  }

  get position(): Position {
    return { incarnation: this.incarnation, nonce: this.nonce, sequence: this.#sequence, head: this.#head };
  }

  /** Whether the present position may be signed: false between a void and the VOID frame that says so. */
  get signable(): boolean {
    return !this.#voidPending;
  }

  /** Chain the next frame: the 20 covered header bytes and the plaintext. */
  append(header20: Uint8Array, plaintext: Uint8Array): void {
    this.#head = chainHead(this.#crypto, this.#head, chainLeaf(this.#crypto, header20, plaintext));
    this.#sequence += 1;
    this.#voidPending = false;
    this.#remember();
  }

  /** The head after frame `sequence`, as far as it is remembered. */
  headAt(sequence: number): PastHead {
    if (sequence > this.#sequence) return { kind: 'not-yet' };
    const slot = sequence % this.#ringSequence.length;
    if (sequence < 0 || this.#ringSequence[slot] !== sequence) return { kind: 'too-old' };
    return { kind: 'head', head: this.#ring.slice(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES) };
  }

  /**
   * The sender's half of a void: everything after the other side's position is lost. Returns the VOID to send as the next
   * frame; `none` where nothing was lost, `mismatch` where the other side's head is not ours (its claim counts where our
   * ring no longer reaches: a receiver that lies about what it has cheats only itself).
   */
  voidAfter(received: {
    readonly sequence: number;
    readonly head: Uint8Array;
  }): { readonly kind: 'none' | 'mismatch' } | { readonly kind: 'void'; readonly message: Void } {
    const known = this.headAt(received.sequence);
    if (known.kind === 'not-yet' || (known.kind === 'head' && !bytesEqual(known.head, received.head))) return { kind: 'mismatch' };
    if (received.sequence === this.#sequence) return { kind: 'none' };
    const message: Void = { kind: 'void', from: received.sequence, to: this.#sequence, head: this.#head };
    this.#jump(message, received.head);
    return { kind: 'void', message };
  }

  /** The receiver's half; the VOID frame itself, number `to + 1`, is chained afterwards like any other. */
  applyVoid(message: Void): VoidOutcome {
    if (message.from !== this.#sequence) return { kind: 'refused', why: `void from ${message.from} does not continue ${this.#sequence}` };
    if (message.to <= message.from) return { kind: 'refused', why: `void from ${message.from} to ${message.to} is empty` };
    // Numbers beyond exact integers could neither be counted on nor signed.
    if (message.to > LIMITS.sequenceMax) return { kind: 'refused', why: `void to ${message.to} exceeds ${LIMITS.sequenceMax}` };
    this.#jump(message, this.#head);
    return { kind: 'applied', lost: message.to - message.from };
  }

  #jump(message: Void, base: Uint8Array): void {
    assert(message.to >= this.#sequence, 'a void never goes back');
    this.#head = chainVoid(this.#crypto, base, message.from, message.to, message.head);
    this.#sequence = message.to;
    this.#voidPending = true;
    for (let slot = 0; slot < this.#ringSequence.length; slot += 1) if ((this.#ringSequence[slot] ?? -1) > message.from) this.#ringSequence[slot] = -1;
    this.#remember();
  }

  #remember(): void {
    while (this.#ringSequence.length < LIMITS.ringPositionsMax && this.#wouldForget(this.#sequence)) this.#grow();
    this.#place(this.#sequence, this.#head);
  }

  #wouldForget(sequence: number): boolean {
    const held = this.#ringSequence[sequence % this.#ringSequence.length] ?? -1;
    return held >= 0 && held !== sequence;
  }

  #place(sequence: number, head: Uint8Array): void {
    const slot = sequence % this.#ringSequence.length;
    this.#ring.set(head, slot * DIGEST_BYTES);
    this.#ringSequence[slot] = sequence;
  }

  /** Numbers that differ modulo the smaller size also differ modulo the larger one: nothing is lost. */
  #grow(): void {
    const [ring, sequences] = [this.#ring, this.#ringSequence];
    this.#ring = new Uint8Array(ring.length * 2);
    this.#ringSequence = new Float64Array(sequences.length * 2).fill(-1);
    for (const [slot, sequence] of sequences.entries()) if (sequence >= 0) this.#place(sequence, ring.subarray(slot * DIGEST_BYTES, (slot + 1) * DIGEST_BYTES));
  }
}
