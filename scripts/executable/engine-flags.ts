/**
 * Settings of the JavaScript engine that every executable of ours runs with, whatever it does; the wire benchmark's processes too.
 */
export const ENGINE_FLAGS: readonly string[] = [
  // Freed buffers are given back between two turns, not by another thread meanwhile. Each sealed or opened frame makes several
  // small ones, and waiting for that thread's lock cost more than the cipher (docs/adr/0019-wire-goals-and-the-floor.md).
  '--no-concurrent-array-buffer-sweeping',
];
