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
  'RN-CLI-002': {
    title: 'an unexpected error',
    why: 'Something happened that the program did not foresee: most likely a mistake in the program itself.',
    effect: 'Unknown: look at the state before trying again.',
    next: 'Run the same command with -v and report what it prints.',
    retry: 'later',
    exit: EXIT.failed,
  },
  'RN-CLI-003': {
    title: 'interrupted',
    why: 'Ctrl-C or a termination signal arrived before the command was finished.',
    effect: 'What was begun has been brought to a safe stop.',
    next: 'Run the same command again; finished parts are not repeated.',
    retry: 'now',
    exit: EXIT.interrupted,
  },
  'RN-CLI-004': {
    title: 'the output could not be written',
    why: 'Standard output goes to a full disk, a device that fails, or a place that takes no more.',
    effect: 'The command itself may have been done; what it had to say is lost in whole or in part.',
    next: 'Free the space or choose another place, then ask again (`robonet status`, `robonet invite list`).',
    retry: 'later',
    exit: EXIT.failed,
  },
} as const satisfies Record<string, FaultEntry>;
