/**
 * A disk that keeps a log: every call goes to the real file system and is written down, with the bytes. From the log,
 * `crash-states.ts` builds what a real disk may hold after a power cut at any point.
 */
import * as fs from 'node:fs';
import { dirname } from 'node:path';
import type { DiskCalls } from '#core/node/disk.ts';

/** Something that changes a disk, or makes changes durable. Files are numbered, because names move between them. */
export type DiskOperation =
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly file: number; readonly bytes: number }
  | { readonly kind: 'sync'; readonly file: number }
  | { readonly kind: 'rename'; readonly path: string; readonly newPath: string }
  | { readonly kind: 'link'; readonly path: string; readonly newPath: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'make-folder'; readonly path: string }
  | { readonly kind: 'sync-folder'; readonly path: string };

const { O_APPEND, O_CREAT, O_DIRECTORY } = fs.constants;
const BOOT_ID = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();

/** See the header. */
export class RecordingDisk {
  readonly operations: DiskOperation[] = [];
  readonly calls: DiskCalls;
  readonly #files = new Map<string, number>();
  readonly #open = new Map<number, { readonly file: number; readonly append: boolean; offset: number } | { readonly folder: string }>();
  #next = 1;

  constructor() {
    this.calls = {
      openSync: (path, flags, mode) => this.#openSync(path, flags, mode),
      closeSync: (descriptor) => {
        fs.closeSync(descriptor);
        this.#open.delete(descriptor);
      },
      readSync: (descriptor, buffer, offset, length, position) => fs.readSync(descriptor, buffer, offset, length, position),
      writeSync: (descriptor, buffer, offset, length, position) => this.#writeSync(descriptor, buffer, offset, length, position),
      fstatSync: (descriptor) => fs.fstatSync(descriptor),
      lstatSync: (path, options) => fs.lstatSync(path, options),
      fsyncSync: (descriptor) => {
        fs.fsyncSync(descriptor);
        this.#synced(descriptor);
      },
      fdatasyncSync: (descriptor) => {
        fs.fdatasyncSync(descriptor);
        this.#synced(descriptor);
      },
      ftruncateSync: (descriptor, bytes) => {
        fs.ftruncateSync(descriptor, bytes);
        this.operations.push({ kind: 'truncate', file: this.#fileOf(descriptor).file, bytes });
      },
      renameSync: (path, newPath) => {
        fs.renameSync(path, newPath);
        this.operations.push({ kind: 'rename', path, newPath });
        this.#name(newPath, this.#named(path));
        this.#files.delete(path);
      },
      linkSync: (path, newPath) => {
        fs.linkSync(path, newPath);
        this.operations.push({ kind: 'link', path, newPath });
        this.#name(newPath, this.#named(path));
      },
      unlinkSync: (path) => {
        fs.unlinkSync(path);
        this.operations.push({ kind: 'unlink', path });
        this.#files.delete(path);
      },
      mkdirSync: (path, options) => {
        const missing = missingFolders(path);
        fs.mkdirSync(path, options);
        for (const folder of missing) this.operations.push({ kind: 'make-folder', path: folder });
      },
      readdirSync: (path) => fs.readdirSync(path),
    };
  }

  #openSync(path: string, flags: number, mode: number | undefined): number {
    const isNew = (flags & O_CREAT) !== 0 && !fs.existsSync(path);
    const descriptor = fs.openSync(path, flags, mode);
    if ((flags & O_DIRECTORY) !== 0) {
      this.#open.set(descriptor, { folder: path });
      return descriptor;
    }
    if (isNew) {
      this.#name(path, this.#next);
      this.operations.push({ kind: 'create', path, file: this.#next });
      this.#next += 1;
    }
    this.#open.set(descriptor, { file: this.#named(path), append: (flags & O_APPEND) !== 0, offset: 0 });
    return descriptor;
  }

  #writeSync(descriptor: number, buffer: Uint8Array, offset: number, length: number, position: number | null): number {
    const open = this.#fileOf(descriptor);
    const at = open.append ? fs.fstatSync(descriptor).size : (position ?? open.offset);
    const count = fs.writeSync(descriptor, buffer, offset, length, position);
    if (position === null) open.offset = at + count;
    this.operations.push({ kind: 'write', file: open.file, at, bytes: ofAnEarlierBoot(buffer.slice(offset, offset + count)) });
    return count;
  }

  #synced(descriptor: number): void {
    const open = this.#open.get(descriptor);
    if (open === undefined) throw new Error(`descriptor ${descriptor} was not opened here`);
    this.operations.push('folder' in open ? { kind: 'sync-folder', path: open.folder } : { kind: 'sync', file: open.file });
  }

  #fileOf(descriptor: number): { readonly file: number; readonly append: boolean; offset: number } {
    const open = this.#open.get(descriptor);
    if (open === undefined || 'folder' in open) throw new Error(`descriptor ${descriptor} is not a file opened here`);
    return open;
  }

  #name(path: string, file: number): void {
    this.#files.set(path, file);
  }

  #named(path: string): number {
    const file = this.#files.get(path);
    if (file === undefined) throw new Error(`${path} was there before the recording began`);
    return file;
  }
}

/** A power cut ends the boot: the lock found afterwards names another one than the running machine's. */
function ofAnEarlierBoot(bytes: Uint8Array): Uint8Array {
  const at = Buffer.from(bytes).indexOf(BOOT_ID);
  return at < 0 ? bytes : bytes.fill(0x66, at, at + BOOT_ID.length);
}

function missingFolders(path: string): readonly string[] {
  const missing: string[] = [];
  for (let folder = path; !fs.existsSync(folder); folder = dirname(folder)) missing.unshift(folder);
  return missing;
}
