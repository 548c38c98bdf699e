/**
 * A node's own stored past, verified entry by entry (protocol.md §2.2, §2.10): each entry is signed by the identity and
 * names the one before it, so that whoever has the disk but not the key can change nothing unnoticed, whatever checksums
 * they write. The first bad entry is named by its place, and by what happened there. The end of a log proves nothing of
 * what was cut off behind it: that is for the peers to say, who hold what was signed last.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type Boot, bootDigest, decodeBoot, openBoot } from './boot-event.ts';
import type { Established } from './establishment.ts';
import { LABELS } from './labels.ts';
import { type LogItem, openSealBody, type Seal, type Sealer, sealGaps } from './log-seal.ts';
import { unpackStatement } from './own-statements.ts';
import type { DamageKind, PastDamage, PastPlace } from './past-damage.ts';
import { objectDigest, verifyObject } from './signed-object.ts';
import { decodeStatement, type Statement } from './statement-log.ts';

const NONE = new Uint8Array(32);

/** What verifying found. */
export interface OwnPast {
  /** The first bad entry; null for a sound log. */
  readonly damage: PastDamage | null;
  /** The log with what is left of it, a gap at every bad place. */
  readonly rest: readonly LogItem[];
}

type Entry =
  | { readonly kind: 'boot'; readonly digest: Uint8Array; readonly boot: Boot }
  | { readonly kind: 'statement'; readonly digest: Uint8Array; readonly statement: Statement }
  | { readonly kind: 'seal'; readonly seal: Seal }
  /** Of the identity that this machine had before: no keys to verify it with, but its successors name it. */
  | { readonly kind: 'foreign'; readonly of: 'boot' | 'statement' | 'seal'; readonly digest: Uint8Array }
  | { readonly kind: 'bad'; readonly place: PastPlace | null };

/**
 * Verify the records of the statement journal, oldest first.
 * @param unreadableAt how many of them precede bytes whose checksum does not hold; absent where all do
 */
export function verifyOwnPast(crypto: CryptoPort, self: Established, records: readonly Uint8Array[], unreadableAt?: number): OwnPast {
  const entries = records.map((record) => readEntry(crypto, self, record));
  const walk = new Walk(crypto, records, entries);
  for (const index of records.keys()) {
    if (index === unreadableAt) walk.unreadable(index);
    walk.visit(index);
  }
  if (unreadableAt === records.length) walk.unreadable(records.length);
  return { damage: walk.damage, rest: walk.rest };
}

/** The log as it goes on: what is missing is sealed. */
export function repairOwnPast(crypto: CryptoPort, sealer: Sealer, past: OwnPast): readonly Uint8Array[] {
  return sealGaps(crypto, sealer, past.rest);
}

function readEntry(crypto: CryptoPort, self: Established, record: Uint8Array): Entry {
  const object = unpackStatement(record);
  if (object === undefined) return { kind: 'bad', place: null };
  const boot = decodeBoot(object.body);
  if (boot !== undefined) {
    const digest = bootDigest(crypto, object);
    if (!bytesEqual(boot.aid, self.aid)) return { kind: 'foreign', of: 'boot', digest };
    return openBoot(crypto, self, object) === undefined ? { kind: 'bad', place: placeOf(boot) } : { kind: 'boot', digest, boot };
  }
  const signedAs = (label: typeof LABELS.statement | typeof LABELS.seal): boolean => self.signKeys.some((key) => verifyObject(crypto, key, label, object));
  const statement = decodeStatement(object.body);
  if (statement !== undefined) {
    const digest = objectDigest(crypto, LABELS.statement, object.body);
    if (!bytesEqual(statement.aid, self.aid)) return { kind: 'foreign', of: 'statement', digest };
    return signedAs(LABELS.statement) ? { kind: 'statement', digest, statement } : { kind: 'bad', place: placeOf(statement) };
  }
  const seal = openSealBody(object.body);
  if (seal === undefined) return { kind: 'bad', place: null };
  if (!bytesEqual(seal.aid, self.aid)) return { kind: 'foreign', of: 'seal', digest: NONE };
  return signedAs(LABELS.seal) ? { kind: 'seal', seal } : { kind: 'bad', place: null };
}

function placeOf(entry: Boot | Statement): PastPlace {
  return { incarnation: entry.incarnation, number: 'number' in entry ? entry.number : 0 };
}

/** Goes from entry to entry; null stands for "not known, because a gap lies in between". */
class Walk {
  damage: PastDamage | null = null;
  readonly rest: LogItem[] = [];
  readonly #crypto: CryptoPort;
  readonly #records: readonly Uint8Array[];
  readonly #entries: readonly Entry[];
  readonly #present = new Set<string>();
  #boot: Uint8Array | null = NONE;
  #statement: Uint8Array | null = NONE;
  /** The life under way and its newest entry; `begun` when its boot event was seen. */
  #life: { readonly incarnation: number; readonly nonce: Uint8Array; readonly begun: boolean } | null = null;
  #tip: { readonly number: number; readonly digest: Uint8Array } | null = null;
  /** The highest incarnation of a boot event; the one that the next has to exceed, 0 behind a seal. */
  #incarnation = 0;
  #above = 0;
  #own = false;
  /** What a seal says of the record behind it. */
  #next: Uint8Array | null = null;
  #before: Uint8Array = NONE;
  readonly #seen = new Set<string>();

  constructor(crypto: CryptoPort, records: readonly Uint8Array[], entries: readonly Entry[]) {
    this.#crypto = crypto;
    this.#records = records;
    this.#entries = entries;
    for (const entry of entries) if ('digest' in entry) this.#present.add(textOf(entry.digest));
  }

  visit(index: number): void {
    const [entry, record] = [this.#entries[index], this.#records[index]];
    if (entry === undefined || record === undefined) return;
    const digest = this.#crypto.sha256(record);
    const sealed = this.#next;
    this.#next = null;
    if (entry.kind === 'bad' || (entry.kind === 'foreign' && this.#own)) {
      const place = entry.kind === 'bad' ? entry.place : null;
      this.#note('edited', index, place ?? this.#placeBefore(index + 1) ?? this.#placeHere(), { missing: this.#namedBy(index + 1), found: digest });
      this.#forget();
      this.rest.push({ kind: 'gap', gone: [record] });
      this.#before = digest;
      return;
    }
    if (sealed !== null && !bytesEqual(sealed, digest)) this.#gapBefore(index, NONE);
    if ('digest' in entry && entry.kind !== 'foreign' && this.#seen.has(textOf(entry.digest))) {
      // It stands here a second time: where it stood first it may be right, here it says nothing.
      this.#gapBefore(index, entry.digest, 'reordered');
      this.rest.push({ kind: 'gap', gone: [record] });
      this.#before = digest;
      return;
    }
    switch (entry.kind) {
      case 'foreign':
        this.#passForeign(entry);
        break;
      case 'seal':
        if (!bytesEqual(entry.seal.before, this.#before) && this.rest.at(-1)?.kind !== 'gap') this.#gapBefore(index, NONE);
        this.#forget();
        this.#above = 0;
        this.#next = entry.seal.after;
        break;
      case 'boot':
        this.#onBoot(index, entry);
        break;
      case 'statement':
        this.#onStatement(index, entry);
        break;
    }
    // A seal may stand for entries of the identity before, so more of those may follow it.
    if (entry.kind !== 'foreign' && entry.kind !== 'seal') this.#own = true;
    if ('digest' in entry) this.#seen.add(textOf(entry.digest));
    this.rest.push({ kind: 'entry', record });
    this.#before = digest;
  }

  /** Bytes lie here whose checksum does not hold. */
  unreadable(index: number): void {
    this.#note('unreadable', index, this.#placeBefore(index) ?? this.#placeHere(), { missing: this.#namedBy(index), found: NONE });
    this.#forget();
    this.#next = null;
    this.rest.push({ kind: 'gap', gone: [] });
  }

  #onBoot(index: number, { boot, digest }: Extract<Entry, { kind: 'boot' }>): void {
    if (boot.incarnation <= this.#above) this.#gapBefore(index, boot.previousBoot, 'reordered');
    else if (this.#boot !== null && !bytesEqual(boot.previousBoot, this.#boot)) this.#gapBefore(index, boot.previousBoot);
    else if (this.#statement !== null && !bytesEqual(boot.previousStatement, this.#statement)) this.#gapBefore(index, boot.previousStatement);
    this.#boot = boot.incarnation > this.#incarnation ? digest : this.#boot;
    this.#incarnation = Math.max(this.#incarnation, boot.incarnation);
    this.#above = Math.max(this.#above, boot.incarnation);
    this.#statement = boot.previousStatement;
    this.#life = { incarnation: boot.incarnation, nonce: boot.nonce, begun: true };
    this.#tip = { number: 0, digest };
  }

  #onStatement(index: number, { statement, digest }: Extract<Entry, { kind: 'statement' }>): void {
    const life = this.#life;
    const { incarnation, nonce, number, previous } = statement;
    this.#statement = digest;
    const here = life !== null && life.incarnation === incarnation && bytesEqual(life.nonce, nonce);
    if (here) {
      const follows = this.#tip === null || (number === this.#tip.number + 1 && bytesEqual(previous, this.#tip.digest));
      if (!follows) this.#gapBefore(index, previous);
    } else if (life !== null && incarnation < life.incarnation)
      return; // Given back by a peer in a later life (P-10): it stands outside of the chain.
    else if (life === null && incarnation < this.#incarnation) return;
    else if (life?.begun === true || this.#boot !== null) this.#gapBefore(index, previous);
    if (!here) this.#life = { incarnation, nonce, begun: false };
    this.#tip = { number, digest };
  }

  #passForeign({ of, digest }: Extract<Entry, { kind: 'foreign' }>): void {
    if (of === 'seal') return this.#forget();
    if (of === 'boot') this.#boot = digest;
    else this.#statement = digest;
  }

  /** Something is missing before this entry: it was dropped, or it stands elsewhere. */
  #gapBefore(index: number, missing: Uint8Array, kind: DamageKind = this.#present.has(textOf(missing)) ? 'reordered' : 'dropped'): void {
    const here = this.#entries[index];
    const own = here?.kind === 'boot' ? placeOf(here.boot) : here?.kind === 'statement' ? placeOf(here.statement) : null;
    const place = kind === 'reordered' ? own : (this.#placeBefore(index) ?? own);
    this.#note(kind, index, place ?? this.#placeHere(), { missing, found: this.#crypto.sha256(this.#records[index] ?? NONE) });
    if (this.rest.at(-1)?.kind !== 'gap') this.rest.push({ kind: 'gap', gone: [] });
  }

  #note(kind: DamageKind, index: number, place: PastPlace, { missing, found }: { readonly missing: Uint8Array; readonly found: Uint8Array }): void {
    this.damage ??= { kind, index, place, missing, found };
  }

  #forget(): void {
    [this.#boot, this.#statement, this.#life, this.#tip] = [null, null, null, null];
  }

  /** What the entry at `index` says of the place before it. */
  #placeBefore(index: number): PastPlace | undefined {
    const entry = this.#entries[index];
    if (entry?.kind === 'statement') return { incarnation: entry.statement.incarnation, number: entry.statement.number - 1 };
    if (entry?.kind !== 'boot') return undefined;
    const bootMissing = this.#boot !== null && !bytesEqual(entry.boot.previousBoot, this.#boot);
    if (bootMissing) return { incarnation: entry.boot.incarnation - 1, number: 0 };
    return this.#life === null ? undefined : this.#placeHere();
  }

  /** The place that the next entry of the life under way has. */
  #placeHere(): PastPlace {
    return { incarnation: this.#life?.incarnation ?? this.#incarnation, number: (this.#tip?.number ?? 0) + 1 };
  }

  #namedBy(index: number): Uint8Array {
    const entry = this.#entries[index];
    if (entry?.kind === 'statement') return entry.statement.previous;
    if (entry?.kind === 'boot')
      return this.#boot !== null && !bytesEqual(entry.boot.previousBoot, this.#boot) ? entry.boot.previousBoot : entry.boot.previousStatement;
    return NONE;
  }
}

function textOf(digest: Uint8Array): string {
  return digest.join(',');
}
