/**
 * The node's own diary: every event as one JSON line, in a file that is rotated before it grows too large. Lines are
 * appended without fsync: a diary may lose its last second, state may not. A full disk never stops the node; the next
 * line that can be written says how many were lost.
 */
import { appendFileSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { EventRecord } from '#mesh/swarm/views.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

/** Newest events in memory, all of them (bounded) on disk. */
export class EventRing {
  readonly #path: string;
  readonly #rotated: string;
  readonly #recent: EventRecord[] = [];
  readonly #listeners = new Set<(event: EventRecord) => void>();
  #bytes: number;
  #lost = 0;

  constructor(folder: string) {
    this.#path = join(folder, 'events.jsonl');
    this.#rotated = join(folder, 'events.1.jsonl');
    this.#bytes = sizeOf(this.#path);
    for (const path of [this.#rotated, this.#path]) {
      for (const event of readEvents(path)) this.#remember(event);
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
    this.#append(text, events.length);
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

  #append(text: string, count: number): void {
    try {
      if (this.#bytes + text.length > LIMITS.eventFileBytesMax) {
        renameSync(this.#path, this.#rotated);
        this.#bytes = 0;
      }
      appendFileSync(this.#path, text, { mode: 0o600 });
      this.#bytes += text.length;
      this.#lost = 0;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error;
      this.#lost += count; // disk full or gone: the node goes on, the diary says so later
    }
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function readEvents(path: string): EventRecord[] {
  if (sizeOf(path) === 0) return [];
  const events: EventRecord[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const event = parseEvent(line);
    if (event !== undefined) events.push(event);
  }
  return events;
}

// A line torn by a power cut is skipped: the diary is for people, nothing is decided by it.
function parseEvent(line: string): EventRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && 'code' in value && 'at' in value ? (value as EventRecord) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
