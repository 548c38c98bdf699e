/** Bounds of the driver: files, periods and budgets. */
import { MINUTE, SECOND } from '#core/time/time.ts';

export const DRIVER_LIMITS = {
  /** `events.jsonl` is rotated to `events.1.jsonl` at this size; older lines are gone. */
  eventFileBytesMax: 1024 * 1024,
  /** Events kept in memory for `recentEvents`. */
  eventsRecentMax: 1_000,
  /** Peer records are flushed this often at the latest; an idle node stretches it (protocol.md §2.10). */
  flushMs: MINUTE,
  flushIdleMs: 5 * MINUTE,
  /** A journal is rewritten at this size. */
  journalBytesMax: 4 * 1024 * 1024,
  /** Evidence files altogether. */
  evidenceBytesMax: 16 * 1024 * 1024,
  /** One piece of evidence; larger files are not ours. */
  evidenceFileBytesMax: 65_536,
  /** Wall against monotonic jump after which a new incarnation begins before anything is signed (§2.0). */
  jumpMsMax: 5 * SECOND,
  /** The event loop's own lateness from which on it is reported to the membership. */
  lagMsMin: 200,
  /** How long a stop waits for farewells to be written. */
  stopMsMax: 1_000,
  /** A TCP connection attempt is given up after so long. */
  dialMsMax: 4 * SECOND,
  /** Share of one core that strangers' handshakes may cost, in percent. */
  handshakeCpuPercent: 10,
} as const;
