/** Faults of the command lines of both programs (codes `RN-CLI-…`). */
import { EXIT } from '#core/errors/exit-codes.ts';
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export const commandLineFaults = {
  'RN-CLI-001': {
    title: 'the command line was not understood',
    why: 'A verb, option or argument is unknown, missing or of the wrong form.',
    effect: 'Nothing was done.',
    next: 'Look at the suggestion, or run the same command with --help.',
    retry: 'never',
    exit: EXIT.usage,
  },
} as const satisfies Record<string, FaultEntry>;
