/**
 * What a received checkpoint is worth (protocol.md §2.8, H-20 ff): signature, scope, its position against what really
 * arrived, its acknowledgement against what was really sent, its echo against the challenges really issued. Every refusal
 * here is the peer's own doing, because the frame around it was verified; a stale echo is not one (it only earns nothing).
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { BreakClass } from './breaks.ts';
import { NO_ANCHOR } from './chain.ts';
import type { ChallengeBook } from './challenges.ts';
import { type Checkpoint, checkpointsConflict, compareCheckpoints, decodeCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
import type { Aid } from './identity-text.ts';
import { LABELS } from './labels.ts';
import type { LinkChain } from './link-chain.ts';
import { type SignedObject, verifyObject } from './signed-object.ts';

/** What a checkpoint is held against. */
export interface CheckpointContext {
  readonly self: Aid;
  readonly peer: { readonly aid: Aid; readonly signKey: Uint8Array };
  /** What we have received from the peer, the checkpoint's own frame not yet included (or included: its position is in the past). */
  readonly receiving: LinkChain;
  /** What we have sent to the peer. */
  readonly sending: LinkChain;
  readonly challenges: ChallengeBook;
  /** Our present slot number, as used with `challenges`. */
  readonly slot: number;
  /** Newest checkpoint of the peer that we hold, from this session or before. */
  readonly newest: OpenedCheckpoint | null;
  /** Others of its checkpoints that we have verified and still remember. */
  readonly remembered?: readonly OpenedCheckpoint[];
}

/** The outcome of checking a checkpoint. */
export type CheckpointVerdict =
  | {
      readonly kind: 'accepted';
      readonly checkpoint: Checkpoint;
      /** Its echo was fresh: the slot may be credited. */
      readonly fresh: boolean;
      /** Its acknowledgement was within our ring and agrees. */
      readonly acknowledgementChecked: boolean;
    }
  | { readonly kind: 'refused'; readonly class: BreakClass; readonly code: RefusalCode; readonly why: string; readonly proof: readonly SignedObject[] };

/** Check one checkpoint that arrived in a verified frame. */
export function checkCheckpoint(crypto: CryptoPort, object: SignedObject, context: CheckpointContext): CheckpointVerdict {
  const refuse = (breakClass: BreakClass, code: RefusalCode, why: string, proof: readonly SignedObject[] = []): CheckpointVerdict => ({
    kind: 'refused',
    class: breakClass,
    code,
    why,
    proof,
  });
  if (!verifyObject(crypto, context.peer.signKey, LABELS.checkpoint, object)) return refuse('PV', 'CHAIN_MISMATCH', 'a checkpoint is not signed by the peer');
  const checkpoint = decodeCheckpoint(object.body);
  if (checkpoint === undefined) return refuse('PV', 'RMP_INVALID', 'a checkpoint does not decode');
  const { receiving, sending, newest } = context;
  if (!bytesEqual(checkpoint.from, context.peer.aid) || !bytesEqual(checkpoint.to, context.self))
    return refuse('PV', 'CHAIN_MISMATCH', 'a checkpoint belongs to another link');
  if (checkpoint.incarnation !== receiving.incarnation || !bytesEqual(checkpoint.nonce, receiving.nonce))
    return refuse('PV', 'CHAIN_MISMATCH', 'a checkpoint belongs to another incarnation');
  const contradicted = [...(newest === null ? [] : [newest]), ...(context.remembered ?? [])].find((known) => checkpointsConflict(known.checkpoint, checkpoint));
  if (contradicted !== undefined) return refuse('B5', 'EQUIVOCATION', `two checkpoints for frame ${checkpoint.sequence} differ`, [contradicted.object, object]);
  const past = receiving.headAt(checkpoint.sequence);
  if (past.kind === 'not-yet')
    return refuse('PV', 'CHAIN_MISMATCH', `a checkpoint claims frame ${checkpoint.sequence}, only ${receiving.sequence} have arrived`);
  if (past.kind === 'head' && !bytesEqual(past.head, checkpoint.head))
    return refuse('SELF', 'CHAIN_MISMATCH', `the signed head of frame ${checkpoint.sequence} is not that of the frames received`);
  if (
    newest !== null &&
    compareCheckpoints(newest.checkpoint, checkpoint) < 0 &&
    sameIncarnation(newest.checkpoint, checkpoint) &&
    checkpoint.slot < newest.checkpoint.slot
  ) {
    return refuse('PV', 'CHAIN_MISMATCH', `slot ${checkpoint.slot} follows slot ${newest.checkpoint.slot}`);
  }
  const acknowledgement = checkAcknowledgement(checkpoint, sending);
  if (acknowledgement.kind === 'false') return refuse('SELF', 'CHAIN_MISMATCH', acknowledgement.why);
  const echo = context.challenges.judge(checkpoint.echo, context.slot);
  if (echo === 'never-issued') return refuse('PV', 'CHALLENGE_STALE', 'a checkpoint echoes a challenge that was never issued');
  return { kind: 'accepted', checkpoint, fresh: echo === 'fresh' && past.kind === 'head', acknowledgementChecked: acknowledgement.kind === 'agrees' };
}

type Acknowledgement = { readonly kind: 'agrees' | 'unknown' } | { readonly kind: 'false'; readonly why: string };

function checkAcknowledgement(checkpoint: Checkpoint, sending: LinkChain): Acknowledgement {
  const { acknowledged } = checkpoint;
  // Nothing received yet, or positions of an earlier incarnation of ours: true as far as we can tell.
  if (acknowledged.incarnation !== sending.incarnation || !bytesEqual(acknowledged.nonce, sending.nonce)) return { kind: 'unknown' };
  const past = sending.headAt(acknowledged.sequence);
  if (past.kind === 'not-yet') return { kind: 'false', why: `it acknowledges frame ${acknowledged.sequence}, only ${sending.sequence} were sent` };
  if (past.kind === 'too-old') return { kind: 'unknown' };
  if (acknowledged.sequence === 0 && bytesEqual(acknowledged.head, NO_ANCHOR)) return { kind: 'agrees' };
  return bytesEqual(past.head, acknowledged.head)
    ? { kind: 'agrees' }
    : { kind: 'false', why: `it acknowledges another frame ${acknowledged.sequence} than was sent` };
}

function sameIncarnation(a: Checkpoint, b: Checkpoint): boolean {
  return a.incarnation === b.incarnation && bytesEqual(a.nonce, b.nonce);
}
