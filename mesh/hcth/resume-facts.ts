/**
 * What a judge can establish by comparing its own records of a peer with what the peer shows on reconnecting (protocol.md
 * §2.9). Facts only, each one of a few words; what follows from them stands in one table (resume-table.ts).
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Position, ResumeBlock } from '#mesh/wire/message.ts';
import { type Boot, bootDigest, decodeBoot } from './boot-event.ts';
import { type Checkpoint, checkpointsConflict, compareCheckpoints, openCheckpoint, type OpenedCheckpoint } from './checkpoint.ts';
import type { KeyHistory } from './establishment.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import type { SignedObject } from './signed-object.ts';

/** What the judge holds of the peer. */
export interface ResumeOurs {
  readonly self: KeyHistory;
  readonly peer: KeyHistory;
  /** Highest incarnation of the peer that was ever proved to us, and its nonce. */
  readonly known: { readonly incarnation: number; readonly nonce: Uint8Array } | null;
  /** How far we have received from the peer. */
  readonly received: Position | null;
  /** Newest checkpoint of the peer that we hold. */
  readonly peerCheckpoint: SignedObject | null;
  /** Others of its checkpoints that we have verified and still remember: a contradiction to any of them counts. */
  readonly remembered?: readonly OpenedCheckpoint[];
  /** Newest boot event of the peer that we hold: evidence for a peer that has forgotten. */
  readonly peerBoot: SignedObject | null;
  /** What a liveness challenge to the peer's earlier session gave: `unprobed` asks for one. */
  readonly earlier: EarlierSession;
  /** The earlier session is only just being opened: both ends dialled at once. */
  readonly simultaneous: boolean;
}

/** What the peer shows. */
export interface ResumeTheirs {
  readonly incarnation: number;
  readonly nonce: Uint8Array;
  readonly block: ResumeBlock | null;
  /** What its boot event says of the life before; absent where nobody asks. */
  readonly boot?: Pick<Boot, 'previousBoot' | 'establishmentHead' | 'why'>;
}

/** Whether the peer's earlier session is there, and answers. */
export type EarlierSession = 'none' | 'unprobed' | 'silent' | 'answers';

/** The facts the table looks at. */
export interface ResumeFacts {
  /** The peer's incarnation against the highest one we know. */
  readonly incarnation: 'unknown' | 'same' | 'newer' | 'older' | 'other-nonce';
  /** Its sending position against what we received, inside one incarnation. */
  readonly position: 'incomparable' | 'level' | 'ahead' | 'behind' | 'head-differs';
  readonly earlier: EarlierSession | 'simultaneous';
  /** Two of its signatures contradict each other. */
  readonly conflict: 'none' | 'proven';
  /** Our own signature shows that we once knew more of it than we do now. */
  readonly ourRecords: 'complete' | 'lost';
  /** Whether anything beyond its last checkpoint is given up by a restart; the farewell frame itself does not count. */
  readonly tail: 'covered' | 'declared-lost';
  /** The very next life after the one we know does not name the boot event that we hold: its own log has lost or changed it. */
  readonly past: 'named' | 'not-named';
}

/** The facts, and the verified objects they rest on. */
export interface ResumeComparison {
  readonly facts: ResumeFacts;
  /** Newest checkpoint of the peer that both sides can prove, and its bytes. */
  readonly common: { readonly checkpoint: Checkpoint; readonly object: SignedObject } | null;
  readonly proof: readonly SignedObject[];
  /** Objects in its block that its own key, or ours, did not sign. A peer that shows such is refused. */
  readonly forged: string | undefined;
}

/** Frames beyond the last checkpoint that an orderly farewell leaves: the one that carried it. */
const FAREWELL_FRAMES = 1;

/** Compare. */
export function compareHistories(crypto: CryptoPort, ours: ResumeOurs, theirs: ResumeTheirs): ResumeComparison {
  const { self, peer, received } = ours;
  const held = opened(crypto, peer, self.aid, ours.peerCheckpoint);
  const claimedOwn = theirs.block?.ownCheckpoint ?? null;
  const claimedOurs = theirs.block?.peerCheckpoint ?? null;
  const shown = opened(crypto, peer, self.aid, claimedOwn);
  const acknowledgement = opened(crypto, self, peer.aid, claimedOurs);
  let forged: string | undefined;
  if (claimedOwn !== null && shown === null) forged = 'the checkpoint it calls its own is not signed by it';
  if (claimedOurs !== null && acknowledgement === null) forged = 'the checkpoint it calls ours is not signed by us';
  const conflict =
    shown === null
      ? undefined
      : [...(held === null ? [] : [held]), ...(ours.remembered ?? [])].find(({ checkpoint }) => checkpointsConflict(checkpoint, shown.checkpoint));
  const common = newer(held, shown);
  const incarnation = relateIncarnation(ours.known, theirs);
  const here = received !== null && received.incarnation === theirs.incarnation && bytesEqual(received.nonce, theirs.nonce) ? received : null;
  const acknowledged = acknowledgement?.checkpoint.acknowledged;
  const acknowledgesThisOne = acknowledged !== undefined && acknowledged.incarnation === theirs.incarnation && bytesEqual(acknowledged.nonce, theirs.nonce);
  return {
    facts: {
      incarnation,
      position: relatePosition(here, theirs.block?.sent ?? null),
      earlier: ours.simultaneous && ours.earlier !== 'none' ? 'simultaneous' : ours.earlier,
      conflict: conflict === undefined ? 'none' : 'proven',
      ourRecords: acknowledgesThisOne && acknowledged.sequence > (here?.sequence ?? 0) ? 'lost' : 'complete',
      tail: tailLost(received, common?.checkpoint ?? null) ? 'declared-lost' : 'covered',
      past: namesPast(crypto, ours, theirs) ? 'named' : 'not-named',
    },
    common,
    proof: conflict === undefined || shown === null ? [] : [conflict.object, shown.object],
    forged,
  };
}

/** Why the claimed position cannot be gone on from: it has to be of the incarnation that speaks, and countable. */
export function impossibleClaim({ incarnation, nonce, block }: ResumeTheirs): string | undefined {
  const sent = block?.sent ?? null;
  if (sent === null) return undefined;
  if (sent.incarnation !== incarnation || !bytesEqual(sent.nonce, nonce)) return 'the position it claims is of another incarnation than its boot event';
  return sent.sequence > LIMITS.sequenceMax ? `the position ${sent.sequence} it claims exceeds ${LIMITS.sequenceMax}` : undefined;
}

function opened(crypto: CryptoPort, from: KeyHistory, to: Aid, object: SignedObject | null): OpenedCheckpoint | null {
  const checkpoint = object === null ? undefined : openCheckpoint(crypto, from, to, object);
  return checkpoint === undefined || object === null ? null : { checkpoint, object };
}

function newer(a: OpenedCheckpoint | null, b: OpenedCheckpoint | null): OpenedCheckpoint | null {
  if (a === null || b === null) return a ?? b;
  return compareCheckpoints(a.checkpoint, b.checkpoint) >= 0 ? a : b;
}

function relateIncarnation(known: ResumeOurs['known'], theirs: ResumeTheirs): ResumeFacts['incarnation'] {
  if (known === null) return 'unknown';
  if (theirs.incarnation !== known.incarnation) return theirs.incarnation > known.incarnation ? 'newer' : 'older';
  return bytesEqual(theirs.nonce, known.nonce) ? 'same' : 'other-nonce';
}

/**
 * Whether the boot event shown names the one we hold. Only the next incarnation under the same keys can be judged: between
 * others lie lives that we have not seen. Who says `restore` has told already that its disk is an older one (R2, R3).
 */
function namesPast(crypto: CryptoPort, { known, peerBoot }: ResumeOurs, { incarnation, boot }: ResumeTheirs): boolean {
  const held = peerBoot === null ? undefined : decodeBoot(peerBoot.body);
  if (boot === undefined || held === undefined || peerBoot === null || boot.why === 'restore' || incarnation !== (known?.incarnation ?? 0) + 1) return true;
  return !bytesEqual(held.establishmentHead, boot.establishmentHead) || bytesEqual(boot.previousBoot, bootDigest(crypto, peerBoot));
}

function relatePosition(received: Position | null, sent: Position | null): ResumeFacts['position'] {
  if (received === null) return 'incomparable';
  const sequence = sent?.sequence ?? 0;
  if (sequence !== received.sequence) return sequence > received.sequence ? 'ahead' : 'behind';
  // Before the first frame there is nothing to agree on: both begin anew at the genesis.
  return sent === null || sequence === 0 || bytesEqual(sent.head, received.head) ? 'level' : 'head-differs';
}

function tailLost(received: Position | null, newest: Checkpoint | null): boolean {
  if (received === null || received.sequence === 0) return false;
  if (newest === null || newest.incarnation !== received.incarnation || !bytesEqual(newest.nonce, received.nonce)) return received.sequence > FAREWELL_FRAMES;
  return received.sequence - newest.sequence > FAREWELL_FRAMES;
}
