/**
 * How an error reaches a person or a script: what happened, what was left unchanged, what to do next, and a stable code;
 * or the same as one JSON document on stdout. Unknown errors are our bugs and say so.
 */
import type { ExitCode } from '#core/errors/exit-codes.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import type { Output } from '#core/node/command-line/output.ts';
import { printable } from '#core/terminal/table.ts';

/** The error document's inner object; scripts compare `code`. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly effect: string;
  readonly next: string;
  readonly retry: string;
  readonly exit: ExitCode;
}

/** The public particulars of any error. */
export function errorReport(error: unknown): ErrorReport {
  const fault = isFault(error) ? error : new Fault('RN-CLI-002', `unexpected: ${messageOf(error)}`, { cause: error });
  return { code: fault.code, message: fault.message, effect: fault.effect, next: fault.next, retry: fault.retry, exit: fault.exit };
}

/** Print an error the way the output mode asks for and return the exit code that belongs to it. */
export function reportError(error: unknown, output: Output, program: string): ExitCode {
  const report = errorReport(error);
  if (output.json) output.document('error', { error: report });
  else {
    const paint = output.notePalette;
    output.complain(
      // What a peer or a host said may be part of it.
      `${program}: ${paint.bad(printable(report.message))}`,
      `  ${paint.dim('effect')}  ${printable(report.effect)}`,
      `  ${paint.dim('next')}    ${printable(report.next)}`,
      `  ${paint.dim('code')}    ${printable(report.code)}`,
    );
    if (output.verbose)
      output.complain(
        ...stackOf(error)
          .flatMap((text) => text.split('\n'))
          .map(printable),
      );
  }
  return report.exit;
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const own = [error.stack ?? error.message];
  return error.cause === undefined || error.cause === error ? own : [...own, 'caused by:', ...stackOf(error.cause)];
}
