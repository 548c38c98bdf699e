/**
 * The look at a multicast packet before the library decodes it. The decoder believes the four counts in a packet's header:
 * 35 bytes that claim 65 535 records kept it busy for a tenth of a second, and anybody on the LAN can send them all day.
 */
import { PACKET_BYTES_MAX, PACKETS_PER_SECOND_MAX } from '#provisioner/discover/mdns/limits.ts';

const HEADER_BYTES = 12;
/** The shortest question: an empty name, type, class. */
const QUESTION_BYTES_MIN = 5;
/** The shortest record: an empty name, type, class, time to live, length of its data. */
const RECORD_BYTES_MIN = 11;

/** Whether a packet can hold what its header claims. */
export function isPlausiblePacket(packet: Uint8Array): boolean {
  if (packet.length < HEADER_BYTES || packet.length > PACKET_BYTES_MAX) return false;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const records = view.getUint16(6) + view.getUint16(8) + view.getUint16(10);
  return HEADER_BYTES + view.getUint16(4) * QUESTION_BYTES_MIN + records * RECORD_BYTES_MIN <= packet.length;
}

/** Lets plausible packets through, so many a second. */
export class PacketGuard {
  #left = PACKETS_PER_SECOND_MAX;
  #resetAt = 0;

  admits(packet: Uint8Array, now: number): boolean {
    if (now >= this.#resetAt) [this.#left, this.#resetAt] = [PACKETS_PER_SECOND_MAX, now + 1_000];
    if (this.#left <= 0 || !isPlausiblePacket(packet)) return false;
    this.#left -= 1;
    return true;
  }
}
