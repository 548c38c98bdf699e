/**
 * Checkpoints: the sender signs where its direction of the link stands, how much of the other direction it has received,
 * and the newest challenge it was given (protocol.md §2.8). Because each acknowledges the opposite direction the two
 * histories are braided: a peer can show anybody "you signed that you had received this from me".
 * Making and reading the bytes; what a received one is worth is judged in checkpoint-check.ts.
 */
import { bytesEqual, compareBytes } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Position } from '#mesh/wire/message.ts';
import { NO_ANCHOR } from './chain.ts';
import type { KeyHistory } from './establishment.ts';
import { encodeFields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import type { LinkChain } from './link-chain.ts';
import { objectDigest, type SignedObject, signObject, verifyObject } from './signed-object.ts';

/** The body of a checkpoint. */
export interface Checkpoint {
  readonly from: Aid;
  readonly to: Aid;
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  /** Own position: frame number and the head after it. */
  readonly sequence: number;
  readonly head: Uint8Array;
  /** Acknowledged position of the other direction; all zero for nothing yet. */
  readonly acknowledged: Position;
  /** Newest challenge received from the other side. */
  readonly echo: Uint8Array;
  /** The sender's slot number since it started; never falls while the sequence grows. */
  readonly slot: number;
}

/** A checkpoint whose signature has been verified, and its bytes. */
export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  readonly object: SignedObject;
}

/** "Nothing received yet". */
export const NO_POSITION: Position = { incarnation: 0, nonce: new Uint8Array(16), sequence: 0, head: NO_ANCHOR };

/** What a checkpoint is made from. */
export interface CheckpointOrigin {
  readonly from: Aid;
  readonly to: Aid;
  readonly sending: LinkChain;
  readonly received: Position | null;
  readonly echo: Uint8Array;
  readonly slot: number;
}

/** Sign the present position. The frame that carries it takes the next number, so no position is ever signed twice. */
export function makeCheckpoint(crypto: CryptoPort, key: SignKey, origin: CheckpointOrigin): SignedObject {
  assert(origin.sending.signable, 'nothing is signed between a void and its VOID frame');
  const { from, to, sending, echo, slot } = origin;
  const acknowledged = origin.received ?? NO_POSITION;
  return signObject(
    crypto,
    key,
    LABELS.checkpoint,
    encodeCheckpoint({
      from,
      to,
      incarnation: sending.incarnation,
      nonce: sending.nonce,
      sequence: sending.sequence,
      head: sending.head,
      acknowledged,
      echo,
      slot,
    }),
  );
}

/** The bytes of a checkpoint's body. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  const { acknowledged } = checkpoint;
  return encodeFields({
    f: checkpoint.from,
    o: checkpoint.to,
    i: checkpoint.incarnation,
    c: checkpoint.nonce,
    q: checkpoint.sequence,
    h: checkpoint.head,
    ai: acknowledged.incarnation,
    ac: acknowledged.nonce,
    aq: acknowledged.sequence,
    ah: acknowledged.head,
    ch: checkpoint.echo,
    sl: checkpoint.slot,
  });
}

/** The meaning of a checkpoint's bytes; `undefined` where they are none. */
export function decodeCheckpoint(body: Uint8Array): Checkpoint | undefined {
  const fields = readFields(body);
  const checkpoint: Checkpoint = {
    from: fields.bytes('f', 32),
    to: fields.bytes('o', 32),
    incarnation: fields.integer('i', 1, LIMITS.incarnationMax),
    nonce: fields.bytes('c', 16),
    sequence: fields.integer('q', 0, Number.MAX_SAFE_INTEGER),
    head: fields.bytes('h', 32),
    acknowledged: {
      incarnation: fields.integer('ai', 0, LIMITS.incarnationMax),
      nonce: fields.bytes('ac', 16),
      sequence: fields.integer('aq', 0, Number.MAX_SAFE_INTEGER),
      head: fields.bytes('ah', 32),
    },
    echo: fields.bytes('ch', 16),
    slot: fields.integer('sl', 0, Number.MAX_SAFE_INTEGER),
  };
  return fields.sound ? checkpoint : undefined;
}

/**
 * The checkpoint, when `from` signed it for `to` with any key of its history: stored and shown ones are older than the
 * newest rotation, perhaps. Live ones are checked against the current key alone (checkpoint-check.ts).
 */
export function openCheckpoint(crypto: CryptoPort, from: KeyHistory, to: Aid, object: SignedObject): Checkpoint | undefined {
  if (!from.signKeys.some((signKey) => verifyObject(crypto, signKey, LABELS.checkpoint, object))) return undefined;
  const checkpoint = decodeCheckpoint(object.body);
  return checkpoint !== undefined && bytesEqual(checkpoint.from, from.aid) && bytesEqual(checkpoint.to, to) ? checkpoint : undefined;
}

/** What identifies a checkpoint as an anchor. */
export function checkpointDigest(crypto: CryptoPort, object: SignedObject): Uint8Array {
  return objectDigest(crypto, LABELS.checkpoint, object.body);
}

/** Age order within one direction: incarnation, then frame number; the nonce only makes the order total. */
export function compareCheckpoints(a: Checkpoint, b: Checkpoint): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence || compareBytes(a.nonce, b.nonce);
}

/**
 * Whether two checkpoints say two things in one place (protocol.md §2.9, slot keys): an equivocation. Place 0 is none: the
 * genesis of a direction depends on what both ends agree on, so its head says nothing of the signer alone (ADR 0007).
 */
export function checkpointsConflict(a: Checkpoint, b: Checkpoint): boolean {
  const samePlace =
    bytesEqual(a.from, b.from) && bytesEqual(a.to, b.to) && a.incarnation === b.incarnation && bytesEqual(a.nonce, b.nonce) && a.sequence === b.sequence;
  return samePlace && a.sequence > 0 && !bytesEqual(a.head, b.head);
}
