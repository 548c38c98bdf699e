/**
 * Files that people name on a command line: read up to a bound whatever they turn out to be (a device that never ends, a
 * folder, nothing), with the reason in words when they cannot be used.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { formatBytes } from '#core/terminal/size.ts';

export type TextFile = { readonly kind: 'text'; readonly text: string } | { readonly kind: 'problem'; readonly why: string; readonly missing: boolean };

const reasons: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['ENOTDIR', 'there is no such file'],
  ['EISDIR', 'it is a folder, not a file'],
  ['EACCES', 'this user may not read it'],
  ['EPERM', 'this user may not read it'],
  ['ELOOP', 'its links lead in a circle'],
  ['ENAMETOOLONG', 'the name is too long'],
]);

/** UTF-8 text of a file, or of standard input for `-`. One byte more than the bound is never kept. */
export function readTextFile(path: string, bytesMax: number): TextFile {
  if (path === '' || path.includes('\0')) return { kind: 'problem', why: 'that is not the name of a file', missing: false };
  let descriptor: number | undefined;
  try {
    descriptor = path === '-' ? 0 : openSync(path, 'r');
    const bytes = Buffer.alloc(bytesMax + 1);
    let length = 0;
    for (;;) {
      const count = readSync(descriptor, bytes, length, bytes.length - length, null);
      length += count;
      if (length > bytesMax) return { kind: 'problem', why: `it has more than ${formatBytes(bytesMax)}, the most that is read`, missing: false };
      if (count === 0) return { kind: 'text', text: bytes.toString('utf8', 0, length) };
    }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    // Standard input that was closed before we came, as `command <&-` leaves it.
    if (error.code === 'EBADF' || error.code === 'EAGAIN') return { kind: 'problem', why: 'nothing can be read there', missing: false };
    return { kind: 'problem', why: reasons.get(String(error.code)) ?? error.message, missing: error.code === 'ENOENT' };
  } finally {
    if (descriptor !== undefined && descriptor !== 0) closeSync(descriptor);
  }
}
