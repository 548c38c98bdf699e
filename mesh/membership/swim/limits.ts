/** Every bound and period of SWIM, with what happens there (docs/LIMITS.md repeats them). */
import { MINUTE, SECOND } from '#core/time/time.ts';

export const SWIM_LIMITS = {
  /** Up to so many members everybody is linked with everybody; above, links follow the rings. */
  fullViewMembersMax: 32,
  /** Rings of the directory: above {@link fullViewMembersMax} each member has so many successors and as many predecessors. */
  rings: 5,
  /** Steps along a ring in search of a member that is not down. */
  ringWalkMax: 32,
  /** One member is probed this often; lengthened by poor local health. */
  probePeriodMs: 1 * SECOND,
  /** A probe asks again after each such step: directly, directly, with helpers, with helpers; then it has failed. */
  probeStepMs: 250,
  /** Members asked to probe on our behalf, each time. */
  helpersMax: 3,
  /** Probes under way at one time; further confirmations wait for the round to reach their member. */
  roundsMax: 32,
  /** Probes made for others at one time; above, the question goes unanswered. */
  relaysMax: 64,
  /** Who heard a member directly so recently takes no other's word that it is gone. */
  heardMs: 3 * SECOND,
  /** A suspicion with all confirmations lasts so long per doubling of the mesh. */
  suspicionMsPerDoubling: 250,
  /** … and never shorter than so: the member must have time to contradict. */
  suspicionMsMin: 1_500,
  /** … and without any, so many times as long. */
  suspicionSpread: 4,
  /** Confirmations after which a suspicion is not shortened further; more are not passed on. */
  confirmationsMax: 3,
  /** Accusers that a judgement on hearsay needs. */
  accusersMin: 2,
  /** Connection broken, redial refused, and another member says the same: down after so long. */
  refusedMs: 200,
  /** Worst local health; all waiting takes (1 + health) times as long. */
  healthMax: 8,
  /** Refutations within {@link unstableMs} that make a member unstable, and the calm that ends it. */
  unstableRefutations: 3,
  unstableMs: 1 * MINUTE,
  /** Suspicions of an unstable member last so many times as long. */
  unstablePatience: 3,
  /** News goes to so many links at once, and again after {@link newsPeriodMs} while some is left. */
  newsFanout: 3,
  newsPeriodMs: 500,
  /** Contradictions of members that were suspected go to all links at once, and again after so long. */
  contradictionPeriodMs: 200,
  /** News is passed on so many times per doubling of the mesh, never twice on one link. */
  newsRepeatsPerDoubling: 3,
  /** News waiting; above, what was told most often goes. */
  newsMax: 256,
  /** News in one message. */
  newsPerMessageMax: 16,
  /** Two members compare what they know this often, one pair at a time per node. */
  syncPeriodMs: 15 * SECOND,
  /** … and this often while they find differences. */
  syncCatchUpMs: 200,
  /** Rows of members in one message, and parts of the table in one comparison. */
  syncRowsMax: 64,
  syncBucketsPerTime: 2,
  syncBucketsMax: 512,
  /** Largest rise of an incarnation or a counter that is believed on hearsay: so no liar can exhaust a number. */
  riseMax: 65_536,
  /** … and the largest incarnation believed of a member of whom nothing was heard yet. */
  incarnationMax: 2 ** 40,
  /** The largest counter there is; a word with a larger one is none, so that whoever is accused can always go above it. */
  counterMax: 2 ** 40,
  /** Accusers named in one row; so many suffice for any judgement. */
  rowAccusersMax: 4,
  /** Bytes of one message; a body that is longer is dropped before it is read. */
  messageBytesMax: 16_384,
  /** Comparisons are answered no more often than this. */
  syncAnswerMsMin: 20,
} as const;
