/**
 * The exit codes of both programs (sysexits.h where it has one); documented in `--help` and docs/ERRORS.md.
 */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Some of several targets failed; the others are done. */
  partlyFailed: 2,
  usage: 64,
  badInput: 65,
  unavailable: 69,
  tryAgain: 75,
  notPermitted: 77,
  badConfiguration: 78,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
