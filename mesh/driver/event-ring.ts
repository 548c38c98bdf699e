/**
 * The node's own diary: every event as one JSON line, in a file that is rotated before it grows too large. Lines are
 * appended without fsync: a diary may lose its last second, state may not. A full disk never stops the node; the next
 * line that can be written says how many were lost.
 */
import { join } from 'node:path';
import { concat, textOf, utf8 } from '#core/bytes/bytes.ts';
import { isFault } from '#core/errors/fault.ts';
import { appendToFile, type DiskCalls, moveAside, readWholeFile } from '#core/node/disk.ts';
import type { EventRecord } from '#mesh/swarm/views.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

const NEWLINE = 10;
/** A file of this kind is never longer than its limit and one batch; what is longer is not ours. */
const FILE_BYTES_MAX = 2 * LIMITS.eventFileBytesMax;

/** Newest events in memory, all of them (bounded) on disk. */
export class EventRing {
  readonly #path: string;
  readonly #rotated: string;
  readonly #calls: DiskCalls | undefined;
  readonly #recent: EventRecord[] = [];
  readonly #listeners = new Set<(event: EventRecord) => void>();
  #bytes = 0;
  #lost = 0;
  /** The file ends in the middle of a line: a power cut tore it, and the next line must not be lost with it. */
  #torn = false;
  /** What keeps the diary from being read; it goes on in memory. */
  readonly problems: string[] = [];

  constructor(folder: string, calls?: DiskCalls) {
    this.#path = join(folder, 'events.jsonl');
    this.#rotated = join(folder, 'events.1.jsonl');
    this.#calls = calls;
    for (const path of [this.#rotated, this.#path]) {
      const bytes = this.#read(path);
      for (const event of readEvents(bytes)) this.#remember(event);
      this.#bytes = bytes.length;
      this.#torn = bytes.length > 0 && bytes.at(-1) !== NEWLINE;
    }
  }

  /** Append, remember, tell the listeners. */
  add(events: readonly EventRecord[]): void {
    if (events.length === 0) return;
    let text = '';
    for (const event of events) {
      text += `${JSON.stringify(this.#lost > 0 ? { ...event, lost: this.#lost } : event)}\n`;
      this.#remember(event);
    }
    this.#append(utf8(text), events.length);
    for (const event of events) for (const listener of this.#listeners) listener(event);
  }

  /** Newest first. */
  recent(limit: number): readonly EventRecord[] {
    return this.#recent.slice(-limit).reverse();
  }

  /** Call back for each new event until the returned function is called. */
  listen(listener: (event: EventRecord) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #remember(event: EventRecord): void {
    this.#recent.push(event);
    if (this.#recent.length > LIMITS.eventsRecentMax * 2) this.#recent.splice(0, LIMITS.eventsRecentMax);
  }

  #read(path: string): Uint8Array {
    try {
      return readWholeFile(path, FILE_BYTES_MAX, this.#calls) ?? new Uint8Array(0);
    } catch (error) {
      if (!isFault(error)) throw error;
      this.problems.push(error.message);
      return new Uint8Array(0);
    }
  }

  #append(lines: Uint8Array, count: number): void {
    try {
      if (this.#bytes > 0 && this.#bytes + lines.length > LIMITS.eventFileBytesMax) {
        moveAside(this.#path, this.#rotated, this.#calls);
        this.#bytes = 0;
        this.#torn = false;
      }
      const bytes = this.#torn ? concat(Uint8Array.of(NEWLINE), lines) : lines;
      appendToFile(this.#path, bytes, this.#calls);
      this.#bytes += bytes.length;
      this.#torn = false;
      this.#lost = 0;
    } catch (error) {
      if (!isFault(error)) throw error;
      this.#lost += count; // disk full or gone: the node goes on, the diary says so later
      this.#torn = true; // part of it may have been written
    }
  }
}

// A line torn by a power cut, or made of other bytes than text, is skipped: the diary is for people, nothing is decided by it.
function readEvents(bytes: Uint8Array): EventRecord[] {
  const events: EventRecord[] = [];
  let start = 0;
  while (start < bytes.length) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    const event = parseEvent(textOf(bytes.subarray(start, end)) ?? '');
    if (event !== undefined) events.push(event);
    start = end + 1;
  }
  return events;
}

function parseEvent(line: string): EventRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isEvent(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isEvent(value: unknown): value is EventRecord {
  return typeof value === 'object' && value !== null && 'code' in value && typeof value.code === 'string' && 'at' in value && typeof value.at === 'number';
}
