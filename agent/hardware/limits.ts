/** The named limits of the hardware readers; listed in docs/HARDWARE.md and docs/LIMITS.md. */
export const limits = {
  /** Bytes read of one fact file; longer files are cut (a device tree or `/proc/cpuinfo` of 256 cores fits). */
  factFileBytesMax: 256 * 1024,
  /** Entries looked at in one folder of `/sys`. */
  directoryEntriesMax: 512,
  /** Network cards and disks told of; both travel to every member. */
  interfacesMax: 16,
  disksMax: 32,
  /** Entries of the device tree's `compatible`. */
  compatibleMax: 16,
  /** Characters of a name that firmware or a drive gives itself. */
  nameCharactersMax: 96,
  /** Characters of one condition's text. */
  conditionCharactersMax: 1_000,
  /** Processors counted in `/proc/cpuinfo`. */
  processorsMax: 1_024,
  /** Age at which the firmware's throttling report is fetched again. */
  firmwareReportMs: 5_000,
  /** Age at which the state of the clock is asked for again; the question may start a service of the system. */
  clockReportMs: 120_000,
  /** How long `vcgencmd`, `timedatectl`, `vcmailbox` or the machine description may take before it is given up. */
  reportTimeoutMs: 3_000,
  /** Cleared conditions kept for the record; the oldest go first. */
  clearedConditionsMax: 16,
  /** Cleared conditions are dropped after this long. */
  clearedConditionMs: 24 * 3_600_000,
  /** A condition that returns this soon after it cleared is the same episode. */
  sameEpisodeMs: 60_000,
  /** Uptime before an unsynchronised clock counts. */
  clockGraceSeconds: 120,
  /** How often sensors are looked for again. */
  sensorSearchMs: 300_000,
  /** Bytes of one TPM response. */
  tpmResponseBytesMax: 4_096,
  /** How long one TPM command may take. */
  tpmCommandMs: 30_000,
} as const;
