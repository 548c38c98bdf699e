/** Bounds of the secure channel (protocol.md §2.4). */

/** A Noise message, ever (Noise specification §3). */
export const NOISE_MESSAGE_BYTES_MAX = 65_535;
/** Records of one direction under one key; both ends then re-key that direction at the same record. */
export const REKEY_RECORDS = 65_536;

/** Records of a session, ever; the cipher refuses beyond it. */
export const SESSION_RECORDS_MAX = 0x1_0000_0000;
