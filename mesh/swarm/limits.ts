/** Bounds of one node's composition. */
import { HOUR, MINUTE, SECOND } from '#core/time/time.ts';

export const SWARM_LIMITS = {
  /** Deadlines of calls are looked at this often. */
  callSweepMs: 250,
  /** Calls of peers that handlers work on at one time; above, ERR `BUSY`. */
  servingMax: 4_096,
  /** How long a second holder of an identity gives the first one to answer a challenge (R4). */
  contestMs: 2 * SECOND,
  /** Own facts are repeated this often even when unchanged. */
  factsRepeatMs: 5 * MINUTE,
  /** Facts of one node as gossip. */
  factsBytesMax: 3_072,
  /** The voter writes a new name of one member into the log at most this often. */
  renameMsMin: 10 * MINUTE,
  /** Identities whose addresses are remembered as heard; above, all are heard anew. */
  addressBooksMax: 2_048,
  /** A peer's own addresses as told by itself. */
  addressesMax: 8,
  /** A join that is not through by then is reported as not found; the node goes on looking. */
  joinMsMax: 30 * SECOND,
  /** After joining, the answer waits so long for the ledger that lists this node. */
  firstLedgerMsMax: 3 * SECOND,
  /** Alarms about invitations remembered, so that each is raised once. */
  alarmsMax: 1_024,
  /** A session whose key was replaced ends after so long, unless the member says goodbye by itself, as it does. */
  supersededMs: 2 * SECOND,
  /** Establishment events sent to one link within such a time; further EST_FETCH are not answered. */
  establishmentServedMax: 256,
  establishmentServedMs: MINUTE,
  /** Old keys reported, each once per identity, rotation and source; then all are forgotten. */
  oldKeysMax: 256,
  /** A root over all link heads is signed this often (protocol.md §2.2). */
  statementRootMs: 10 * MINUTE,
  /** Who brings an entry under a key of the voter that is not known here has so long to show the voter's log. */
  voterKeyMsMax: 3 * SECOND,
  /** A decision that is not applied by then is answered as not known. */
  decisionMsMax: 10 * SECOND,
  /** Decisions waiting for a quorum at one node; more are refused. */
  decisionsMax: 256,
  /** A voter that lacks entries decides nothing for so long, to be given them back. */
  catchUpMs: 10 * SECOND,
  /** Closed identities in a status, the newest; the ledger remembers all. */
  closedShownMax: 64,
  /** Proofs and notices that one peer may have looked at; more are dropped, and told again on the next link. */
  proofsPerSecond: 1,
  proofsBurst: 16,
  /** Digests of proofs and notices remembered, so that each is looked at once; above, all are forgotten. */
  proofsSeenMax: 4_096,
  /** Proofs told on a new link. */
  proofsToldMax: 32,
  /** Pieces of evidence about one peer that `trust PEER` shows, the newest; the others are on the disk. */
  evidenceShownMax: 16,
  /** Reports of damage in its own history that a node repeats on every new link, the newest. */
  reportsToldMax: 4,
  /** A node that starts degraded signs nothing but handshakes until a peer has been reached, or for so long. */
  listenMs: 10 * SECOND,
  /** Identities on two machines that are kept track of; further ones only stand in the trust of those who saw them. */
  contestsMax: 64,
  /** First and longest time for which a peer that broke the protocol is turned away; doubled with each violation in a day. */
  violationPauseMsMin: 10 * SECOND,
  violationPauseMsMax: HOUR,
  /** Longest name of a node or a mesh. */
  nameCharactersMax: 63,
  /** Lifetime and uses an invitation may have. */
  invitationMsMin: MINUTE,
  invitationMsMax: 30 * 24 * HOUR,
  invitationUsesMax: 100,
  /** Peer records are offered to the disk this often (protocol.md §2.10). */
  flushMs: MINUTE,
  /** … and only this often while no link carried more frames than heartbeats and checkpoints make. */
  flushIdleMs: 5 * MINUTE,
  idleFramesPerMinuteMax: 60,
} as const;
