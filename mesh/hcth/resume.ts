/**
 * Where a link goes on after a reconnect, seen from one end (protocol.md §2.9). `decideResume` judges the peer's direction
 * by the table; `resumeSending` places our own direction by what the peer says it has received. Both ends run both over
 * the same two resume blocks and so arrive at the same two chains.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { assert } from '#core/errors/assert.ts';
import type { Position, ResumeBlock, ResumeVerdict, Void } from '#mesh/wire/message.ts';
import type { RefusalCode } from '#mesh/wire/refusal.ts';
import type { BreakClass } from './breaks.ts';
import { linkGenesis, NO_ANCHOR } from './chain.ts';
import { checkpointDigest, compareCheckpoints, openCheckpoint } from './checkpoint.ts';
import type { KeyHistory } from './establishment.ts';
import type { Aid } from './identity-text.ts';
import { LinkChain } from './link-chain.ts';
import { compareHistories, impossibleClaim, type ResumeOurs, type ResumeTheirs } from './resume-facts.ts';
import { findRow, type ResumeCase } from './resume-table.ts';
import type { SignedObject } from './signed-object.ts';

/** The judgement on a peer that connects. */
export type ResumeDecision =
  | {
      readonly kind: 'continue';
      readonly case: ResumeCase;
      readonly class: BreakClass;
      readonly verdict: ResumeVerdict;
      readonly meaning: string;
      /** Where the receiving chain starts; a VOID is expected first where `voidExpected`. */
      readonly receive: Position;
      readonly voidExpected: boolean;
      /** Newest checkpoint of the peer both sides can prove; keep it. */
      readonly peerCheckpoint: SignedObject | null;
    }
  /** Send PING into the earlier session, wait 2 s, decide again with `silent` or `answers`. */
  | { readonly kind: 'probe' }
  | {
      readonly kind: 'refuse';
      readonly case: ResumeCase | 'forged';
      readonly class: BreakClass;
      readonly code: RefusalCode;
      readonly meaning: string;
      /** Signed objects for the REJECT: the peer's own newer signatures (R2–R4, R6) or the proof (R5). */
      readonly evidence: readonly SignedObject[];
      /** Whether the earlier holder's standing changes as well (R4). */
      readonly incumbentContested: boolean;
    };

/** Judge the peer's side of the link. `theirs` has been verified as far as signatures of boot and binding go. */
export function decideResume(crypto: CryptoPort, ours: ResumeOurs, theirs: ResumeTheirs): ResumeDecision {
  const comparison = compareHistories(crypto, ours, theirs);
  if (comparison.forged !== undefined) return forged(comparison.forged);
  const row = findRow(comparison.facts);
  assert(row !== undefined, 'the resume table covers every combination of facts');
  const { action } = row;
  switch (action.kind) {
    case 'probe':
      return { kind: 'probe' };
    case 'refuse': {
      const newerOnes = [ours.peerBoot, comparison.common?.object ?? null].filter((object) => object !== null);
      const evidence = action.show === 'proof' ? comparison.proof : action.show === 'own-newer-signatures' ? newerOnes : [];
      return {
        kind: 'refuse',
        case: row.case,
        class: row.class,
        code: action.code,
        meaning: row.meaning,
        evidence,
        incumbentContested: action.blame === 'incumbent-too',
      };
    }
    case 'continue': {
      const impossible = impossibleClaim(theirs);
      if (impossible !== undefined) return forged(impossible);
      const anchor = comparison.common === null ? NO_ANCHOR : checkpointDigest(crypto, comparison.common.object);
      const genesis = genesisPosition(crypto, ours.peer.aid, ours.self.aid, theirs, anchor);
      const receive = receiveStart(action.receive, genesis, ours.received, theirs.block?.sent ?? null);
      return {
        kind: 'continue',
        case: row.case,
        class: row.class,
        verdict: action.verdict,
        meaning: row.meaning,
        receive,
        voidExpected: action.receive === 'received' && comparison.facts.position === 'ahead',
        peerCheckpoint: comparison.common?.object ?? null,
      };
    }
  }
}

function forged(meaning: string): ResumeDecision {
  return { kind: 'refuse', case: 'forged', class: 'PV', code: 'CHAIN_MISMATCH', meaning, evidence: [], incumbentContested: false };
}

function receiveStart(start: 'genesis' | 'received' | 'claimed', genesis: Position, received: Position | null, sent: Position | null): Position {
  // Before its first frame a direction always begins at the genesis, on which both ends agree only now.
  if (sent === null || sent.sequence === 0) return genesis;
  if (start === 'received' && received !== null) return received;
  return sent;
}

/** Sequence 0 of a direction in an incarnation. */
export function genesisPosition(
  crypto: CryptoPort,
  from: Aid,
  to: Aid,
  scope: { readonly incarnation: number; readonly nonce: Uint8Array },
  anchor: Uint8Array,
): Position {
  const { incarnation, nonce } = scope;
  return { incarnation, nonce, sequence: 0, head: linkGenesis(crypto, from, to, incarnation, nonce, anchor) };
}

/** Our own direction after a reconnect. */
export type SendingDecision =
  /** Go on with this chain; send `message` as the first frame where frames were lost. */
  | { readonly kind: 'send'; readonly chain: LinkChain; readonly message: Void | null }
  /** The peer claims to have received something else than was sent. */
  | { readonly kind: 'mismatch'; readonly why: string };

/**
 * Place our sending chain. `sending` is the chain of this incarnation to this peer, `null` before the first session.
 * `ownCheckpoint` is our newest checkpoint to the peer, `theirs.peerCheckpoint` the newest of ours that it shows.
 */
export function resumeSending(
  crypto: CryptoPort,
  input: {
    readonly self: KeyHistory & { readonly incarnation: number; readonly nonce: Uint8Array };
    readonly peer: Aid;
    readonly sending: LinkChain | null;
    readonly ownCheckpoint: SignedObject | null;
    /** The peer's signature that our own block showed it: where that acknowledges more than it says it has, it will go on from our claim (R7). */
    readonly shown?: { readonly keys: KeyHistory; readonly checkpoint: SignedObject } | null;
    readonly theirs: ResumeBlock | null;
  },
): SendingDecision {
  const { self, peer, sending, shown, theirs } = input;
  if (sending === null || sending.sequence === 0) {
    const anchor = commonAnchor(crypto, self, peer, input.ownCheckpoint, theirs?.peerCheckpoint ?? null);
    return { kind: 'send', chain: new LinkChain(crypto, genesisPosition(crypto, self.aid, peer, self, anchor)), message: null };
  }
  const received = theirs?.received ?? null;
  // The peer holds nothing of this incarnation: it takes our position as it stands (R7, or the first session was cut short).
  if (received === null || received.incarnation !== sending.incarnation || !bytesEqual(received.nonce, sending.nonce))
    return { kind: 'send', chain: sending, message: null };
  const acknowledged = shown == null ? undefined : openCheckpoint(crypto, shown.keys, self.aid, shown.checkpoint)?.acknowledged;
  if (acknowledged?.incarnation === sending.incarnation && bytesEqual(acknowledged.nonce, sending.nonce) && acknowledged.sequence > received.sequence)
    return { kind: 'send', chain: sending, message: null };
  const outcome = sending.voidAfter(received);
  if (outcome.kind === 'mismatch') return { kind: 'mismatch', why: `the peer claims frame ${received.sequence} with a head that was never sent` };
  return { kind: 'send', chain: sending, message: outcome.kind === 'void' ? outcome.message : null };
}

/** Digest of the newest checkpoint of `from` that either side shows; 32 zero bytes for none. Symmetric in its two objects. */
export function commonAnchor(crypto: CryptoPort, from: KeyHistory, to: Aid, a: SignedObject | null, b: SignedObject | null): Uint8Array {
  let newest: { readonly digest: Uint8Array; readonly checkpoint: NonNullable<ReturnType<typeof openCheckpoint>> } | undefined;
  for (const object of [a, b]) {
    const checkpoint = object === null ? undefined : openCheckpoint(crypto, from, to, object);
    if (object === null || checkpoint === undefined) continue;
    if (newest === undefined || compareCheckpoints(checkpoint, newest.checkpoint) > 0) newest = { digest: checkpointDigest(crypto, object), checkpoint };
  }
  return newest?.digest ?? NO_ANCHOR;
}
