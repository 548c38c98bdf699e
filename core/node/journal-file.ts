/**
 * An append-only journal on disk (protocol.md §2.10): framing and recovery come from `core/journal`, this file moves the
 * bytes. Appends reach the kernel at once and the disk when the caller says so.
 * Must never go on after a failed write or fsync: from then on every call is the same fault.
 */
import * as fs from 'node:fs';
import { JOURNAL_BYTES_MAX, JOURNALS_ASIDE_MAX } from '#core/journal/limits.ts';
import type { Checksum } from '#core/journal/record.ts';
import { encodeBatches } from '#core/journal/record.ts';
import { type Recovery, recoverJournal, salvageRecords } from '#core/journal/recovery.ts';
import { concat } from '#core/bytes/bytes.ts';
import { Fault } from '#core/errors/fault.ts';
import { type DiskCalls, attempt, moveAside, openForAppend, readAll, readWholeFile, replaceFile, writeAll } from './disk.ts';

/** What was found when a journal was opened. */
export interface JournalOpened {
  readonly journal: JournalFile;
  /** Payloads in order, as far as they were whole. */
  readonly records: readonly Uint8Array[];
  /** `torn`: an unfinished end was cut off (event STATE_TAIL_REPAIRED). `corrupt`: the damaged file was moved aside and the node is degraded. */
  readonly state: Recovery['state'];
  /** Bytes that were cut off or lie unreachable in the file that was moved aside. */
  readonly bytesLost: number;
  /** Where the damaged file went, when the state is `corrupt`. */
  readonly movedTo: string | null;
  /** Where records from behind the damage were salvaged: how many precede it; else null. */
  readonly unreadableAt: number | null;
}

/**
 * Open or create a journal, repairing what can be repaired.
 * @param salvage also take the whole records behind a damage: for records that prove themselves one by one
 */
export function openJournal(path: string, checksum: Checksum, calls: DiskCalls = fs, salvage = false): JournalOpened {
  const descriptor = openForAppend(path, calls);
  const bytes = attempt('read', path, () => readAll(path, descriptor, JOURNAL_BYTES_MAX, calls));
  const recovery = recoverJournal(checksum, bytes);
  const bytesLost = bytes.length - recovery.validBytes;
  if (recovery.state === 'corrupt') {
    calls.closeSync(descriptor);
    const movedTo = freeName(path, calls);
    moveAside(path, movedTo, calls);
    const journal = new JournalFile(path, checksum, openForAppend(path, calls), 0, calls);
    const behind = salvage ? salvageRecords(checksum, bytes, recovery.validBytes) : [];
    const records = [...recovery.records, ...behind];
    journal.rewrite(records);
    return { journal, records, state: 'corrupt', bytesLost, movedTo, unreadableAt: salvage ? recovery.records.length : null };
  }
  if (recovery.state === 'torn') {
    attempt('write', path, () => {
      calls.ftruncateSync(descriptor, recovery.validBytes);
      calls.fsyncSync(descriptor);
    });
  }
  return {
    journal: new JournalFile(path, checksum, descriptor, recovery.validBytes, calls),
    records: recovery.records,
    state: recovery.state,
    bytesLost,
    movedTo: null,
    unreadableAt: null,
  };
}

/**
 * Invariants: the file holds whole records up to `bytes`; at most the last of them is not confirmed by the disk, so that a
 * power cut leaves a torn tail and never a hole; after a fault nothing is written any more.
 */
export class JournalFile {
  readonly path: string;
  readonly #checksum: Checksum;
  readonly #calls: DiskCalls;
  #descriptor: number;
  #bytes: number;
  #unsynced = false;
  #closed = false;
  #fault: Fault | undefined;

  constructor(path: string, checksum: Checksum, descriptor: number, bytes: number, calls: DiskCalls = fs) {
    this.path = path;
    this.#checksum = checksum;
    this.#descriptor = descriptor;
    this.#bytes = bytes;
    this.#calls = calls;
  }

  /** Size of the file; its owner compacts it. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Append records, as one where they fit; durable only after {@link sync}. */
  append(...payloads: readonly Uint8Array[]): void {
    for (const record of encodeBatches(this.#checksum, payloads)) {
      this.sync();
      this.#guard(() => {
        writeAll(this.#descriptor, record, this.#calls, this.#bytes);
        this.#bytes += record.length;
        this.#unsynced = true;
      });
    }
  }

  /** Have the disk confirm everything appended; does nothing when there is nothing new. */
  sync(): void {
    if (!this.#unsynced && this.#fault === undefined) return;
    this.#guard(() => {
      this.#calls.fdatasyncSync(this.#descriptor);
      this.#unsynced = false;
    });
  }

  /** Replace all records, all or nothing and durably: compaction. */
  rewrite(payloads: readonly Uint8Array[]): void {
    this.#guard(() => {
      const bytes = concat(...encodeBatches(this.#checksum, payloads));
      replaceFile(this.path, bytes, undefined, this.#calls);
      this.#calls.closeSync(this.#descriptor);
      this.#descriptor = openForAppend(this.path, this.#calls);
      this.#bytes = bytes.length;
      this.#unsynced = false;
    });
  }

  /** The same, where the file as it stands is to be looked at later: it is kept beside first. */
  rewriteKeeping(payloads: readonly Uint8Array[]): void {
    this.#guard(() => {
      const bytes = readWholeFile(this.path, JOURNAL_BYTES_MAX, this.#calls);
      if (bytes !== undefined) replaceFile(freeName(this.path, this.#calls), bytes, undefined, this.#calls);
    });
    this.rewrite(payloads);
  }

  /** Sync and close, once. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#fault === undefined) this.sync();
    } finally {
      this.#calls.closeSync(this.#descriptor);
      this.#fault ??= new Fault('RN-MESH-102', `${this.path} has been closed`);
    }
  }

  #guard(action: () => void): void {
    if (this.#fault !== undefined) throw this.#fault;
    try {
      attempt('write', this.path, action);
    } catch (error) {
      this.#fault = error instanceof Fault ? error : new Fault('RN-MESH-102', `${this.path} cannot be written`, { cause: error });
      throw error;
    }
  }
}

/** `journal.corrupt-1`, `-2`, …: earlier damage is kept as it was. */
function freeName(path: string, calls: DiskCalls): string {
  for (let number = 1; number <= JOURNALS_ASIDE_MAX; number += 1) {
    const name = `${path}.corrupt-${String(number)}`;
    if (calls.lstatSync(name, { throwIfNoEntry: false }) === undefined) return name;
  }
  return `${path}.corrupt-${String(JOURNALS_ASIDE_MAX)}`; // the newest damage replaces the one before
}
