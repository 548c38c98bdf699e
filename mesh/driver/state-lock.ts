/**
 * One agent per state folder: two would speak with one voice. The lock names the process and the moment it started, so
 * that a lock left behind by a power cut, or by a process whose number was given to somebody else, does not hold.
 */
import { linkSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '#core/errors/fault.ts';

/** A held lock. */
export interface StateLock {
  release(): void;
}

/** Take the lock or throw RN-MESH-029. */
export function lockState(folder: string): StateLock {
  const path = join(folder, 'lock');
  const own = `${process.pid} ${startTimeOf(process.pid) ?? '0'}`;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    if (write(path, own)) return { release: () => release(path, own) };
    const holder = read(path);
    const [pid, started] = (holder ?? '').split(' ');
    if (holder !== undefined && pid !== undefined && isAlive(Number(pid), started)) {
      throw new Fault('RN-MESH-029', `${folder} is in use by process ${pid}`);
    }
    if (holder !== undefined) removeStale(path, holder);
  }
  throw new Fault('RN-MESH-029', `${path} cannot be taken`);
}

const ATTEMPTS_MAX = 3;

/** The lock appears with its contents or not at all: half a lock would look like a stale one. */
function write(path: string, text: string): boolean {
  const draft = `${path}.${process.pid}`;
  try {
    remove(draft);
    writeFileSync(draft, text, { mode: 0o600, flag: 'wx' });
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw new Fault('RN-MESH-001', `${path} cannot be written: ${codeOf(error) ?? 'unknown error'}`, { cause: error });
  } finally {
    remove(draft);
  }
}

/** Two starters may find the same stale lock; the later one must not take away what the earlier one has put there since. */
function removeStale(path: string, holder: string): void {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    if (read(aside) !== holder) linkSync(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  } finally {
    remove(aside);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function release(path: string, own: string): void {
  if (read(path) === own) remove(path);
}

function isAlive(pid: number, started: string | undefined): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  const actual = startTimeOf(pid);
  return actual !== undefined && (started === undefined || actual === started);
}

/** Start time of a process in clock ticks since boot; `undefined` when there is no such process. */
function startTimeOf(pid: number): string | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name in parentheses may contain anything; fields are counted behind it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
