/** Bounds of the secure channel (protocol.md §2.4). */
import { HOUR, MINUTE, type Millis } from '#core/time/time.ts';

/** A Noise message, ever (Noise specification §3). */
export const NOISE_MESSAGE_BYTES_MAX = 65_535;
/** Records under one key before both directions are re-keyed. */
export const REKEY_RECORDS = 65_536;
/** Time under one key before both directions are re-keyed. */
export const REKEY_MS: Millis = 15 * MINUTE;
/** Age of a session before a whole new handshake. */
export const SESSION_MS_MAX: Millis = 24 * HOUR;
/** Records of a session, ever; the cipher refuses beyond it. */
export const SESSION_RECORDS_MAX = 0x1_0000_0000;
