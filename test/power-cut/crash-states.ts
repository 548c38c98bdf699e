/**
 * What a disk may hold after the power went at one point of a recording. Assumed of the disk: nothing but what POSIX
 * promises. Contents are safe once the file was fsynced, names once their folder was; until then each write may be there,
 * missing, torn at any byte or sector, or only visible as a longer file of zeros, in any order; each change of a name may
 * have happened or not, only changes of one and the same name stay in order.
 */
import { dirname } from 'node:path';
import type { Rng } from '#core/random/random.ts';
import type { DiskOperation } from '#test/power-cut/recording-disk.ts';

/** Files by path, after the cut; folders carry no bytes. */
export interface DiskState {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly folders: readonly string[];
}

/** How the disk treated what it had not confirmed. */
export type Weather = 'all' | 'none' | 'names-only' | 'contents-only' | Rng;

/** The weathers that need no dice. */
export const PLAIN_WEATHERS = ['all', 'none', 'names-only', 'contents-only'] as const;

type NameChange = Extract<DiskOperation, { kind: 'create' | 'rename' | 'link' | 'unlink' | 'make-folder' }>;
type ContentChange = Extract<DiskOperation, { kind: 'write' | 'truncate' }>;

interface FileHistory {
  contents: Uint8Array;
  pending: ContentChange[];
}

const SECTOR_BYTES = 512;
/** In the place of a file's number: a folder. */
const FOLDER = 0;

/** Follows a recording operation by operation, and answers what the disk may hold there. */
export class CrashStates {
  readonly #names = new Map<string, number>();
  #pendingNames: NameChange[] = [];
  readonly #files = new Map<number, FileHistory>();

  /** Take in the next operation of the recording. */
  advance(operation: DiskOperation): void {
    switch (operation.kind) {
      case 'write':
      case 'truncate':
        this.#file(operation.file).pending.push(operation);
        return;
      case 'sync': {
        const file = this.#file(operation.file);
        for (const change of file.pending) file.contents = changed(file.contents, change);
        file.pending = [];
        return;
      }
      case 'sync-folder': {
        const here = (change: NameChange): boolean => dirname(change.path) === operation.path;
        for (const change of this.#pendingNames.filter(here)) rename(this.#names, change);
        this.#pendingNames = this.#pendingNames.filter((change) => !here(change));
        return;
      }
      default:
        this.#pendingNames.push(operation);
    }
  }

  /** Whether anything is unconfirmed: without it every weather gives the same state. */
  get isSettled(): boolean {
    return this.#pendingNames.length === 0 && [...this.#files.values()].every((file) => file.pending.length === 0);
  }

  /** One state of the disk at this point. */
  at(weather: Weather): DiskState {
    const names = new Map(this.#names);
    const withheld = new Set<string>();
    for (const change of this.#pendingNames) {
      const touched = 'newPath' in change ? [change.path, change.newPath] : [change.path];
      // What builds on a change that did not reach the disk did not reach it either.
      const happens = happensToName(weather) && !touched.some((path) => withheld.has(path));
      if (happens) rename(names, change);
      else for (const path of touched) withheld.add(path);
    }
    const files = new Map<string, Uint8Array>();
    const folders: string[] = [];
    const contents = new Map<number, Uint8Array>();
    for (const [path, number] of names) {
      if (number === FOLDER) {
        folders.push(path);
        continue;
      }
      let bytes = contents.get(number);
      if (bytes === undefined) {
        bytes = this.#weathered(this.#file(number), weather);
        contents.set(number, bytes);
      }
      files.set(path, bytes);
    }
    return { files, folders };
  }

  #weathered(file: FileHistory, weather: Weather): Uint8Array {
    let { contents } = file;
    for (const change of file.pending) {
      if (weather === 'all' || weather === 'contents-only') contents = changed(contents, change);
      else if (typeof weather !== 'string') contents = weatheredChange(contents, change, weather);
    }
    return contents;
  }

  #file(number: number): FileHistory {
    let file = this.#files.get(number);
    if (file === undefined) this.#files.set(number, (file = { contents: new Uint8Array(0), pending: [] }));
    return file;
  }
}

function happensToName(weather: Weather): boolean {
  return weather === 'all' || weather === 'names-only' || (typeof weather !== 'string' && weather.next() < 0.6);
}

function rename(names: Map<string, number>, change: NameChange): void {
  switch (change.kind) {
    case 'create':
      names.set(change.path, change.file);
      return;
    case 'make-folder':
      names.set(change.path, FOLDER);
      return;
    case 'unlink':
      names.delete(change.path);
      return;
    case 'link':
    case 'rename': {
      const file = names.get(change.path);
      if (file === undefined) return;
      if (change.kind === 'rename') names.delete(change.path);
      names.set(change.newPath, file);
    }
  }
}

function changed(contents: Uint8Array, change: ContentChange): Uint8Array {
  if (change.kind === 'truncate') return resized(contents, change.bytes);
  return written(contents, change.at, change.bytes);
}

/** One unconfirmed change after the cut: whole, missing, missing but the length kept, or torn. */
function weatheredChange(contents: Uint8Array, change: ContentChange, rng: Rng): Uint8Array {
  const draw = rng.next();
  if (draw < 0.35) return changed(contents, change);
  if (draw < 0.55 || change.kind === 'truncate') return contents;
  const end = change.at + change.bytes.length;
  if (draw < 0.65) return resized(contents, Math.max(contents.length, end));
  if (draw < 0.85) return written(contents, change.at, change.bytes.subarray(0, Math.floor(rng.next() * (change.bytes.length + 1))));
  let torn = resized(contents, Math.max(contents.length, end));
  for (let from = change.at; from < end;) {
    const to = Math.min(end, (Math.floor(from / SECTOR_BYTES) + 1) * SECTOR_BYTES);
    if (rng.next() < 0.5) torn = written(torn, from, change.bytes.subarray(from - change.at, to - change.at));
    from = to;
  }
  return torn;
}

function written(contents: Uint8Array, at: number, bytes: Uint8Array): Uint8Array {
  const next = resized(contents, Math.max(contents.length, at + bytes.length));
  next.set(bytes, at);
  return next;
}

function resized(contents: Uint8Array, bytes: number): Uint8Array {
  const next = new Uint8Array(bytes);
  next.set(contents.subarray(0, bytes));
  return next;
}
