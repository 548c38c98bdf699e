/** Bounds of durable files (protocol.md §2.10). */

/** Payload of one journal record; a longer one is a bug of ours, and a longer length on disk is damage. */
export const RECORD_BYTES_MAX = 1_048_576;
/** Bytes behind a damage that are searched for valid records; beyond it the damage counts as a torn tail. */
export const DAMAGE_SEARCH_BYTES_MAX = 67_108_864;
/** What a journal file may hold; a larger one is not ours and is not read (RN-MESH-104). */
export const JOURNAL_BYTES_MAX = 67_108_864;

/** Damaged journals kept beside the repaired one; the newest damage replaces the last. */
export const JOURNALS_ASIDE_MAX = 4;
/** Value of a two-slot file: the incarnation record and its like. */
export const SLOT_BYTES_MAX = 1_024;
