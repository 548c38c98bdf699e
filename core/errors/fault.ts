/**
 * Faults: the world misbehaved, and somebody must be told. One class and one catalogue; codes and `effect` are API,
 * texts are not (docs/ERRORS.md is generated from the catalogue, `robonet explain CODE` prints it).
 */
import { catalogue } from '#core/errors/catalogue.ts';
import type { ExitCode } from '#core/errors/exit-codes.ts';
import type { FaultEntry } from '#core/errors/fault-entry.ts';

export type FaultCode = keyof typeof catalogue;

/** Thrown in shell code only; deciding code returns outcomes. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly retry: FaultEntry['retry'];
  readonly effect: string;
  readonly next: string;
  readonly exit: ExitCode;

  /**
   * @param message what went wrong, subject first, with the numbers ("frame of 9 437 184 bytes exceeds the limit of …")
   * @param particulars override the catalogue's general `effect`, `next` and `retry` with what is known here
   */
  constructor(code: FaultCode, message: string, particulars: { effect?: string; next?: string; retry?: FaultEntry['retry']; cause?: unknown } = {}) {
    super(message, particulars.cause === undefined ? undefined : { cause: particulars.cause });
    const entry: FaultEntry = catalogue[code];
    this.code = code;
    this.retry = particulars.retry ?? entry.retry;
    this.effect = particulars.effect ?? entry.effect;
    this.next = particulars.next ?? entry.next;
    this.exit = entry.exit;
  }
}

/** Whether a word, which may come from anywhere, is a code of the catalogue. */
export function isFaultCode(code: string): code is FaultCode {
  return Object.hasOwn(catalogue, code);
}

/** Compare by code, never by text or class identity. */
export function isFault(error: unknown, code?: FaultCode): error is Fault {
  return error instanceof Error && error.name === 'Fault' && (code === undefined || (error as Fault).code === code);
}
