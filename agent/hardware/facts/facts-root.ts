/**
 * Where hardware facts come from: the machine's own `/sys`, `/proc`, `/etc` …, or a staged folder that stands in front of all of
 * them. Readers know nothing but this interface, so a test can be any machine. An absent or unreadable file is an absent fact
 * (`null`), never an error and never a guess. Reads are synchronous: kernel files answer from memory and a poll reads a handful.
 * It must never write, and never fall back to the real machine when staged.
 */
import { closeSync, existsSync, openSync, readdirSync, readSync, realpathSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { limits } from '../limits.ts';
import { BackgroundReport } from './background-report.ts';

/** Size and free space of a file system. */
export interface Space {
  readonly bytes: number;
  readonly freeBytes: number;
}

/** A place to read hardware facts from. All paths are absolute paths of the described machine. */
export interface FactsRoot {
  /** True when a folder stands in for the machine. */
  readonly staged: boolean;
  /** Where the agent keeps its state; the file system under it is the one that matters. */
  readonly statePath: string;
  /** Trimmed text of a file (a trailing NUL, as the device tree has, is removed too). */
  text(path: string): string | null;
  bytes(path: string): Uint8Array | null;
  /** Names in a folder, sorted; empty where there is none. */
  list(path: string): readonly string[];
  exists(path: string): boolean;
  /** Where a link leads, as a path of the described machine. */
  target(path: string): string | null;
  /** Space of the file system that holds `path`; staged in `robonet-facts/space` as "BYTES FREE". */
  space(path: string): Space | null;
  /** Output of `vcgencmd get_throttled` (`throttled=0x…`), at most a few seconds old; staged in `robonet-facts/get_throttled`. */
  throttledReport(): string | null;
  /** `yes` or `no`: whether the kernel's clock is disciplined by a time service, at most some minutes old; staged in `robonet-facts/clock`. */
  clockReport(): string | null;
}

/** Facts of this machine, or of the staged folder. */
export function openFacts(directory: string | null, statePath = '/var/lib/robonet'): FactsRoot {
  return directory === null ? machineFacts(statePath) : stagedFacts(directory, statePath);
}

const decoder = new TextDecoder();
// One buffer for all reads, never handed out: its contents are copied or decoded before the next read.
const scratch = Buffer.alloc(limits.factFileBytesMax);

function readLimited(path: string): Buffer | null {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'r');
  } catch (error) {
    if (error instanceof Error) return null; // absent or not for us: no fact
    throw error;
  }
  try {
    let length = 0;
    while (length < scratch.length) {
      const count = readSync(descriptor, scratch, length, scratch.length - length, null);
      if (count === 0) break;
      length += count;
    }
    return scratch.subarray(0, length);
  } catch (error) {
    if (error instanceof Error) return null; // a sensor that cannot be read now (EIO, ENODATA) is no fact
    throw error;
  } finally {
    closeSync(descriptor);
  }
}

function clean(bytes: Buffer): string {
  return decoder
    .decode(bytes)
    .replace(/[\0\s]+$/, '')
    .trimStart();
}

function filesUnder(prefix: string): Pick<FactsRoot, 'text' | 'bytes' | 'list' | 'exists' | 'target'> {
  const at = (path: string): string => (prefix === '' ? path : join(prefix, path));
  return {
    text(path) {
      const bytes = readLimited(at(path));
      return bytes === null ? null : clean(bytes);
    },
    bytes(path) {
      const bytes = readLimited(at(path));
      return bytes === null ? null : new Uint8Array(bytes);
    },
    list(path) {
      try {
        return readdirSync(at(path)).sort().slice(0, limits.directoryEntriesMax);
      } catch (error) {
        if (error instanceof Error) return [];
        throw error;
      }
    },
    exists(path) {
      return existsSync(at(path));
    },
    target(path) {
      try {
        const real = realpathSync(at(path));
        if (prefix === '') return real;
        const base = realpathSync(prefix);
        return real.startsWith(`${base}/`) ? real.slice(base.length) : null;
      } catch (error) {
        if (error instanceof Error) return null;
        throw error;
      }
    },
  };
}

function stagedFacts(directory: string, statePath: string): FactsRoot {
  const files = filesUnder(directory);
  return {
    staged: true,
    statePath,
    ...files,
    space() {
      const [bytes, freeBytes] = (files.text('/robonet-facts/space') ?? '').split(/\s+/).map(Number);
      if (bytes === undefined || freeBytes === undefined || !Number.isFinite(bytes) || !Number.isFinite(freeBytes)) return null;
      return { bytes, freeBytes };
    },
    throttledReport() {
      return files.text('/robonet-facts/get_throttled');
    },
    clockReport() {
      return files.text('/robonet-facts/clock');
    },
  };
}

const VCGENCMD_PATHS = ['/usr/bin/vcgencmd', '/opt/vc/bin/vcgencmd'];

function machineFacts(statePath: string): FactsRoot {
  const files = filesUnder('');
  const vcgencmd = existsSync('/dev/vcio') ? VCGENCMD_PATHS.find((path) => existsSync(path)) : undefined;
  const firmware = new BackgroundReport(vcgencmd === undefined ? null : [vcgencmd, 'get_throttled'], limits.firmwareReportMs);
  const clock = new BackgroundReport(clockQuestion(), limits.clockReportMs);
  return {
    staged: false,
    statePath,
    ...files,
    space(path) {
      try {
        const answer = statfsSync(path);
        return { bytes: answer.blocks * answer.bsize, freeBytes: answer.bavail * answer.bsize };
      } catch (error) {
        if (error instanceof Error) return null;
        throw error;
      }
    },
    throttledReport() {
      return firmware.current();
    },
    clockReport() {
      return clock.current();
    },
  };
}

/**
 * How this system is asked whether any time service (chrony, ntpd, timesyncd, a hypervisor's) has set the kernel's clock right.
 * The kernel knows (`adjtimex`), but no file says it.
 */
function clockQuestion(): readonly string[] | null {
  if (existsSync('/run/systemd/system') && existsSync('/usr/bin/timedatectl')) return ['/usr/bin/timedatectl', 'show', '--property=NTPSynchronized', '--value'];
  if (existsSync('/usr/bin/chronyc')) return ['/bin/sh', '-c', 'if /usr/bin/chronyc -n waitsync 1 >/dev/null; then echo yes; else echo no; fi'];
  return null;
}
