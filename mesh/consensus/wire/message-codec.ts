/**
 * The bytes of what the servers of one log say to each other: the body of a RAFT frame, one RMP array by position, its
 * kind first. The kinds of mesh/consensus/entry-codec.ts are below 16, these from 16 on, so that both share the frame.
 * Bounds are checked before anything is allocated; what is not exactly in form is `undefined`.
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { CONFIG_LIMITS } from '../config/limits.ts';
import { LOG_LIMITS } from '../limits.ts';
import { RAFT_LIMITS } from '../raft/limits.ts';
import type { ConsensusMessage, LogEnd, PackedEntry, SnapshotRequest } from '../raft/messages.ts';

const KINDS = {
  'pre-vote-request': 16,
  'pre-vote-reply': 17,
  'vote-request': 18,
  'vote-reply': 19,
  'append-request': 20,
  'append-reply': 21,
  'snapshot-request': 22,
  'snapshot-reply': 23,
  'timeout-now': 24,
  'recover-request': 25,
  'recover-reply': 26,
} as const satisfies Record<ConsensusMessage['kind'], number>;

/** Elements of each array, the kind included. */
const FIELDS: Readonly<Record<ConsensusMessage['kind'], number>> = {
  'pre-vote-request': 4,
  'pre-vote-reply': 3,
  'vote-request': 5,
  'vote-reply': 3,
  'append-request': 7,
  'append-reply': 9,
  'snapshot-request': 8,
  'snapshot-reply': 7,
  'timeout-now': 2,
  'recover-request': 3,
  'recover-reply': 4,
};

const kindOf = new Map<number, ConsensusMessage['kind']>(Object.entries(KINDS).map(([kind, number]) => [number, kind as ConsensusMessage['kind']]));

/** Body of a RAFT frame. */
export function encodeConsensusMessage(message: ConsensusMessage): Uint8Array {
  const writer = new RmpWriter(256);
  writer.arrayHead(FIELDS[message.kind]);
  writer.int(KINDS[message.kind]);
  writer.int(message.term);
  writeRest(writer, message);
  return writer.copy();
}

function writeRest(writer: RmpWriter, message: ConsensusMessage): void {
  switch (message.kind) {
    case 'pre-vote-request':
      return writeEnd(writer, message.end);
    case 'pre-vote-reply':
      return writeFlag(writer, message.granted);
    case 'vote-request':
      writeEnd(writer, message.end);
      return writeFlag(writer, message.transfer);
    case 'vote-reply':
      return writeObject(writer, message.vote);
    case 'append-request':
      writeEnd(writer, message.previous);
      writeEntries(writer, message.entries);
      writer.int(message.commit);
      return writer.int(message.round);
    case 'append-reply':
      writer.int(message.round);
      writeFlag(writer, message.accepted);
      writer.int(message.match);
      writeEnd(writer, message.hint);
      writer.int(message.incarnation);
      return writeFlag(writer, message.damaged);
    case 'snapshot-request':
      for (const value of [message.round, message.index, message.bytes, message.offset]) writer.int(value);
      writer.bin(message.piece);
      return writeProof(writer, message.proof);
    case 'snapshot-reply':
      for (const value of [message.round, message.index, message.offset, message.incarnation]) writer.int(value);
      return writeFlag(writer, message.damaged);
    case 'timeout-now':
      return;
    case 'recover-request':
      return writer.int(message.nonce);
    case 'recover-reply':
      writer.int(message.nonce);
      return writeObject(writer, message.vote);
  }
}

/** The counterpart of {@link encodeConsensusMessage}; `undefined` where it is none. What is kept is a copy. */
export function decodeConsensusMessage(body: Uint8Array): ConsensusMessage | undefined {
  const reader = new RmpReader(body);
  const fields = reader.arrayHead();
  const kind = kindOf.get(reader.uint(255) ?? 0);
  const term = reader.uint();
  if (kind === undefined || term === undefined || fields !== FIELDS[kind]) return undefined;
  const message = readRest(reader, kind, term);
  return message !== undefined && reader.atEnd ? message : undefined;
}

function readRest(reader: RmpReader, kind: ConsensusMessage['kind'], term: number): ConsensusMessage | undefined {
  switch (kind) {
    case 'pre-vote-request': {
      const end = readEnd(reader);
      return end === undefined ? undefined : { kind, term, end };
    }
    case 'pre-vote-reply': {
      const granted = readFlag(reader);
      return granted === undefined ? undefined : { kind, term, granted };
    }
    case 'vote-request': {
      const end = readEnd(reader);
      const transfer = readFlag(reader);
      return end === undefined || transfer === undefined ? undefined : { kind, term, end, transfer };
    }
    case 'vote-reply': {
      const vote = readObject(reader);
      return vote === undefined ? undefined : { kind, term, vote };
    }
    case 'append-request': {
      const previous = readEnd(reader);
      const entries = readEntries(reader, RAFT_LIMITS.uncommittedEntriesMax);
      const commit = reader.uint();
      const round = reader.uint();
      return previous === undefined || entries === undefined || commit === undefined || round === undefined
        ? undefined
        : { kind, term, previous, entries, commit, round };
    }
    case 'append-reply': {
      const round = reader.uint();
      const accepted = readFlag(reader);
      const match = reader.uint();
      const hint = readEnd(reader);
      const incarnation = reader.uint();
      const damaged = readFlag(reader);
      if (round === undefined || accepted === undefined || match === undefined || hint === undefined || incarnation === undefined) return undefined;
      return damaged === undefined ? undefined : { kind, term, round, accepted, match, hint, incarnation, damaged };
    }
    case 'snapshot-request':
      return readSnapshot(reader, term);
    case 'snapshot-reply': {
      const [round, index, offset, incarnation] = [reader.uint(), reader.uint(), reader.uint(), reader.uint()];
      const damaged = readFlag(reader);
      if (round === undefined || index === undefined || offset === undefined || incarnation === undefined || damaged === undefined) return undefined;
      return { kind, term, round, index, offset, incarnation, damaged };
    }
    case 'timeout-now':
      return { kind, term };
    case 'recover-request': {
      const nonce = reader.uint();
      return nonce === undefined ? undefined : { kind, term, nonce };
    }
    case 'recover-reply': {
      const nonce = reader.uint();
      const vote = readObject(reader);
      return nonce === undefined || vote === undefined ? undefined : { kind, term, nonce, vote };
    }
  }
}

function readSnapshot(reader: RmpReader, term: number): SnapshotRequest | undefined {
  const [round, index, bytes, offset] = [reader.uint(), reader.uint(), reader.uint(RAFT_LIMITS.snapshotBytesMax), reader.uint(RAFT_LIMITS.snapshotBytesMax)];
  const piece = reader.bin();
  if (round === undefined || index === undefined || bytes === undefined || offset === undefined || piece === undefined) return undefined;
  if (piece.length > RAFT_LIMITS.snapshotPieceBytes) return undefined;
  const message = { kind: 'snapshot-request', term, round, index, bytes, offset, piece: piece.slice() } as const;
  if (reader.nil()) return { ...message, proof: null };
  const fields = reader.arrayHead();
  const taker = reader.str(CONFIG_LIMITS.idBytesMax);
  const signature = reader.bin(64);
  const entries = readEntries(reader, RAFT_LIMITS.proofEntriesMax);
  if (fields !== 3 || taker === undefined || signature === undefined || entries === undefined) return undefined;
  return { ...message, proof: { taker, signature: signature.slice(), entries } };
}

function writeProof(writer: RmpWriter, proof: SnapshotRequest['proof']): void {
  if (proof === null) return writer.nil();
  writer.arrayHead(3);
  writer.str(proof.taker);
  writer.bin(proof.signature);
  writeEntries(writer, proof.entries);
}

function writeEnd(writer: RmpWriter, { index, term }: LogEnd): void {
  writer.arrayHead(2);
  writer.int(index);
  writer.int(term);
}

function readEnd(reader: RmpReader): LogEnd | undefined {
  const fields = reader.arrayHead();
  const index = reader.uint();
  const term = reader.uint();
  return fields !== 2 || index === undefined || term === undefined ? undefined : { index, term };
}

function writeFlag(writer: RmpWriter, flag: boolean): void {
  writer.int(flag ? 1 : 0);
}

function readFlag(reader: RmpReader): boolean | undefined {
  const value = reader.uint(1);
  return value === undefined ? undefined : value === 1;
}

function writeObject(writer: RmpWriter, object: SignedObject | null): void {
  if (object === null) return writer.nil();
  writer.arrayHead(2);
  writer.bin(object.body);
  writer.bin(object.sig);
}

function readObject(reader: RmpReader): SignedObject | null | undefined {
  if (reader.nil()) return null;
  const fields = reader.arrayHead();
  const body = reader.bin();
  if (fields !== 2 || body === undefined || body.length > HCTH_LIMITS.signedBodyBytesMax) return undefined;
  const sig = reader.bin(64);
  return sig === undefined ? undefined : { body: body.slice(), sig: sig.slice() };
}

function writeEntries(writer: RmpWriter, entries: readonly PackedEntry[]): void {
  writer.arrayHead(entries.length);
  for (const { bytes, signature } of entries) {
    writer.arrayHead(2);
    writer.bin(bytes);
    writer.bin(signature);
  }
}

function readEntries(reader: RmpReader, countMax: number): readonly PackedEntry[] | undefined {
  const count = reader.arrayHead();
  if (count === undefined || count > countMax) return undefined;
  const entries: PackedEntry[] = [];
  let total = 0;
  for (let at = 0; at < count; at += 1) {
    const fields = reader.arrayHead();
    const bytes = reader.bin();
    const signature = reader.bin(64);
    if (fields !== 2 || bytes === undefined || signature === undefined) return undefined;
    total += bytes.length;
    // One entry may be larger than a message is meant to be, several together may not (C-32).
    if (bytes.length > LOG_LIMITS.entryBytesMax || (entries.length > 0 && total > RAFT_LIMITS.appendBytesMax)) return undefined;
    entries.push({ bytes: bytes.slice(), signature: signature.slice() });
  }
  return entries;
}
