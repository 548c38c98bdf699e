/**
 * Bulk transfers: BULK_OFFER, BULK_CHUNK, BULK_ACK (protocol.md §2.5: no fragmentation, chunks under a manifest instead).
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import type { RmpWriter } from '#core/msgpack/writer.ts';
import type { Decoded } from '../decoded.ts';
import { CHUNKS_MAX, CHUNK_BYTES_MAX, NAME_BYTES_MAX } from '../limits.ts';
import type { BulkAck, BulkChunk, BulkOffer } from '../message.ts';
import { DIGEST_BYTES } from './handshake-payload.ts';
import { complete } from './positional.ts';

/** States of a BULK_ACK in the order of their numbers on the wire. */
const ackStates: readonly BulkAck['state'][] = ['want', 'done', 'refused'];

/** `[id, purpose, bytes, chunkBytes, digests]`. */
export function writeBulkOffer(writer: RmpWriter, message: BulkOffer): void {
  writer.arrayHead(5);
  writer.int(message.id);
  writer.str(message.purpose);
  writer.int(message.bytes);
  writer.int(message.chunkBytes);
  writer.bin(message.digests);
}

/** Decode a BULK_OFFER; the number of digests must fit the sizes. */
export function decodeBulkOffer(payload: Uint8Array): Decoded<BulkOffer> {
  const reader = new RmpReader(payload);
  return complete('BULK_OFFER', reader, readOffer(reader));
}

function readOffer(reader: RmpReader): BulkOffer | undefined {
  const id = reader.arrayHead() === 5 ? reader.uint() : undefined;
  const purpose = id === undefined ? undefined : reader.str(NAME_BYTES_MAX);
  const bytes = purpose === undefined ? undefined : reader.uint();
  const chunkBytes = bytes === undefined ? undefined : reader.uint(CHUNK_BYTES_MAX);
  const digests = chunkBytes === undefined ? undefined : reader.bin();
  if (id === undefined || purpose === undefined || bytes === undefined || chunkBytes === undefined || digests === undefined) return undefined;
  const chunkCount = chunkBytes === 0 ? Number.NaN : Math.ceil(bytes / chunkBytes);
  const fits = chunkCount <= CHUNKS_MAX && digests.length === chunkCount * DIGEST_BYTES;
  return fits ? { kind: 'bulk-offer', id, purpose, bytes, chunkBytes, digests } : undefined;
}

/** `[id, index, data]`. */
export function writeBulkChunk(writer: RmpWriter, message: BulkChunk): void {
  writer.arrayHead(3);
  writer.int(message.id);
  writer.int(message.index);
  writer.bin(message.data);
}

/** Decode a BULK_CHUNK. */
export function decodeBulkChunk(payload: Uint8Array): Decoded<BulkChunk> {
  const reader = new RmpReader(payload);
  const id = reader.arrayHead() === 3 ? reader.uint() : undefined;
  const index = id === undefined ? undefined : reader.uint(CHUNKS_MAX - 1);
  const data = index === undefined ? undefined : reader.bin();
  const fits = data !== undefined && data.length <= CHUNK_BYTES_MAX;
  return complete('BULK_CHUNK', reader, id === undefined || index === undefined || !fits ? undefined : { kind: 'bulk-chunk', id, index, data });
}

/** `[id, state, next]`. */
export function writeBulkAck(writer: RmpWriter, message: BulkAck): void {
  writer.arrayHead(3);
  writer.int(message.id);
  writer.int(ackStates.indexOf(message.state));
  writer.int(message.next);
}

/** Decode a BULK_ACK. */
export function decodeBulkAck(payload: Uint8Array): Decoded<BulkAck> {
  const reader = new RmpReader(payload);
  const id = reader.arrayHead() === 3 ? reader.uint() : undefined;
  const state = id === undefined ? undefined : ackStates[reader.uint(ackStates.length - 1) ?? ackStates.length];
  const next = state === undefined ? undefined : reader.uint(CHUNKS_MAX);
  return complete('BULK_ACK', reader, id === undefined || state === undefined || next === undefined ? undefined : { kind: 'bulk-ack', id, state, next });
}
