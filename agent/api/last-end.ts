/**
 * What ended the agent, left in its run directory for whoever asks why nobody answers: the state directory may be full or
 * broken, and is then the reason. In memory (`/run`), so a boot forgets it. Holds a file only between a failure and the
 * next start; nothing is decided by it.
 */
import { join } from 'node:path';
import { isFault } from '#core/errors/fault.ts';
import { textOf, utf8 } from '#core/bytes/bytes.ts';
import { formatTimestamp } from '#core/node/command-line/timestamp.ts';
import { type ErrorReport, errorReport } from '#core/node/command-line/report.ts';
import { ensureDirectory, readWholeFile, removeFile, replaceFile } from '#core/node/disk.ts';
import { END_BYTES_MAX } from './limits.ts';

/** How the agent ended. */
export interface LastEnd extends Pick<ErrorReport, 'code' | 'message' | 'next' | 'retry'> {
  /** Wall clock of its machine, ms. */
  readonly at: number;
}

const RUN_DIRECTORY_MODE = 0o750;
/** Whoever may use the socket may know. */
const END_MODE = 0o640;

/** Leave word of what ended the agent; where even that is impossible, its log has it. */
export function rememberEnd(runDirectory: string, error: unknown, at: number): void {
  const { code, message, next, retry } = errorReport(error);
  // Two agents on one state: the one that runs is no matter of the one that may not.
  if (code === 'RN-MESH-029') return;
  unlessBroken(() => {
    ensureDirectory(runDirectory, RUN_DIRECTORY_MODE);
    replaceFile(pathIn(runDirectory), utf8(JSON.stringify({ at, code, message, next, retry } satisfies LastEnd)), END_MODE);
  });
}

/** The agent runs, or was stopped in order. */
export function forgetEnd(runDirectory: string): void {
  unlessBroken(() => removeFile(pathIn(runDirectory)));
}

/** What ended the agent of a run directory; undefined where nothing did, or nothing can be read. */
export function lastEnd(runDirectory: string): LastEnd | undefined {
  const bytes = unlessBroken(() => readWholeFile(pathIn(runDirectory), END_BYTES_MAX));
  return bytes === undefined ? undefined : parseEnd(textOf(bytes) ?? '');
}

/** "it ended at … with RN-…: what happened", for the middle of a sentence. */
export function endWords({ at, code, message }: LastEnd): string {
  return `it ended at ${formatTimestamp(at)} with ${code}: ${message}`;
}

function pathIn(runDirectory: string): string {
  return join(runDirectory, 'ended.json');
}

function parseEnd(text: string): LastEnd | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { at, code, message, next, retry } = value as Readonly<Record<string, unknown>>;
  if (typeof at !== 'number' || typeof code !== 'string' || typeof message !== 'string' || typeof next !== 'string' || typeof retry !== 'string')
    return undefined;
  return { at, code, message, next, retry };
}

function unlessBroken<Value>(action: () => Value): Value | undefined {
  try {
    return action();
  } catch (error) {
    if (!isFault(error)) throw error;
    return undefined;
  }
}
