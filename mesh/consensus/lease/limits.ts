/** Bounds of the lease. */
export const LEASE_LIMITS = {
  /** Heartbeats whose sending time is remembered; an answer to an older one gives no lease. */
  roundsMax: 256,
} as const;
