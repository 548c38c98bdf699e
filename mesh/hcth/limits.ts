/** Named bounds of the history protocol, each with what happens at it (docs/LIMITS.md). */
import { MINUTE } from '#core/time/time.ts';

export const HCTH_LIMITS = {
  /** Establishment events in one handshake payload; a longer log is named by digest and fetched. */
  establishmentEventsMax: 8,
  /** Rotations of one identity, ever; a longer log is refused (`IDENTITY_BAD`). */
  establishmentLogEventsMax: 64,
  /** Bytes of one signed body; larger ones are refused before they are decoded. */
  signedBodyBytesMax: 2_048,
  /** Bytes of a proof of equivocation; an establishment log of full length and two objects fit. */
  proofBytesMax: 32_768,
  /** Bytes of a notice that an identity lives on two machines; larger ones are not read. */
  noticeBytesMax: 16_384,
  /** Hardware addresses told of one machine in such a notice; further ones are left out. */
  holderMacsMax: 4,
  /** Link positions kept per direction, so that acknowledged ones can be checked; older ones cannot be (`unknown`). */
  ringPositionsMax: 1_024,
  /** A checkpoint is due after so many frames … */
  checkpointFramesMax: 1_024,
  /** … or so many bytes … */
  checkpointBytesMax: 16 * 1_024 * 1_024,
  /** … or so much time. One slot (protocol.md §2.12). */
  slotMs: MINUTE,
  /** Slots for which an issued challenge stays fresh; an older one is stale (no credit, no penalty). */
  challengeSlotsFresh: 2,
  /** Issued challenges remembered to tell "stale" from "never issued". */
  challengesRememberedMax: 64,
  /** Verified checkpoints of a peer remembered in this run, to find a contradiction; older ones are forgotten, the newest two are on disk. */
  checkpointsRememberedMax: 32,
  /** Declared losses forgiven in a window of 24 h. */
  declaredLossesFree: 6,
  /** Own statements kept; older ones are pruned behind a seal. */
  statementsMax: 1_024,
  /** Own statements, of this life and of earlier ones, told from those of a copy: a week of roots. An older one that is shown is unknown, not false. */
  statementsRememberedMax: 1_024,
  /** Wall clock against monotonic clock; above it the process was suspended or snapshotted: new incarnation. */
  clockJumpMsMax: 5_000,
  /** Added to the highest known incarnation where our own could not be read. */
  incarnationUnreadableStep: 1_000,
  /** Incarnations fit in 32 bits; nothing above is accepted from anybody. */
  incarnationMax: 0xffff_ffff,
  /** Link positions above it are nobody's: with a thousand frames per second they are reached after 142 000 years. */
  sequenceMax: 2 ** 52,
  /** A run that began with `restore` follows a bare word only once it has lasted so long, twice as long for each in a row. */
  hearsayWaitMsMin: 5_000,
  hearsayWaitMsMax: 3_600_000,
} as const;
