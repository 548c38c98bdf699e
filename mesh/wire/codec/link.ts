/**
 * Messages that keep a link and its history: PING, PONG, CKPT, VOID, EVIDENCE, EST_FETCH, EST (protocol.md §2.8, §2.9).
 * All by position; the two heartbeats are among the hottest messages there are.
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import type { RmpWriter } from '#core/msgpack/writer.ts';
import type { Decoded } from '../decoded.ts';
import { ESTABLISHMENT_EVENTS_MAX, EVIDENCE_ITEMS_MAX } from '../limits.ts';
import type { Ckpt, Est, EstFetch, Evidence, EvidenceKind, Ping, Pong, SignedBytes, Void } from '../message.ts';
import { DIGEST_BYTES } from './handshake-payload.ts';
import { SIGNATURE_BYTES, complete, readSigned, readSignedList, writeSigned, writeSignedList } from './positional.ts';

/** Bytes of a liveness challenge. */
export const CHALLENGE_BYTES = 16;

/** Evidence kinds in the order of their numbers on the wire. */
const evidenceKinds: readonly EvidenceKind[] = ['icp', 'rot', 'boot', 'stm', 'ck'];

/** `[id, challenge]`. */
export function writeHeartbeat(writer: RmpWriter, message: Ping | Pong): void {
  writer.arrayHead(2);
  writer.int(message.id);
  writer.bin(message.challenge);
}

/** Decode a PING. */
export function decodePing(payload: Uint8Array): Decoded<Ping> {
  const reader = new RmpReader(payload);
  const fields = readHeartbeat(reader);
  return complete('PING', reader, fields && { kind: 'ping', id: fields.id, challenge: fields.challenge });
}

/** Decode a PONG. */
export function decodePong(payload: Uint8Array): Decoded<Pong> {
  const reader = new RmpReader(payload);
  const fields = readHeartbeat(reader);
  return complete('PONG', reader, fields && { kind: 'pong', id: fields.id, challenge: fields.challenge });
}

function readHeartbeat(reader: RmpReader): { id: number; challenge: Uint8Array } | undefined {
  if (reader.arrayHead() !== 2) return undefined;
  const id = reader.uint();
  const challenge = id === undefined ? undefined : reader.bin(CHALLENGE_BYTES);
  return id === undefined || challenge === undefined ? undefined : { id, challenge };
}

/** `[body, sig]`. */
export function writeCkpt(writer: RmpWriter, message: Ckpt): void {
  writeSigned(writer, message.checkpoint);
}

/** Decode a CKPT. */
export function decodeCkpt(payload: Uint8Array): Decoded<Ckpt> {
  const reader = new RmpReader(payload);
  const checkpoint = readSigned(reader);
  return complete('CKPT', reader, checkpoint && { kind: 'ckpt', checkpoint });
}

/** `[r, s, head_s]`. */
export function writeVoid(writer: RmpWriter, message: Void): void {
  writer.arrayHead(3);
  writer.int(message.from);
  writer.int(message.to);
  writer.bin(message.head);
}

/** Decode a VOID; a range that goes backwards is malformed. */
export function decodeVoid(payload: Uint8Array): Decoded<Void> {
  const reader = new RmpReader(payload);
  return complete('VOID', reader, readVoid(reader));
}

function readVoid(reader: RmpReader): Void | undefined {
  if (reader.arrayHead() !== 3) return undefined;
  const from = reader.uint();
  const to = from === undefined ? undefined : reader.uint();
  const head = to === undefined ? undefined : reader.bin(DIGEST_BYTES);
  return from === undefined || to === undefined || head === undefined || to < from ? undefined : { kind: 'void', from, to, head };
}

/** `[[kind, body, sig], …]`. */
export function writeEvidence(writer: RmpWriter, message: Evidence): void {
  writer.arrayHead(message.items.length);
  for (const { of, object } of message.items) {
    writer.arrayHead(3);
    writer.int(evidenceKinds.indexOf(of));
    writer.bin(object.body);
    writer.bin(object.sig);
  }
}

/** Decode an EVIDENCE message. */
export function decodeEvidence(payload: Uint8Array): Decoded<Evidence> {
  const reader = new RmpReader(payload);
  return complete('EVIDENCE', reader, readEvidence(reader));
}

function readEvidence(reader: RmpReader): Evidence | undefined {
  const count = reader.arrayHead();
  if (count === undefined || count === 0 || count > EVIDENCE_ITEMS_MAX) return undefined;
  const items: { of: EvidenceKind; object: SignedBytes }[] = [];
  for (let index = 0; index < count; index += 1) {
    if (reader.arrayHead() !== 3) return undefined;
    const of = evidenceKinds[reader.uint(evidenceKinds.length - 1) ?? evidenceKinds.length];
    const body = of === undefined ? undefined : reader.bin();
    const sig = body === undefined ? undefined : reader.bin(SIGNATURE_BYTES);
    if (of === undefined || body === undefined || sig === undefined) return undefined;
    items.push({ of, object: { body, sig } });
  }
  return { kind: 'evidence', items };
}

/** `[aid, from]`. */
export function writeEstFetch(writer: RmpWriter, message: EstFetch): void {
  writer.arrayHead(2);
  writer.bin(message.aid);
  writer.int(message.from);
}

/** Decode an EST_FETCH. */
export function decodeEstFetch(payload: Uint8Array): Decoded<EstFetch> {
  const reader = new RmpReader(payload);
  const aid = reader.arrayHead() === 2 ? reader.bin(DIGEST_BYTES) : undefined;
  const from = aid === undefined ? undefined : reader.uint();
  return complete('EST_FETCH', reader, aid === undefined || from === undefined ? undefined : { kind: 'est-fetch', aid, from });
}

/** `[aid, from, [[body, sig], …]]`. */
export function writeEst(writer: RmpWriter, message: Est): void {
  writer.arrayHead(3);
  writer.bin(message.aid);
  writer.int(message.from);
  writeSignedList(writer, message.events);
}

/** Decode an EST. */
export function decodeEst(payload: Uint8Array): Decoded<Est> {
  const reader = new RmpReader(payload);
  const aid = reader.arrayHead() === 3 ? reader.bin(DIGEST_BYTES) : undefined;
  const from = aid === undefined ? undefined : reader.uint();
  const events = from === undefined ? undefined : readSignedList(reader, ESTABLISHMENT_EVENTS_MAX);
  return complete('EST', reader, aid === undefined || from === undefined || events === undefined ? undefined : { kind: 'est', aid, from, events });
}
