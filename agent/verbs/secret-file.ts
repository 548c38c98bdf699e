/** Secrets in files: read whole or not at all, written so that they are there when the copy elsewhere goes. */
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Fault } from '#core/errors/fault.ts';
import { messageOf } from '#core/node/command-line/report.ts';
import { IDENTITY_DOCUMENT_CHARACTERS_MAX } from '#mesh/hcth/identity-document.ts';

const SECRET_MODE = 0o600;

/** The text of a file, `-` for standard input. */
export function readSecretText(file: string, what: string): string {
  const place = file === '-' ? 'standard input' : file;
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (error) {
    throw new Fault('RN-AGENT-012', `${what} cannot be read from ${place}: ${messageOf(error)}`, { cause: error });
  }
  if (text.length > IDENTITY_DOCUMENT_CHARACTERS_MAX) throw new Fault('RN-AGENT-012', `${place} is larger than ${what} can be`);
  if (text.trim() === '') throw new Fault('RN-AGENT-012', `${place} is empty`);
  return text;
}

/** A new file for this user alone, on the disk and read back; a file that is there already is not touched. */
export function writeSecretFile(file: string, text: string): void {
  try {
    const descriptor = openSync(file, 'wx', SECRET_MODE);
    try {
      writeSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    if (readFileSync(file, 'utf8') === text) return;
  } catch (error) {
    throw new Fault('RN-AGENT-012', `${file} cannot be written: ${messageOf(error)}`, {
      cause: error,
      effect: 'The next key is still on this device.',
      next: 'Name a new file in a folder that you may write to.',
    });
  }
  throw new Fault('RN-AGENT-012', `${file} read back differs from what was written`, { effect: 'The next key is still on this device.' });
}
