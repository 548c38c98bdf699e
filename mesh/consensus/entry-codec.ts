/**
 * The bytes of a log entry: one RMP array by position, signed by the voter under `HCTH1:log`. Bytes are signed and
 * verified as they travel; nothing is encoded again before it is checked.
 */
import { concat, utf8 } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { packObject, unpackObject } from '#mesh/hcth/packed-object.ts';
import { CONFIG_LIMITS } from './config/limits.ts';
import { LOG_LIMITS as LIMITS } from './limits.ts';
import type { LogEntry, LogMessage, SealedEntry } from './log.ts';

/** What a voter's signature over an entry covers in front of the bytes. */
export const ENTRY_LABEL = concat(utf8('HCTH1:log'), new Uint8Array(1));

const VERSION = 1;
const KIND_BYTES_MAX = 32;
const FIELDS = 10;

/** Encode and sign. */
export function sealEntry(crypto: CryptoPort, key: SignKey, entry: LogEntry): SealedEntry {
  const writer = new RmpWriter(entry.body.length + 256);
  writer.arrayHead(FIELDS);
  writer.int(VERSION);
  writer.int(entry.index);
  writer.int(entry.term);
  writer.bin(entry.previous);
  writer.str(entry.kind);
  writer.bin(entry.body);
  writer.bin(entry.key.aid);
  writer.arrayHead(2);
  writer.int(entry.key.incarnation);
  writer.int(entry.key.request);
  writer.int(entry.at);
  writer.bin(entry.voter);
  const bytes = writer.copy();
  return { entry, bytes, signature: crypto.sign(key, ENTRY_LABEL, bytes), digest: crypto.sha256(ENTRY_LABEL, bytes) };
}

/** Decode what somebody sent; the signature is not looked at. `undefined` where it is no entry. */
export function openEntry(crypto: CryptoPort, bytes: Uint8Array, signature: Uint8Array): SealedEntry | undefined {
  const reader = new RmpReader(bytes);
  if (reader.arrayHead() !== FIELDS || reader.uint(VERSION) !== VERSION) return undefined;
  const index = reader.uint();
  const term = reader.uint();
  const previous = reader.bin(32);
  const kind = reader.str(KIND_BYTES_MAX);
  const body = reader.bin();
  const aid = reader.bin(32);
  const pair = reader.arrayHead();
  const incarnation = reader.uint();
  const request = reader.uint();
  const at = reader.uint();
  const voter = reader.bin(32);
  if (index === undefined || index < 1 || term === undefined || previous === undefined || kind === undefined || body === undefined) return undefined;
  if (aid === undefined || pair !== 2 || incarnation === undefined || request === undefined || at === undefined || voter === undefined) return undefined;
  if (!reader.atEnd || body.length > LIMITS.bodyBytesMax || signature.length !== 64) return undefined;
  // The bytes are views into a received record; what is kept must be ours.
  const own = bytes.slice();
  const entry: LogEntry = {
    index,
    term,
    previous: previous.slice(),
    kind,
    body: body.slice(),
    key: { aid: aid.slice(), incarnation, request },
    at,
    voter: voter.slice(),
  };
  return { entry, bytes: own, signature: signature.slice(), digest: crypto.sha256(ENTRY_LABEL, own) };
}

/** Whether the entry is signed by this key. */
export function verifyEntry(crypto: CryptoPort, key: Uint8Array | undefined, sealed: SealedEntry): boolean {
  return key !== undefined && crypto.verify(key, sealed.signature, ENTRY_LABEL, sealed.bytes);
}

/** One entry as stored in the ledger file or carried inside a message. */
export function packEntry(sealed: Pick<SealedEntry, 'bytes' | 'signature'>): Uint8Array {
  return packObject({ body: sealed.bytes, sig: sealed.signature });
}

/** The counterpart of {@link packEntry}. */
export function unpackEntry(crypto: CryptoPort, record: Uint8Array): SealedEntry | undefined {
  const object = unpackObject(record, record.length);
  return object === undefined ? undefined : openEntry(crypto, object.body, object.sig);
}

const APPEND = 1;
const FETCH = 2;
const COMMITTED = 3;

/** Body of a RAFT message. */
export function encodeLogMessage(message: LogMessage): Uint8Array {
  const writer = new RmpWriter(256);
  if (message.kind === 'fetch') {
    writer.arrayHead(2);
    writer.int(FETCH);
    writer.int(message.from);
    return writer.copy();
  }
  if (message.kind === 'committed') {
    writer.arrayHead(5);
    writer.int(COMMITTED);
    writer.int(message.term);
    writer.int(message.commit);
    writer.bin(message.digest);
    if (message.leader === null) writer.nil();
    else writer.str(message.leader);
    return writer.copy();
  }
  writer.arrayHead(4);
  writer.int(APPEND);
  writer.int(message.term);
  writer.int(message.commit);
  writer.arrayHead(message.entries.length);
  for (const { bytes, signature } of message.entries) {
    writer.arrayHead(2);
    writer.bin(bytes);
    writer.bin(signature);
  }
  return writer.copy();
}

/** The counterpart of {@link encodeLogMessage}; `undefined` where it is none. */
export function decodeLogMessage(body: Uint8Array): LogMessage | undefined {
  const reader = new RmpReader(body);
  const fields = reader.arrayHead();
  const kind = reader.uint(COMMITTED);
  if (kind === FETCH && fields === 2) {
    const from = reader.uint();
    return from === undefined || !reader.atEnd ? undefined : { kind: 'fetch', from };
  }
  if (kind === COMMITTED && fields === 5) {
    const [told, upTo] = [reader.uint(), reader.uint()];
    const digest = reader.bin(32);
    const leader = reader.nil() ? null : reader.str(CONFIG_LIMITS.idBytesMax);
    if (told === undefined || upTo === undefined || digest === undefined || leader === undefined || !reader.atEnd) return undefined;
    return { kind: 'committed', term: told, commit: upTo, digest: digest.slice(), leader };
  }
  if (kind !== APPEND || fields !== 4) return undefined;
  const term = reader.uint();
  const commit = reader.uint();
  const count = reader.arrayHead();
  if (term === undefined || commit === undefined || count === undefined || count > LIMITS.appendEntriesMax) return undefined;
  const entries: { bytes: Uint8Array; signature: Uint8Array }[] = [];
  for (let index = 0; index < count; index += 1) {
    if (reader.arrayHead() !== 2) return undefined;
    const bytes = reader.bin();
    const signature = reader.bin(64);
    if (bytes === undefined || signature === undefined) return undefined;
    entries.push({ bytes, signature });
  }
  return reader.atEnd ? { kind: 'append', entries, term, commit } : undefined;
}
