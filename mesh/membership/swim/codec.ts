/**
 * The bytes of what members say to each other about who is there (docs/protocols/membership.md §3): bodies of GOSSIP on the
 * topic PRESENCE, one RMP array by position each, in one spelling. Every count is checked before anything is made of it.
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { AID_BYTES, aidText, parseAid } from '#mesh/hcth/identity-text.ts';
import { assert } from '#core/errors/assert.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import type { RowTold, SwimMessage, Update } from './messages.ts';
import type { Version } from './version.ts';

const KINDS = ['probe', 'ack', 'ask', 'nack', 'news', 'digest', 'rows'] as const satisfies readonly SwimMessage['kind'][];
const UPDATE_KINDS = ['alive', 'accuse', 'farewell'] as const satisfies readonly Update['kind'][];
const ROW_STATES = ['here', 'down', 'stopped', 'left'] as const satisfies readonly RowTold['state'][];
const HASH_BYTES = 4;
/** The head of a message of rows: more than it ever takes. */
const ROWS_HEAD_BYTES = 32;

/**
 * Encode. @param bytesMax what may be sent at once; rows that do not fit are left out (the next comparison begins elsewhere
 * and brings them), all else is shorter than 2 200 bytes
 */
export function encodeSwimMessage(message: SwimMessage, bytesMax: number = LIMITS.messageBytesMax): Uint8Array {
  const writer = new RmpWriter(256);
  const kind = KINDS.indexOf(message.kind);
  switch (message.kind) {
    case 'probe':
    case 'ack':
    case 'nack':
      writer.arrayHead(3);
      writer.int(kind);
      writer.int(message.number);
      writeUpdates(writer, message.updates);
      break;
    case 'ask':
      writer.arrayHead(4);
      writer.int(kind);
      writer.int(message.number);
      writeId(writer, message.target);
      writeUpdates(writer, message.updates);
      break;
    case 'news':
      writer.arrayHead(2);
      writer.int(kind);
      writeUpdates(writer, message.updates);
      break;
    case 'digest':
      writer.arrayHead(3);
      writer.int(kind);
      writer.int(message.members);
      writer.bin(hashBytes(message.hashes));
      break;
    case 'rows':
      writer.arrayHead(4);
      writer.int(kind);
      writer.int(message.answer ? 1 : 0);
      writer.arrayHead(message.buckets.length);
      for (const bucket of message.buckets) writer.int(bucket);
      writeRows(writer, message.rows, bytesMax - ROWS_HEAD_BYTES);
  }
  return writer.copy();
}

/** The counterpart of {@link encodeSwimMessage}; undefined for anything that is not exactly one message within its limits. */
export function decodeSwimMessage(body: Uint8Array): SwimMessage | undefined {
  if (body.length > LIMITS.messageBytesMax) return undefined;
  const reader = new RmpReader(body);
  const fields = reader.arrayHead();
  const kind = KINDS[reader.uint(KINDS.length - 1) ?? KINDS.length];
  if (fields === undefined || kind === undefined) return undefined;
  const message = readFields(reader, kind, fields);
  return message !== undefined && reader.atEnd ? message : undefined;
}

function readFields(reader: RmpReader, kind: SwimMessage['kind'], fields: number): SwimMessage | undefined {
  switch (kind) {
    case 'probe':
    case 'ack':
    case 'nack': {
      const number = fields === 3 ? reader.uint() : undefined;
      const updates = number === undefined ? undefined : readUpdates(reader);
      return number === undefined || updates === undefined ? undefined : { kind, number, updates };
    }
    case 'ask': {
      const number = fields === 4 ? reader.uint() : undefined;
      const target = number === undefined ? undefined : readId(reader);
      const updates = target === undefined ? undefined : readUpdates(reader);
      return number === undefined || target === undefined || updates === undefined ? undefined : { kind, number, target, updates };
    }
    case 'news': {
      const updates = fields === 2 ? readUpdates(reader) : undefined;
      return updates === undefined ? undefined : { kind, updates };
    }
    case 'digest': {
      const members = fields === 3 ? reader.uint() : undefined;
      const hashes = members === undefined ? undefined : hashesOf(reader.bin());
      return members === undefined || hashes === undefined ? undefined : { kind, members, hashes };
    }
    case 'rows': {
      const answer = fields === 4 ? reader.uint(1) : undefined;
      const buckets = answer === undefined ? undefined : list(reader, LIMITS.syncBucketsPerTime, () => reader.uint(LIMITS.syncBucketsMax - 1));
      const rows = buckets === undefined ? undefined : list(reader, LIMITS.syncRowsMax, () => readRow(reader));
      return answer === undefined || buckets === undefined || rows === undefined ? undefined : { kind, buckets, rows, answer: answer === 1 };
    }
  }
}

function writeUpdates(writer: RmpWriter, updates: readonly Update[]): void {
  writer.arrayHead(updates.length);
  for (const update of updates) {
    writer.arrayHead(update.kind === 'alive' ? 4 : 5);
    writer.int(UPDATE_KINDS.indexOf(update.kind));
    writeId(writer, update.id);
    writeVersion(writer, update.version);
    if (update.kind === 'accuse') writeId(writer, update.by);
    if (update.kind === 'farewell') writer.int(update.forGood ? 1 : 0);
  }
}

function readUpdates(reader: RmpReader): readonly Update[] | undefined {
  return list(reader, LIMITS.newsPerMessageMax, () => readUpdate(reader));
}

function readUpdate(reader: RmpReader): Update | undefined {
  const fields = reader.arrayHead();
  const kind = UPDATE_KINDS[reader.uint(UPDATE_KINDS.length - 1) ?? UPDATE_KINDS.length];
  if (kind === undefined || fields !== (kind === 'alive' ? 4 : 5)) return undefined;
  const id = readId(reader);
  const version = id === undefined ? undefined : readVersion(reader);
  if (id === undefined || version === undefined) return undefined;
  if (kind === 'alive') return { kind, id, version };
  if (kind === 'accuse') {
    const by = readId(reader);
    return by === undefined ? undefined : { kind, id, version, by };
  }
  const forGood = reader.uint(1);
  return forGood === undefined ? undefined : { kind, id, version, forGood: forGood === 1 };
}

/** As many rows as fit, whole ones. */
function writeRows(writer: RmpWriter, rows: readonly RowTold[], bytesMax: number): void {
  const written = rows.map((row) => rowBytes(row));
  let count = 0;
  let bytes = writer.length;
  for (const row of written) {
    bytes += row.length;
    if (bytes > bytesMax) break;
    count += 1;
  }
  writer.arrayHead(count);
  for (const row of written.slice(0, count)) writer.raw(row);
}

function rowBytes({ id, version, state, accusers }: RowTold): Uint8Array {
  const writer = new RmpWriter(64);
  writer.arrayHead(5);
  writeId(writer, id);
  writeVersion(writer, version);
  writer.int(ROW_STATES.indexOf(state));
  writer.arrayHead(accusers.length);
  for (const accuser of accusers) writeId(writer, accuser);
  return writer.copy();
}

function readRow(reader: RmpReader): RowTold | undefined {
  const id = reader.arrayHead() === 5 ? readId(reader) : undefined;
  const version = id === undefined ? undefined : readVersion(reader);
  const state = version === undefined ? undefined : ROW_STATES[reader.uint(ROW_STATES.length - 1) ?? ROW_STATES.length];
  const accusers = state === undefined ? undefined : list(reader, state === 'down' ? LIMITS.rowAccusersMax : 0, () => readId(reader));
  return id === undefined || version === undefined || state === undefined || accusers === undefined ? undefined : { id, version, state, accusers };
}

function writeVersion(writer: RmpWriter, version: Version): void {
  writer.int(version.incarnation);
  writer.int(version.counter);
}

function readVersion(reader: RmpReader): Version | undefined {
  const incarnation = reader.uint();
  const counter = reader.uint(LIMITS.counterMax);
  return incarnation === undefined || counter === undefined ? undefined : { incarnation, counter };
}

function writeId(writer: RmpWriter, id: string): void {
  const aid = parseAid(id);
  assert(aid !== undefined, 'whom a node speaks of has an identity');
  writer.bin(aid);
}

function readId(reader: RmpReader): string | undefined {
  const aid = reader.bin(AID_BYTES);
  return aid === undefined ? undefined : aidText(aid);
}

function hashBytes(hashes: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(hashes.length * HASH_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, hash] of hashes.entries()) view.setUint32(index * HASH_BYTES, hash);
  return bytes;
}

function hashesOf(bytes: Uint8Array | undefined): readonly number[] | undefined {
  const count = (bytes?.length ?? 0) / HASH_BYTES;
  if (bytes === undefined || !Number.isInteger(count) || count < 1 || count > LIMITS.syncBucketsMax) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: count }, (_, index) => view.getUint32(index * HASH_BYTES));
}

function list<T>(reader: RmpReader, countMax: number, read: () => T | undefined): readonly T[] | undefined {
  const count = reader.arrayHead();
  if (count === undefined || count > countMax) return undefined;
  const items: T[] = [];
  for (let index = 0; index < count; index += 1) {
    const item = read();
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}
