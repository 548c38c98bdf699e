/** Bounds of the consensus machine. */
export const RAFT_LIMITS = {
  /** Unanswered append messages to one server; further entries wait for an answer. */
  inflightMessagesMax: 8,
  /** Bytes of entries in one message; a heartbeat never waits behind more. */
  appendBytesMax: 32_768,
  /** Entries that are proposed and not yet committed; further proposals are refused (`busy`). */
  uncommittedEntriesMax: 512,
  /** Entries kept in front of a snapshot for servers that are a little behind; others get the snapshot. */
  keptEntriesMax: 256,
  /** Every so many entries the state is captured and its digest committed. */
  captureEntries: 1_000,
  /** Entries between a snapshot and the one that names its digest; with more the snapshot is not used. */
  proofEntriesMax: 256,
  /** Bytes of one piece of a snapshot. */
  snapshotPieceBytes: 32_768,
  /** Bytes of a snapshot; a larger state is not captured, and the log is kept. */
  snapshotBytesMax: 16_777_216,
  /** Reads that wait for a heartbeat's answer; further ones are refused (`busy`). */
  readsMax: 1_024,
} as const;
