/** Bounds of the transport. */

/** Unsent bytes beyond which `write` asks the sender to wait; nothing is dropped here, the session decides (§2.15). */
export const WRITABLE_BYTES_HIGH = 65_536;
/** Connections the kernel may hold before they are accepted. */
export const BACKLOG = 128;
