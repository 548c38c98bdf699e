/**
 * Bounds of RMP, the restricted msgpack (protocol.md §2.1). Bytes beyond any of them are refused before a decoder or an
 * allocator sees them.
 */

/** Containers inside containers; a scalar has depth 0. */
export const DEPTH_MAX = 16;
/** Values in one document, keys not counted. */
export const NODES_MAX = 4_096;
/** UTF-8 bytes of one map key. */
export const KEY_BYTES_MAX = 64;
/** UTF-8 bytes of one string. */
export const STR_BYTES_MAX = 65_536;
