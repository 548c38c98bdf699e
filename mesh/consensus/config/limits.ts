/** Bounds of a configuration. */
export const CONFIG_LIMITS = {
  /** Voters of one mesh; a further one is refused (protocol.md §3.1). */
  votersMax: 7,
  /** Learners that get the log pushed; further machines follow by fetching. */
  learnersMax: 16,
  /** Bytes of a server's text form. */
  idBytesMax: 80,
  /** A learner is promoted when it has been at most so many entries behind … */
  promoteEntriesMax: 64,
  /** … for so long. */
  promoteMs: 10_000,
} as const;
