/**
 * Durable files (protocol.md §2.9, §2.10): a write counts only once it has been confirmed by the disk and read back, and
 * an interrupted one leaves the previous contents. Runs as root on machines of other people, so it follows no links and
 * writes to nothing but plain files.
 * Must never retry after a failed fsync: the kernel has then dropped the data and says "fine" the second time.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { bytesEqual } from '#core/bytes/bytes.ts';
import { Fault, type FaultCode, isFault } from '#core/errors/fault.ts';

/** What is asked about a file. */
export type FileStat = Pick<fs.Stats, 'size' | 'mtimeMs' | 'isFile' | 'isDirectory'>;

/**
 * The system calls in use, by the names that Node gives them: everything that a state folder goes through. Tests put
 * recording and failing ones in their place.
 */
export interface DiskCalls {
  openSync(path: string, flags: number, mode?: number): number;
  closeSync(descriptor: number): void;
  readSync(descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number): number;
  writeSync(descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number;
  fstatSync(descriptor: number): FileStat;
  lstatSync(path: string, options: { readonly throwIfNoEntry: false }): FileStat | undefined;
  fsyncSync(descriptor: number): void;
  fdatasyncSync(descriptor: number): void;
  ftruncateSync(descriptor: number, bytes: number): void;
  renameSync(path: string, newPath: string): void;
  linkSync(path: string, newPath: string): void;
  unlinkSync(path: string): void;
  mkdirSync(path: string, options: { readonly recursive: true; readonly mode: number }): unknown;
  readdirSync(path: string): string[];
}

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = fs.constants;
/** Mode of every state file. */
export const STATE_FILE_MODE = 0o600;
/** Mode of the state folder. */
export const STATE_FOLDER_MODE = 0o700;

/** Make a folder (its parents too) unless it is there; a link or file in its place is a fault. */
export function ensureDirectory(path: string, mode: number = STATE_FOLDER_MODE, calls: DiskCalls = fs): void {
  attempt('write', path, () => {
    const found = lstatOrNothing(path, calls);
    if (found === undefined) calls.mkdirSync(path, { recursive: true, mode });
    else if (!found.isDirectory()) throw notPlain(path, 'a folder');
  });
}

/** Whether there is a folder; a link or file in its place is a fault, for what it should hold would be forgotten without a word. */
export function isFolder(path: string, calls: DiskCalls = fs): boolean {
  return attempt('read', path, () => {
    const found = lstatOrNothing(path, calls);
    if (found !== undefined && !found.isDirectory()) throw notPlain(path, 'a folder');
    return found !== undefined;
  });
}

/** The contents of a plain file; undefined when it does not exist. */
export function readWholeFile(path: string, bytesMax: number, calls: DiskCalls = fs): Uint8Array | undefined {
  return attempt('read', path, () => {
    const descriptor = openPlain(path, O_RDONLY, calls);
    if (descriptor === undefined) return undefined;
    try {
      return readAll(path, descriptor, bytesMax, calls);
    } finally {
      calls.closeSync(descriptor);
    }
  });
}

/** Put new contents in place of the old ones, all or nothing, and confirmed by the disk. */
export function replaceFile(path: string, contents: Uint8Array, mode: number = STATE_FILE_MODE, calls: DiskCalls = fs): void {
  attempt('write', path, () => {
    refuseUnlessPlain(path, calls);
    const temporary = `${path}.new`;
    removeFile(temporary, calls); // left behind by an interrupted write
    const descriptor = calls.openSync(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    try {
      writeAll(descriptor, contents, calls);
      calls.fsyncSync(descriptor);
    } finally {
      calls.closeSync(descriptor);
    }
    calls.renameSync(temporary, path);
    syncDirectory(dirname(path), calls);
  });
  const back = readWholeFile(path, contents.length, calls);
  if (back === undefined || !bytesEqual(back, contents))
    throw new Fault('RN-MESH-103', `${path} read back differs from the ${String(contents.length)} bytes written`);
}

/** Remove a file if it is there; a folder in its place is a fault. */
export function removeFile(path: string, calls: DiskCalls = fs): void {
  attempt('write', path, () => {
    const found = lstatOrNothing(path, calls);
    if (found === undefined) return;
    if (found.isDirectory()) throw notPlain(path, 'a file');
    calls.unlinkSync(path);
  });
}

/** Give a plain file another name in the same folder, durably. */
export function moveAside(path: string, newPath: string, calls: DiskCalls = fs): void {
  attempt('write', path, () => {
    refuseUnlessPlain(path, calls);
    calls.renameSync(path, newPath);
    syncDirectory(dirname(path), calls);
  });
}

/** Add to the end of a plain file, making it where it does not exist. Nothing is confirmed by the disk: for diaries only. */
export function appendToFile(path: string, contents: Uint8Array, calls: DiskCalls = fs): void {
  attempt('write', path, () => {
    refuseUnlessPlain(path, calls);
    const descriptor = calls.openSync(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, STATE_FILE_MODE);
    try {
      writeAll(descriptor, contents, calls);
    } finally {
      calls.closeSync(descriptor);
    }
  });
}

/** Open a plain file for reading and writing, making it where it does not exist; the folder entry is durable on return. */
export function openForAppend(path: string, calls: DiskCalls = fs): number {
  return attempt('write', path, () => {
    const existing = openPlain(path, O_RDWR, calls);
    if (existing !== undefined) return existing;
    const descriptor = calls.openSync(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, STATE_FILE_MODE);
    syncDirectory(dirname(path), calls);
    return descriptor;
  });
}

/** All bytes behind an open plain file. */
export function readAll(path: string, descriptor: number, bytesMax: number, calls: DiskCalls = fs): Uint8Array {
  const { size } = calls.fstatSync(descriptor);
  if (size > bytesMax) throw new Fault('RN-MESH-104', `${path} has ${String(size)} bytes; at most ${String(bytesMax)} are possible`);
  const bytes = new Uint8Array(size);
  let offset = 0;
  while (offset < size) {
    const count = calls.readSync(descriptor, bytes, offset, size - offset, offset);
    if (count === 0) break; // it shrank while being read: take what there is
    offset += count;
  }
  return bytes.subarray(0, offset);
}

/** Write everything, also where the kernel takes it in pieces; `position` defaults to where the file is. */
export function writeAll(descriptor: number, bytes: Uint8Array, calls: DiskCalls = fs, position: number | null = null): void {
  let offset = 0;
  while (offset < bytes.length) {
    offset += calls.writeSync(descriptor, bytes, offset, bytes.length - offset, position === null ? null : position + offset);
  }
}

/** Turn a failed system call into the fault that a person can act on. */
export function attempt<T>(verb: 'read' | 'write', path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof Error) || isFault(error) || !('code' in error) || typeof error.code !== 'string') throw error;
    throw new Fault(faultFor(verb, error.code), `${path} cannot be ${verb === 'read' ? 'read' : 'written'}: ${error.code}`, { cause: error });
  }
}

function faultFor(verb: 'read' | 'write', code: string): FaultCode {
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'RN-MESH-106';
  if (code === 'ELOOP' || code === 'ENOTDIR' || code === 'EISDIR') return 'RN-MESH-101';
  return verb === 'read' ? 'RN-MESH-105' : 'RN-MESH-102';
}

/** A descriptor of an existing plain file. O_NONBLOCK, so that a FIFO in its place cannot hang us. */
function openPlain(path: string, flags: number, calls: DiskCalls): number | undefined {
  refuseUnlessPlain(path, calls);
  let descriptor: number;
  try {
    descriptor = calls.openSync(path, flags | O_NOFOLLOW | O_NONBLOCK);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  if (calls.fstatSync(descriptor).isFile()) return descriptor;
  calls.closeSync(descriptor);
  throw notPlain(path, 'a file');
}

function refuseUnlessPlain(path: string, calls: DiskCalls): void {
  const found = lstatOrNothing(path, calls);
  if (found !== undefined && !found.isFile()) throw notPlain(path, 'a file');
}

function notPlain(path: string, expected: string): Fault {
  return new Fault('RN-MESH-101', `${path} is not ${expected}, or is a link`);
}

function lstatOrNothing(path: string, calls: DiskCalls): FileStat | undefined {
  return calls.lstatSync(path, { throwIfNoEntry: false });
}

function syncDirectory(path: string, calls: DiskCalls): void {
  const descriptor = calls.openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    calls.fsyncSync(descriptor);
  } finally {
    calls.closeSync(descriptor);
  }
}
