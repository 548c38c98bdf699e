/** Bounds of the execution on one host (docs/LIMITS.md). */

/** How often the staging area is told that we are still here. */
export const leaseIntervalMs = 4_000;
/** Seconds of silence after which the target takes everything back by itself. */
export const guardPatienceSeconds = 25;
/** How long a run waits for the traces of an interrupted one to vanish: patience, the taking back, and some room. */
export const leftoverWaitMs = 60_000;
/** Sending the agent; a 100 Mbit/s link needs 4 s for it, a bad Wi-Fi some minutes. */
export const pushTimeoutMs = 600_000;
/** Reading the copy back on a slow card. */
export const verifyTimeoutMs = 180_000;
/** `robonet agent install`, including the start of the agent. */
export const serviceTimeoutMs = 90_000;
/** What the joining agent is told to wait, and what we wait for it. */
export const joinWaitSeconds = 45;
export const joinTimeoutMs = 75_000;
/** Until both ends must show each other. */
export const confirmTimeoutMs = 40_000;
export const confirmIntervalMs = 700;
/** Taking back on the target, when we still can reach it. */
export const rollbackTimeoutMs = 60_000;
