/**
 * What is to be passed on, to whom, and how often still: each word once per link, at most `newsRepeatsPerDoubling` times
 * per doubling of the mesh, the least told first. What supersedes a word takes its place.
 */
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { Update } from './messages.ts';
import { compareVersions } from './version.ts';

interface Item {
  readonly update: Update;
  /** Who has it: told by us, or our source. */
  readonly told: Set<string>;
  sent: number;
}

/** See the header. */
export class News {
  readonly #items = new Map<string, Item>();

  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  get size(): number {
    return this.#items.size;
  }

  /** Take a word up. @param from who told it, null for our own */
  add(update: Update, from: string | null): void {
    for (const [key, { update: known }] of this.#items)
      if (known.id === update.id && compareVersions(known.version, update.version) < 0) this.#items.delete(key);
    const key = update.kind === 'accuse' ? `${update.id} ${update.by}` : update.id;
    const known = this.#items.get(key);
    if (known !== undefined && known.update.kind === update.kind) {
      if (from !== null) known.told.add(from);
      return;
    }
    this.#items.set(key, { update, told: new Set(from === null ? [] : [from]), sent: 0 });
    if (this.#items.size > LIMITS.newsMax) this.#dropMostTold();
  }

  /** Somebody who already knows. */
  knows(update: Update, from: string): void {
    this.#items.get(update.kind === 'accuse' ? `${update.id} ${update.by}` : update.id)?.told.add(from);
  }

  /** Nothing of this member is worth telling any more. */
  forget(id: string): void {
    for (const [key, { update }] of this.#items) if (update.id === id || (update.kind === 'accuse' && update.by === id)) this.#items.delete(key);
  }

  /** Whether some member contradicts a suspicion. */
  get hasContradiction(): boolean {
    for (const { update } of this.#items.values()) if (isContradiction(update)) return true;
    return false;
  }

  /** Whether there is anything for this link. @param contradictions look for these alone */
  hasFor(to: string, contradictions = false): boolean {
    for (const { told, update } of this.#items.values()) if (!told.has(to) && (!contradictions || isContradiction(update))) return true;
    return false;
  }

  /** What goes to `to` now; counted as told. What concerns itself goes first: who is suspected must be the first to know. */
  take(to: string, repeatsMax: number): readonly Update[] {
    if (this.#items.size === 0) return [];
    const due = [...this.#items.entries()].filter(([, item]) => !item.told.has(to));
    due.sort(([, a], [, b]) => urgency(b.update, to) - urgency(a.update, to) || a.sent - b.sent);
    return due.slice(0, LIMITS.newsPerMessageMax).map(([key, item]) => {
      item.told.add(to);
      item.sent += 1;
      if (item.sent >= repeatsMax) this.#items.delete(key);
      return item.update;
    });
  }

  /** Everybody whom we could tell knows. */
  settle(links: Iterable<string>): void {
    const present = [...links];
    for (const [key, { told }] of this.#items) if (present.every((id) => told.has(id))) this.#items.delete(key);
  }

  #dropMostTold(): void {
    let worst: string | undefined;
    let sent = -1;
    for (const [key, item] of this.#items)
      if (item.sent > sent) {
        worst = key;
        sent = item.sent;
      }
    if (worst !== undefined) this.#items.delete(worst);
  }
}

function isContradiction(update: Update): boolean {
  return update.kind === 'alive' && update.version.counter > 0;
}

function urgency(update: Update, to: string): number {
  return update.id === to ? 2 : isContradiction(update) ? 1 : 0;
}
