/**
 * Everything a node keeps on disk, behind one door (protocol.md §2.10): what is read at start, and how each kind of
 * record is written. Writes are synchronous and confirmed where the protocol says "before": the driver performs them
 * before anything is sent. A failed write is a fault that ends the node; it never goes on with a memory it cannot keep.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { textOf } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { type DiskCalls, ensureDirectory, moveAside, readWholeFile, removeFile, replaceFile } from '#core/node/disk.ts';
import { type JournalFile, openJournal } from '#core/node/journal-file.ts';
import { JOURNAL_BYTES_MAX } from '#core/journal/limits.ts';
import { recoverJournal } from '#core/journal/recovery.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { unwrapDocument, wrapDocument } from '#core/journal/document.ts';
import type { Sealer } from '#mesh/hcth/log-seal.ts';
import { pruneStatements } from '#mesh/hcth/own-statements.ts';
import type { CachedAddress, DocumentName, Persist, StoredEvidence } from '#mesh/swarm/step.ts';
import { readEvidence, writeEvidence } from './evidence-store.ts';
import { DRIVER_LIMITS as LIMITS } from './limits.ts';

const DOCUMENT_BYTES_MAX = 1_048_576;
const DOCUMENT_FILES: Readonly<Record<DocumentName, string>> = {
  membership: 'membership',
  intent: 'intent',
  'token-secrets': 'token-secrets',
  'peer-cache': 'peer-cache.json',
};

/** For people to read, and nothing is decided by it: no checksum. */
const PLAIN: ReadonlySet<DocumentName> = new Set(['peer-cache']);

/** Something found damaged at start, for the event stream. */
export interface Repair {
  readonly code: 'STATE_TAIL_REPAIRED' | 'STATE_DEGRADED';
  readonly text: string;
}

/** See the header. */
export class NodeState {
  readonly folder: string;
  /** The disk; the identity beside the records goes through it too. */
  readonly calls: DiskCalls;
  /** The identity that runs on this state; null before it does. */
  owner: Uint8Array | null = null;
  readonly repairs: Repair[] = [];
  /** Seals what is pruned of the statements; nothing is pruned without. */
  sealer: Sealer | null = null;
  /** How many statements precede bytes that cannot be read; null where all can. */
  statementsUnreadableAt: number | null;
  readonly #crypto: CryptoPort;
  readonly #ledger: JournalFile;
  readonly #peers: JournalFile;
  readonly #statements: JournalFile;
  #ledgerRecords: Uint8Array[];
  readonly #peerRecords = new Map<string, Uint8Array>();
  #statementRecords: readonly Uint8Array[];
  readonly #documents = new Map<DocumentName, Uint8Array>();

  constructor(folder: string, crypto: CryptoPort, calls: DiskCalls = fs) {
    this.folder = folder;
    this.calls = calls;
    this.#crypto = crypto;
    ensureDirectory(folder, undefined, calls);
    const open = (name: string, salvage = false): { journal: JournalFile; records: Uint8Array[]; unreadableAt: number | null } => {
      const opened = openJournal(join(folder, name), crypto, calls, salvage);
      if (opened.state === 'torn')
        this.repairs.push({ code: 'STATE_TAIL_REPAIRED', text: `${name}: an unfinished end of ${opened.bytesLost} bytes was cut off` });
      if (opened.state === 'corrupt')
        this.repairs.push({
          code: 'STATE_DEGRADED',
          text: `${name} is damaged; ${opened.bytesLost} bytes are unreadable, the file was kept as ${opened.movedTo ?? 'nothing'}`,
        });
      const { journal, records, unreadableAt } = opened;
      return { journal, records: records.map((record) => record.slice()), unreadableAt };
    };
    const ledger = open('ledger.journal');
    const peers = open('peers.journal');
    // Each statement proves itself, so what lies behind a damage still counts; a ledger only counts as far as it is whole.
    const statements = open('statements.journal', true);
    this.statementsUnreadableAt = statements.unreadableAt;
    this.#ledger = ledger.journal;
    this.#ledgerRecords = ledger.records;
    this.#peers = peers.journal;
    this.#statements = statements.journal;
    this.#statementRecords = statements.records;
    for (const record of peers.records) rememberPeer(this.#peerRecords, record);
    for (const name of Object.keys(DOCUMENT_FILES) as DocumentName[]) this.#readDocument(name);
  }

  get ledger(): readonly Uint8Array[] {
    return this.#ledgerRecords;
  }

  get peers(): readonly Uint8Array[] {
    return [...this.#peerRecords.values()];
  }

  /** Own statements, oldest first; boot events among them. */
  get statements(): readonly Uint8Array[] {
    return this.#statementRecords;
  }

  document(name: DocumentName): Uint8Array | null {
    return this.#documents.get(name) ?? null;
  }

  /** The evidence store; each piece is verified again before it counts. */
  evidence(): readonly StoredEvidence[] {
    return readEvidence(this.folder, this.calls);
  }

  /** Where members were last reached; nothing is decided by it, so an unreadable one is simply empty. */
  peerCache(): readonly CachedAddress[] {
    const bytes = this.document('peer-cache');
    const text = bytes === null ? undefined : textOf(bytes);
    return text === undefined ? [] : parseCache(text);
  }

  /** The newest record of one peer as the disk has it now, whatever was read or written before; null for none that reads. */
  readPeer(key: string): Uint8Array | null {
    const bytes = readWholeFile(this.#peers.path, JOURNAL_BYTES_MAX, this.calls);
    if (bytes === undefined) return null;
    const newest = new Map<string, Uint8Array>();
    for (const packed of recoverJournal(this.#crypto, bytes).records) rememberPeer(newest, packed);
    return newest.get(key) ?? null;
  }

  /** Write everything that one step wants durable; returns when the disk has confirmed what must be. */
  persist(records: readonly Persist[]): void {
    const ledger: Uint8Array[] = [];
    const peers: Uint8Array[] = [];
    const statements: Uint8Array[] = [];
    let statementsUrgent = false;
    // Journals first, each with one append and one confirmation: documents may speak of what stands in them.
    for (const record of records) {
      if (record.kind === 'ledger') ledger.push(record.record);
      if (record.kind === 'peer') peers.push(packPeer(record.key, record.record));
      if (record.kind === 'statement') statements.push(record.record);
      if (record.kind === 'statement') statementsUrgent ||= record.durable;
      if (record.kind === 'statements-rewrite') {
        this.#statements.rewriteKeeping(record.records);
        this.#statementRecords = [...record.records];
        this.statementsUnreadableAt = null;
      }
      if (record.kind === 'ledger-rewrite') {
        // What was to be appended before it stands in it.
        ledger.length = 0;
        this.#ledger.rewrite(record.records);
        this.#ledgerRecords = [...record.records];
      }
    }
    this.#ledger.append(...ledger);
    this.#ledgerRecords.push(...ledger);
    this.#ledger.sync();
    this.#peers.append(...peers);
    for (const packed of peers) rememberPeer(this.#peerRecords, packed);
    this.#peers.sync();
    this.#statements.append(...statements);
    this.#statementRecords = [...this.#statementRecords, ...statements];
    this.#pruneStatements();
    if (statementsUrgent) this.#statements.sync();
    for (const record of records) {
      switch (record.kind) {
        case 'ledger':
        case 'ledger-rewrite':
        case 'statements-rewrite':
        case 'peer':
        case 'statement':
          break;
        case 'evidence':
          writeEvidence(this.folder, record.name, record.record, this.calls);
          break;
        case 'document':
          this.#writeDocument(record.name, record.record);
          break;
        case 'forget-mesh':
          this.forgetMesh();
          break;
      }
    }
    if (this.#peers.bytes >= LIMITS.journalBytesMax) this.#compactPeers();
  }

  /**
   * All that belongs to the mesh goes; identity, incarnation and evidence stay.
   * @param leaving whose departure this is: should the power go before {@link departed}, the next start finishes it
   */
  forgetMesh(leaving: Uint8Array | null = this.owner): void {
    if (leaving !== null) replaceFile(this.#leavingPath, wrapDocument(this.#crypto, leaving), undefined, this.calls);
    this.#ledger.rewrite([]);
    this.#ledgerRecords = [];
    this.#peers.rewrite([]);
    this.#peerRecords.clear();
    for (const name of Object.keys(DOCUMENT_FILES) as DocumentName[]) this.#writeDocument(name, null);
  }

  /** The identity that was leaving when the power went; undefined where none was. */
  get leaving(): Uint8Array | undefined {
    const bytes = readWholeFile(this.#leavingPath, DOCUMENT_BYTES_MAX, this.calls);
    return bytes === undefined ? undefined : (unwrapDocument(this.#crypto, bytes) ?? new Uint8Array(32));
  }

  /** Another identity has taken the place of the one that left. */
  departed(): void {
    removeFile(this.#leavingPath, this.calls);
  }

  get #leavingPath(): string {
    return join(this.folder, 'leaving');
  }

  /** The statements of an identity that is no longer used; kept in a file of their own where they may be asked about. */
  forgetStatements(aside: string | null = null): void {
    if (aside !== null) {
      const name = `statements.${aside}-${this.#statementRecords.length}.journal`;
      const { journal } = openJournal(join(this.folder, name), this.#crypto, this.calls);
      journal.rewrite(this.#statementRecords);
      journal.close();
    }
    this.#statements.rewrite([]);
    this.#statementRecords = [];
  }

  /** All journals are closed, also where one of them cannot be confirmed; that is then the fault. */
  close(): void {
    const faults: unknown[] = [];
    for (const journal of [this.#ledger, this.#peers, this.#statements]) {
      try {
        journal.close();
      } catch (error) {
        faults.push(error);
      }
    }
    if (faults.length > 0) throw faults[0];
  }

  #compactPeers(): void {
    this.#peers.rewrite([...this.#peerRecords].map(([key, record]) => packPeer(key, record)));
  }

  #pruneStatements(): void {
    if (this.sealer === null) return;
    const kept = pruneStatements(this.#crypto, this.sealer, this.#statementRecords);
    if (kept === this.#statementRecords) return;
    this.#statementRecords = kept;
    this.#statements.rewrite(kept);
  }

  #readDocument(name: DocumentName): void {
    const path = join(this.folder, DOCUMENT_FILES[name]);
    const bytes = readWholeFile(path, DOCUMENT_BYTES_MAX, this.calls);
    if (bytes === undefined) return;
    const contents = PLAIN.has(name) ? bytes : unwrapDocument(this.#crypto, bytes);
    if (contents !== undefined) {
      this.#documents.set(name, contents);
      return;
    }
    const aside = `${path}.damaged`;
    moveAside(path, aside, this.calls);
    this.repairs.push({ code: 'STATE_DEGRADED', text: `${DOCUMENT_FILES[name]} is damaged; the file was kept as ${aside}` });
  }

  #writeDocument(name: DocumentName, record: Uint8Array | null): void {
    const path = join(this.folder, DOCUMENT_FILES[name]);
    if (record === null) {
      removeFile(path, this.calls);
      this.#documents.delete(name);
      return;
    }
    replaceFile(path, PLAIN.has(name) ? record : wrapDocument(this.#crypto, record), undefined, this.calls);
    this.#documents.set(name, record.slice());
  }
}

function rememberPeer(newest: Map<string, Uint8Array>, packed: Uint8Array): void {
  const reader = new RmpReader(packed);
  const pair = reader.arrayHead();
  const key = reader.str(64);
  if (pair !== 2 || key === undefined) return;
  if (reader.nil()) newest.delete(key);
  else {
    const record = reader.bin();
    if (record !== undefined) newest.set(key, record.slice());
  }
}

function packPeer(key: string, record: Uint8Array | null): Uint8Array {
  const writer = new RmpWriter((record?.length ?? 0) + 80);
  writer.arrayHead(2);
  writer.str(key);
  if (record === null) writer.nil();
  else writer.bin(record);
  return writer.copy();
}

function parseCache(text: string): readonly CachedAddress[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  if (!Array.isArray(value)) return [];
  return value.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null || !('aid' in item) || !('host' in item) || !('port' in item)) return [];
    const { aid, host, port } = item;
    return typeof aid === 'string' && typeof host === 'string' && typeof port === 'number' && port > 0 && port < 65_536 ? [{ aid, host, port }] : [];
  });
}
