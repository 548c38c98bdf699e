/**
 * One agent per state folder: two would speak with one voice. The lock names the process, the moment it started and the
 * boot of the machine, so that a lock left behind by a power cut, or by a process whose number was given to somebody else,
 * does not hold.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { textOf, utf8 } from '#core/bytes/bytes.ts';
import { Fault, isFault } from '#core/errors/fault.ts';
import { appendToFile, type DiskCalls, readWholeFile, removeFile } from '#core/node/disk.ts';

/** A held lock. */
export interface StateLock {
  release(): void;
}

const ATTEMPTS_MAX = 3;
const LOCK_BYTES_MAX = 256;

/** Take the lock or throw RN-MESH-029. */
export function lockState(folder: string, calls: DiskCalls = fs): StateLock {
  const path = join(folder, 'lock');
  const own = `${process.pid} ${startTimeOf(process.pid) ?? '0'} ${bootOfMachine()}`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (write(path, own, calls)) return { release: () => release(path, own, calls) };
    const holder = read(path, calls);
    const [pid, started, boot] = (holder ?? '').split(' ');
    if (isAlive(Number(pid), started, boot)) {
      throw new Fault('RN-MESH-029', `${folder} is in use by process ${pid ?? '?'}`);
    }
    if (holder !== undefined) removeStale(path, holder, calls);
  }
  throw new Fault('RN-MESH-029', `${path} cannot be taken`);
}

/** The lock appears with its contents or not at all: half a lock would look like a stale one. */
function write(path: string, text: string, calls: DiskCalls): boolean {
  const draft = `${path}.${process.pid}`;
  removeFile(draft, calls);
  try {
    appendToFile(draft, utf8(text), calls);
    return link(draft, path, calls);
  } finally {
    removeFile(draft, calls);
  }
}

/** Two starters may find the same stale lock; the later one must not take away what the earlier one has put there since. */
function removeStale(path: string, holder: string, calls: DiskCalls): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    calls.renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (read(aside, calls) !== holder) link(aside, path, calls);
  } finally {
    removeFile(aside, calls);
  }
}

/** Give a file a second name; false when the name is taken. */
function link(path: string, newPath: string, calls: DiskCalls): boolean {
  try {
    calls.linkSync(path, newPath);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new Fault('RN-MESH-001', `${newPath} cannot be written: ${codeOf(error) ?? 'unknown error'}`, { cause: error });
  }
}

function read(path: string, calls: DiskCalls): string | undefined {
  try {
    const bytes = readWholeFile(path, LOCK_BYTES_MAX, calls);
    return bytes === undefined ? undefined : (textOf(bytes) ?? '');
  } catch (error) {
    if (isFault(error, 'RN-MESH-104')) return ''; // nobody's lock is that long
    throw error;
  }
}

function release(path: string, own: string, calls: DiskCalls): void {
  if (read(path, calls) === own) removeFile(path, calls);
}

/** Half a lock is one that a power cut tore: links appear whole while the machine runs. */
function isAlive(pid: number, started: string | undefined, boot: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || started === undefined || boot !== bootOfMachine()) return false;
  return startTimeOf(pid) === started;
}

/** Start time of a process in clock ticks since boot; `undefined` when there is no such process. */
function startTimeOf(pid: number): string | undefined {
  const stat = fromKernel(`/proc/${pid}/stat`);
  // The name in parentheses may contain anything; fields are counted behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

/** The kernel's name for this boot: process numbers and start times repeat from one boot to the next. */
function bootOfMachine(): string {
  return fromKernel('/proc/sys/kernel/random/boot_id')?.trim() ?? 'unknown';
}

function fromKernel(path: string): string | undefined {
  try {
    return fs.readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
