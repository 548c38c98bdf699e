/** Limits of the local API; what happens at each is said beside it (docs/LIMITS.md). */

/** Largest request body; more is refused with 413. */
export const BODY_BYTES_MAX = 1024 * 1024;
/** Event streams open at once; further ones are refused with 503. */
export const STREAMS_MAX = 32;
/** A stream whose reader is this far behind is closed. */
export const STREAM_BACKLOG_BYTES_MAX = 1024 * 1024;
/** Events returned at once. */
export const EVENTS_MAX = 1_000;
/** How long it waits for an ordinary answer; verbs that wait for other nodes say so themselves. */
export const ANSWER_MS_MAX = 15_000;
/** What ended the agent, as it is left for the command line; a longer file is not ours. */
export const END_BYTES_MAX = 16 * 1024;
/** Largest answer the command line takes in. */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
