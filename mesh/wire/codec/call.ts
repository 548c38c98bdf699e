/**
 * Calls and news: REQ, RES, ERR, CANCEL, GOSSIP, and the opaque envelopes RAFT and SENTINEL. By position, bodies as raw
 * `bin` so that a payload is never decoded on the way (performance.md).
 */
import { RmpReader } from '#core/msgpack/reader.ts';
import type { RmpWriter } from '#core/msgpack/writer.ts';
import type { Decoded } from '../decoded.ts';
import { NAME_BYTES_MAX, TEXT_BYTES_MAX } from '../limits.ts';
import type { Cancel, Err, Gossip, Raft, Req, Res, Sentinel } from '../message.ts';
import { DIGEST_BYTES } from './handshake-payload.ts';
import { complete, writeBinOrNil } from './positional.ts';

/** Bytes of an idempotency key. */
export const IDEMPOTENCY_KEY_BYTES = 16;

/** `[id, key | nil, method, timeout, body]`. */
export function writeReq(writer: RmpWriter, message: Req): void {
  writer.arrayHead(5);
  writer.int(message.id);
  writeBinOrNil(writer, message.key);
  writer.str(message.method);
  writer.int(message.timeoutMs);
  writer.bin(message.body);
}

/** Decode a REQ. */
export function decodeReq(payload: Uint8Array): Decoded<Req> {
  const reader = new RmpReader(payload);
  return complete('REQ', reader, readReq(reader));
}

function readReq(reader: RmpReader): Req | undefined {
  if (reader.arrayHead() !== 5) return undefined;
  const id = reader.uint();
  if (id === undefined) return undefined;
  const key = reader.nil() ? null : reader.bin(IDEMPOTENCY_KEY_BYTES);
  if (key === undefined) return undefined;
  const method = reader.str(NAME_BYTES_MAX);
  const timeoutMs = method === undefined ? undefined : reader.uint();
  const body = timeoutMs === undefined ? undefined : reader.bin();
  return method === undefined || timeoutMs === undefined || body === undefined ? undefined : { kind: 'req', id, key, method, timeoutMs, body };
}

/** `[id, body]`. */
export function writeRes(writer: RmpWriter, message: Res): void {
  writer.arrayHead(2);
  writer.int(message.id);
  writer.bin(message.body);
}

/** Decode a RES. */
export function decodeRes(payload: Uint8Array): Decoded<Res> {
  const reader = new RmpReader(payload);
  const id = reader.arrayHead() === 2 ? reader.uint() : undefined;
  const body = id === undefined ? undefined : reader.bin();
  return complete('RES', reader, id === undefined || body === undefined ? undefined : { kind: 'res', id, body });
}

/** `[id, code, text]`. */
export function writeErr(writer: RmpWriter, message: Err): void {
  writer.arrayHead(3);
  writer.int(message.id);
  writer.str(message.code);
  writer.str(message.text);
}

/** Decode an ERR. */
export function decodeErr(payload: Uint8Array): Decoded<Err> {
  const reader = new RmpReader(payload);
  const id = reader.arrayHead() === 3 ? reader.uint() : undefined;
  const code = id === undefined ? undefined : reader.str(NAME_BYTES_MAX);
  const text = code === undefined ? undefined : reader.str(TEXT_BYTES_MAX);
  return complete('ERR', reader, id === undefined || code === undefined || text === undefined ? undefined : { kind: 'err', id, code, text });
}

/** `[id]`. */
export function writeCancel(writer: RmpWriter, message: Cancel): void {
  writer.arrayHead(1);
  writer.int(message.id);
}

/** Decode a CANCEL. */
export function decodeCancel(payload: Uint8Array): Decoded<Cancel> {
  const reader = new RmpReader(payload);
  const id = reader.arrayHead() === 1 ? reader.uint() : undefined;
  return complete('CANCEL', reader, id === undefined ? undefined : { kind: 'cancel', id });
}

/** `[topic, origin, serial, body]`. */
export function writeGossip(writer: RmpWriter, message: Gossip): void {
  writer.arrayHead(4);
  writer.int(message.topic);
  writer.bin(message.origin);
  writer.int(message.serial);
  writer.bin(message.body);
}

/** Decode a GOSSIP message. */
export function decodeGossip(payload: Uint8Array): Decoded<Gossip> {
  const reader = new RmpReader(payload);
  return complete('GOSSIP', reader, readGossip(reader));
}

function readGossip(reader: RmpReader): Gossip | undefined {
  if (reader.arrayHead() !== 4) return undefined;
  const topic = reader.uint();
  const origin = topic === undefined ? undefined : reader.bin(DIGEST_BYTES);
  const serial = origin === undefined ? undefined : reader.uint();
  const body = serial === undefined ? undefined : reader.bin();
  return topic === undefined || origin === undefined || serial === undefined || body === undefined
    ? undefined
    : { kind: 'gossip', topic, origin, serial, body };
}

/** One bin: the body belongs to somebody else. */
export function writeOpaque(writer: RmpWriter, message: Raft | Sentinel): void {
  writer.bin(message.body);
}

/** Decode a RAFT message. */
export function decodeRaft(payload: Uint8Array): Decoded<Raft> {
  const reader = new RmpReader(payload);
  const body = reader.bin();
  return complete('RAFT', reader, body && { kind: 'raft', body });
}

/** Decode a SENTINEL message. */
export function decodeSentinel(payload: Uint8Array): Decoded<Sentinel> {
  const reader = new RmpReader(payload);
  const body = reader.bin();
  return complete('SENTINEL', reader, body && { kind: 'sentinel', body });
}
