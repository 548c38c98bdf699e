/** The shape of one line of the fault catalogue. */
import type { ExitCode } from '#core/errors/exit-codes.ts';

/** What the catalogue knows about a code before anything has happened. */
export interface FaultEntry {
  /** One line, lower case, without particulars: "the host key has changed". */
  readonly title: string;
  /** Why this happens and how to tell, for `robonet explain`. */
  readonly why: string;
  /** What was, and was not, changed when it is reported. */
  readonly effect: string;
  /** What the person should do next. */
  readonly next: string;
  readonly retry: 'never' | 'later' | 'now';
  readonly exit: ExitCode;
}
