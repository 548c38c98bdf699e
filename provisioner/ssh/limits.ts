/** Every bound of the SSH layer, with what happens there (docs/LIMITS.md). */

/** TCP connection to a target; after it the host counts as unreachable. */
export const connectTimeoutMs = 10_000;
/** Key exchange and login, not counting the time a person thinks. */
export const handshakeTimeoutMs = 20_000;
/** Silence after which a probe is sent over an open connection, and how many may go unanswered: 3 × 5 s is "lost". */
export const keepaliveIntervalMs = 5_000;
export const keepaliveCountMax = 3;
/** A command that says nothing about its time gets this. */
export const commandTimeoutMsDefault = 60_000;
/** Output kept per stream; the rest is dropped. */
export const outputBytesMaxDefault = 1_048_576;
/** Jumps of a ProxyJump chain. */
export const jumpCountMax = 4;
/** Password prompts per host before the login counts as refused. */
export const passwordAttemptCountMax = 3;
/** A known_hosts file larger than this is refused. */
export const knownHostsBytesMax = 8_388_608;
/** A key, password or configuration file larger than this is refused. */
export const secretFileBytesMax = 65_536;
/** Nested Include directives of ~/.ssh/config. */
export const includeDepthMax = 4;
