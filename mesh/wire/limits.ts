/**
 * Every number the wire format is bounded by (protocol.md §2.5, §2.6). Reaching one closes the connection with a code of
 * `refusal.ts`; nothing is buffered, decoded or allocated beyond it. docs/protocols/wire.md repeats the table.
 */

/** Bytes in front of every payload. */
export const HEADER_BYTES = 24;
/** The header bytes that are authenticated and chained: all but the checksum. */
export const HEADER_BYTES_COVERED = 20;
/** Bytes that authenticated encryption adds to a payload. */
export const TAG_BYTES = 16;

/** Wire payload of a HELLO, in plaintext and from anybody. */
export const HELLO_BYTES_MAX = 256;
/** Wire payload before the peer has proved who it is. */
export const PAYLOAD_BYTES_MAX_PRE_AUTH = 2_048;
/** Wire payload in the lobby and at trust level T0. */
export const PAYLOAD_BYTES_MAX_STRANGER = 4_096;
/** Wire payload at trust level T1. */
export const PAYLOAD_BYTES_MAX_NEWCOMER = 65_536;
/** Wire payload at trust level T2 and above. */
export const PAYLOAD_BYTES_MAX_MEMBER = 262_144;

/** Wire payload that a peer of this trust level may send (T0…T4). */
export function payloadBytesMaxAt(level: 0 | 1 | 2 | 3 | 4): number {
  if (level === 0) return PAYLOAD_BYTES_MAX_STRANGER;
  return level === 1 ? PAYLOAD_BYTES_MAX_NEWCOMER : PAYLOAD_BYTES_MAX_MEMBER;
}

/** Messages in one BATCH frame. */
export const BATCH_ENTRIES_MAX = 256;
/** A batch under construction is closed when it would exceed this, so that one frame never delays the others for long. */
export const BATCH_BYTES_MAX = 65_536;

/** Data of one BULK_CHUNK, ever. */
export const CHUNK_BYTES_MAX = 1_048_576;
/** Chunks described by one BULK_OFFER; with the largest chunk this is a transfer of 4 GiB. */
export const CHUNKS_MAX = 4_096;

/** Establishment events inside a handshake payload; longer logs send a digest and are fetched. */
export const ESTABLISHMENT_EVENTS_INLINE_MAX = 8;
/** Establishment events in one EST message. */
export const ESTABLISHMENT_EVENTS_MAX = 64;
/** Body of one signed object. */
export const SIGNED_BODY_BYTES_MAX = 65_536;
/** Signed objects in one EVIDENCE or REJECT message. */
export const EVIDENCE_ITEMS_MAX = 16;
/** Protocol versions that a HELLO may offer. */
export const VERSIONS_OFFERED_MAX = 8;
/** UTF-8 bytes of short names on the wire: methods, roles, node names, transfer kinds, error codes. */
export const NAME_BYTES_MAX = 64;
/** UTF-8 bytes of sentences for people: reasons and error texts. */
export const TEXT_BYTES_MAX = 512;
