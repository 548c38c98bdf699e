/** The process as a program sees it: `main` passes the real one, tests pass collectors. */
import type { TextSink } from '#core/node/command-line/output.ts';

/** What the program stands on; `main` passes the process, tests pass collectors. */
export interface ProgramIo {
  /** Words after the program's name. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Aborted with reason `interrupted` by Ctrl-C or SIGTERM, with `output-closed` when stdout's reader has gone. */
  readonly signal: AbortSignal;
}
