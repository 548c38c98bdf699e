/** Limits of discovery by multicast DNS; what happens at each is said beside it (docs/LIMITS.md). */
import { MINUTE, SECOND } from '#core/time/time.ts';

/** Services remembered per cache; beyond it new ones are ignored until others expire. */
export const SERVICES_MAX = 512;
/** Host addresses remembered per cache. */
export const HOSTS_MAX = 1_024;
/** A longer packet is not looked at (RFC 6762 §17). */
export const PACKET_BYTES_MAX = 9_000;
/** Packets decoded per second and interface; further ones in that second go unread. */
export const PACKETS_PER_SECOND_MAX = 200;
/** Records looked at per packet; the rest is ignored. */
export const RECORDS_PER_PACKET_MAX = 128;
/** Questions answered per packet. */
export const QUESTIONS_PER_PACKET_MAX = 16;
/** Responses sent per second and interface; further questions in that second go unanswered. */
export const RESPONSES_PER_SECOND_MAX = 20;
/** A record is kept at least this long, whatever time to live it claims. */
export const TTL_MS_MIN = SECOND;
/** A record is forgotten after this at the latest, whatever time to live it claims. */
export const TTL_MS_MAX = 75 * MINUTE;
/** A question is repeated after this first, then ever more rarely. */
export const REQUERY_MS_MIN = SECOND;
/** A question is repeated at least this often. */
export const REQUERY_MS_MAX = MINUTE;
/** An announcement is repeated this long after the first (RFC 6762 §8.3). */
export const ANNOUNCE_DELAYS_MS = [SECOND, 3 * SECOND] as const;
/** Time to live of our address and port, in seconds (RFC 6762 §10); others forget them after that without a refresh. */
export const HOST_TTL_S = 120;
/** Time to live of our name and properties, in seconds (RFC 6762 §10). */
export const SERVICE_TTL_S = 4_500;
