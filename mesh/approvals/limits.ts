/** Named bounds of approvals, each with what happens at it (docs/LIMITS.md). */
import { HOUR, MINUTE } from '#core/time/time.ts';

export const APPROVAL_LIMITS = {
  /** A request that is not certified within so long of its entry has expired; nothing runs (protocol.md §3.2). */
  validityMs: 10 * MINUTE,
  /** … nor one that is not certified within so many entries of the log. */
  validityEntries: 1_000,
  /** A machine that has not begun within so long of the certificate does not begin any more; the command ends there. */
  executeMsMax: HOUR,
  /** Targets of one request; more take several requests, each approved by itself. */
  targetsMax: 48,
  /** Bytes of a command's arguments; larger ones are refused when it is asked. */
  argsBytesMax: 512,
  /** Bytes of the reason given with a request or a decision; longer ones are cut. */
  reasonBytesMax: 160,
  /** Requests of one member that wait at once; a further one changes nothing. */
  pendingPerMemberMax: 3,
  /** Requests that wait in all; a further one changes nothing. */
  pendingMax: 16,
  /** A voter approves nothing by itself while more than so many other requests wait (protocol.md §3.6). */
  pendingApproveMax: 3,
  /** … nor more than so many in an hour; a person still can. */
  approvedPerHourMax: 10,
  /** Settled requests whose details are kept; of older ones only the log knows. */
  settledMax: 256,
  /** Voters of one mesh, and so decisions on one request (protocol.md §3.1). */
  votersMax: 7,
  /** Decisions on requests that the log has not brought yet; the oldest is forgotten, its voter tells it again. */
  earlyDecisionsMax: 64,
} as const;
