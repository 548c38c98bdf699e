/**
 * A disk of which one call fails, once or from then on: full, dying, read-only. Counts what is asked of it afterwards, so
 * that a test can show that nothing was tried again.
 */
import type { DiskCalls } from '#core/node/disk.ts';

/** Which call fails, and how. */
export interface DiskFault {
  readonly call: 'writeSync' | 'fsyncSync' | 'fdatasyncSync' | 'renameSync' | 'openSync' | 'linkSync' | 'unlinkSync' | 'mkdirSync';
  readonly code: 'ENOSPC' | 'EIO' | 'EROFS' | 'EACCES';
  /** The first one is 1. */
  readonly nth: number;
  /** A full disk takes half of what it is given before it says so. */
  readonly half?: boolean;
}

/** See the header. */
export class FaultyDisk {
  readonly calls: DiskCalls;
  /** Whether the fault has happened. */
  happened = false;
  /** Writes, confirmations and renames of state files after the fault; the diary and the lock are none. */
  readonly after: string[] = [];
  #left: number;
  readonly #state = new Map<number, string>();

  constructor(real: DiskCalls, fault: DiskFault) {
    this.#left = fault.nth;
    const guard = <Args extends unknown[], Result>(name: DiskFault['call'], call: (...args: Args) => Result): ((...args: Args) => Result) => {
      return (...args) => {
        const path = typeof args[0] === 'string' ? args[0] : (this.#state.get(args[0] as number) ?? '');
        const counts = isState(path);
        if (counts && this.happened && name !== 'openSync' && name !== 'unlinkSync') this.after.push(`${name} ${path}`);
        if (counts && name === fault.call && !this.happened) {
          this.#left -= 1;
          if (this.#left === 0) {
            this.happened = true;
            if (fault.half === true && name === 'writeSync') {
              const [descriptor, buffer, offset, length, position] = args as unknown as Parameters<DiskCalls['writeSync']>;
              real.writeSync(descriptor, buffer, offset, length >> 1, position);
            }
            throw Object.assign(new Error(`${fault.code}: ${name}`), { code: fault.code });
          }
        }
        return call(...args);
      };
    };
    this.calls = {
      ...real,
      openSync: guard('openSync', (path: string, flags: number, mode?: number) => {
        const descriptor = real.openSync(path, flags, mode);
        this.#state.set(descriptor, path);
        return descriptor;
      }),
      writeSync: guard('writeSync', real.writeSync),
      fsyncSync: guard('fsyncSync', real.fsyncSync),
      fdatasyncSync: guard('fdatasyncSync', real.fdatasyncSync),
      renameSync: guard('renameSync', real.renameSync),
      linkSync: guard('linkSync', real.linkSync),
      unlinkSync: guard('unlinkSync', real.unlinkSync),
      mkdirSync: guard('mkdirSync', real.mkdirSync),
    };
  }
}

function isState(path: string): boolean {
  return !/(^|\/)(events(\.1)?\.jsonl|lock[^/]*)$/.test(path);
}
