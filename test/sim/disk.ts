/**
 * The disk of a simulated machine: what the driver keeps there (mesh/driver/node-state.ts), with the one property that
 * matters for histories: what was written and not yet confirmed may be gone after a power cut, from any point on. Journals
 * are recovered to their last whole record; that half-written records are recognised is proved elsewhere (core/journal).
 */
import type { Rng } from '#core/random/random.ts';
import type { Identity } from '#mesh/hcth/identity-file.ts';
import type { StoredIncarnation } from '#mesh/hcth/incarnation.ts';
import type { CachedAddress, DocumentName, Persist } from '#mesh/swarm/step.ts';

/** Everything on a disk at one instant. Records are never changed once written, so images share them. */
export interface DiskImage {
  readonly ledger: readonly Uint8Array[];
  readonly peers: ReadonlyMap<string, Uint8Array>;
  readonly statements: readonly Uint8Array[];
  readonly documents: ReadonlyMap<DocumentName, Uint8Array>;
  readonly evidence: ReadonlyMap<string, Uint8Array>;
  readonly incarnation: StoredIncarnation | null;
  /** The file with the keys; null before the first start. */
  readonly identity: Identity | null;
}

export const EMPTY_DISK: DiskImage = {
  ledger: [],
  peers: new Map(),
  statements: [],
  documents: new Map(),
  evidence: new Map(),
  incarnation: null,
  identity: null,
};

/** A write that the disk has taken and not confirmed. */
type Unconfirmed =
  { readonly file: 'peers'; readonly key: string; readonly record: Uint8Array | null } | { readonly file: 'statements'; readonly record: Uint8Array };

/** See the header. */
export class Disk {
  ledger: Uint8Array[];
  readonly documents: Map<DocumentName, Uint8Array>;
  readonly evidence: Map<string, Uint8Array>;
  readonly #peers: Map<string, Uint8Array>;
  #statements: Uint8Array[];
  #incarnation: StoredIncarnation | null;
  #identity: Identity | null;
  #unconfirmed: Unconfirmed[] = [];
  /** A power cut leaves nothing that was not confirmed; otherwise chance says how much of it. */
  losesAll = false;
  /** Writes so far, and how many of them a power cut has taken. */
  writes = 0;
  lost = 0;

  constructor(image: DiskImage) {
    this.ledger = [...image.ledger];
    this.#peers = new Map(image.peers);
    this.#statements = [...image.statements];
    this.documents = new Map(image.documents);
    this.evidence = new Map(image.evidence);
    this.#incarnation = image.incarnation;
    this.#identity = image.identity;
  }

  get incarnation(): StoredIncarnation | null {
    return this.#incarnation;
  }

  /** What a process reads: the page cache knows what the disk does not yet. */
  image(): DiskImage {
    const peers = new Map(this.#peers);
    const statements = [...this.#statements];
    for (const write of this.#unconfirmed) {
      if (write.file === 'statements') statements.push(write.record);
      else if (write.record === null) peers.delete(write.key);
      else peers.set(write.key, write.record);
    }
    return {
      ledger: [...this.ledger],
      peers,
      statements,
      documents: new Map(this.documents),
      evidence: new Map(this.evidence),
      incarnation: this.#incarnation,
      identity: this.#identity,
    };
  }

  get identity(): Identity | null {
    return this.#identity;
  }

  /** One file, replaced as a whole and confirmed. */
  writeIdentity(identity: Identity): void {
    this.writes += 1;
    this.#identity = identity;
  }

  /** The two-slot file: confirmed and read back before anything is signed. */
  writeIncarnation(stored: StoredIncarnation): void {
    this.writes += 1;
    this.#incarnation = stored;
  }

  /** Perform the writes of one step, in order. */
  write(records: readonly Persist[]): void {
    for (const record of records) {
      this.writes += 1;
      switch (record.kind) {
        case 'ledger':
          this.ledger.push(record.record.slice());
          break;
        case 'ledger-rewrite':
          this.ledger = record.records.map((bytes) => bytes.slice());
          break;
        case 'peer':
          this.#unconfirmed.push({ file: 'peers', key: record.key, record: record.record?.slice() ?? null });
          if (record.urgent) this.#confirm('peers');
          break;
        case 'statement':
          this.#unconfirmed.push({ file: 'statements', record: record.record.slice() });
          if (record.durable) this.#confirm('statements');
          break;
        case 'statements-rewrite':
          this.#confirm('statements');
          this.#statements.splice(0, this.#statements.length, ...record.records.map((bytes) => bytes.slice()));
          break;
        case 'evidence':
          if (record.record === null) this.evidence.delete(record.name);
          else this.evidence.set(record.name, record.record.slice());
          break;
        case 'document':
          if (record.record === null) this.documents.delete(record.name);
          else this.documents.set(record.name, record.record.slice());
          break;
        case 'forget-mesh':
          this.ledger = [];
          this.#peers.clear();
          this.#unconfirmed = [];
          this.documents.clear();
          break;
      }
    }
  }

  /** The power goes: of each file's unconfirmed writes a beginning is there. */
  powerCut(rng: Rng): void {
    for (const file of ['peers', 'statements'] as const) {
      const waiting = this.#unconfirmed.filter((write) => write.file === file);
      const kept = this.losesAll ? 0 : Math.floor(rng.next() * (waiting.length + 1));
      this.lost += waiting.length - kept;
      this.#unconfirmed = [...waiting.slice(0, kept), ...this.#unconfirmed.filter((write) => write.file !== file)];
      this.#confirm(file);
    }
  }

  /** Confirming one write of a file confirms all that were written to it before. */
  #confirm(file: Unconfirmed['file']): void {
    for (const write of this.#unconfirmed) {
      if (write.file !== file) continue;
      if (write.file === 'statements') this.#statements.push(write.record);
      else if (write.record === null) this.#peers.delete(write.key);
      else this.#peers.set(write.key, write.record);
    }
    this.#unconfirmed = this.#unconfirmed.filter((write) => write.file !== file);
  }
}

/** The cache of addresses as the driver reads it. */
export function peerCacheOf(image: DiskImage): readonly CachedAddress[] {
  const bytes = image.documents.get('peer-cache');
  if (bytes === undefined) return [];
  const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
  return Array.isArray(value) ? (value as readonly CachedAddress[]) : [];
}
