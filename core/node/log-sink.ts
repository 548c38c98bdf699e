/**
 * Where log records go: one line each on stderr. Under the journal as JSON with a `<N>` priority prefix, on a terminal as
 * text for people, elsewhere as JSON. Synchronous, so that the last words before a crash are not lost.
 */
import { writeSync } from 'node:fs';
import { printable } from '#core/terminal/table.ts';
import { isLogged, type Log, type LogLevel, syslogPriority } from '#core/log/log.ts';

export interface LogSinkOptions {
  readonly threshold: LogLevel;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly now?: () => number;
  /** Takes one line with its newline; stderr unless told otherwise. */
  readonly write?: (line: string) => void;
}

/** A log on stderr. A full or closed stderr loses lines, never the process. */
export function createLog(options: LogSinkOptions): Log {
  const { threshold, env, isTerminal, now = Date.now, write = writeStderr } = options;
  const journal = (env['JOURNAL_STREAM'] ?? '') !== '';
  return (level, text, data = {}) => {
    if (!isLogged(level, threshold)) return;
    const at = new Date(now()).toISOString();
    if (isTerminal && !journal) {
      const particulars = Object.entries(data).map(([key, value]) => ` ${key}=${String(value)}`);
      write(`${at.slice(11, 23)} ${level.padEnd(7)} ${printable(`${text}${particulars.join('')}`)}\n`);
      return;
    }
    const line = JSON.stringify({ at, level, text, ...data });
    write(journal ? `<${String(syslogPriority(level))}>${line}\n` : `${line}\n`);
  };
}

function writeStderr(line: string): void {
  try {
    writeSync(2, line);
  } catch (error) {
    if (!(error instanceof Error)) throw error; // EAGAIN, EPIPE, ENOSPC: nowhere left to complain
  }
}
