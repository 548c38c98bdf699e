/** Bounds of the log. */
export const LOG_LIMITS = {
  /** Body of one entry; larger proposals are refused (`too-large`). */
  bodyBytesMax: 3_072,
  /** One entry with everything around its body; a longer one does not decode. */
  entryBytesMax: 3_400,
  /** Entries in one message; the rest is fetched. */
  appendEntriesMax: 64,
  /** Proposals remembered for idempotence; the oldest are forgotten. */
  proposalsMax: 4_096,
  /** An unanswered fetch may be repeated after so long. */
  fetchMsMin: 2_000,
  /** One link is sent the log twice over and this much more in such a time; further fetches are not answered. */
  servedBytesMin: 65_536,
  servedMs: 60_000,
} as const;
