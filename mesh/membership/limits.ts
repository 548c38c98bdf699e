/** Every bound and period of membership, with what happens there (docs/LIMITS.md repeats them). */
import { MINUTE, SECOND } from '#core/time/time.ts';

export const MEMBERSHIP_LIMITS = {
  /** A PING goes out on every link this often (protocol.md §2.15). */
  pingEveryMs: 5 * SECOND,
  /** Silence on an open link after which its peer is suspect, at the latest. */
  suspectAfterMs: 15 * SECOND,
  /** φ ≥ 8 on a normal distribution is 5.612 deviations above the mean; kept in thousandths, so that no logarithm decides. */
  phiDeviationsThousandths: 5_612,
  /** The deviation is never believed to be smaller than this: a quiet LAN must not make us nervous. */
  deviationMsMin: 1 * SECOND,
  /** Intervals needed before φ is believed at all. */
  intervalSamplesMin: 8,
  /** A broken link whose redial failed: suspect at once; the probe itself may take this long before it counts as failed. */
  probeMsMax: 2 * SECOND,
  /** Suspect for this long without an answer ⇒ down. */
  downAfterSuspectMs: 6 * SECOND,
  /** The node with the higher AID waits this long for the other one's dial. */
  higherDialDelayMs: 1 * SECOND,
  /** First and longest wait between two dials to one target; doubled each time, ±25 % jitter. */
  backoffMsMin: 1 * SECOND,
  backoffMsMax: 30 * SECOND,
  /** Targets that nobody has authenticated yet (hints) are given up after so many failed dials in a row. */
  hintFailuresMax: 5,
  /** Addresses kept per member and hints kept altogether; the oldest go first. */
  addressesPerMemberMax: 6,
  hintsMax: 512,
  /** A hint is forgotten when nobody repeats it for this long. */
  hintAgeMsMax: 10 * MINUTE,
  /** Dials under way at one time; the others wait their turn. */
  dialsMax: 16,
} as const;
