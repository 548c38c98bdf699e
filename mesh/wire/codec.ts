/**
 * The one table from message types to their codecs; the compiler checks that none is missing. HS1–HS3 are not here:
 * they carry Noise messages, and what those carry is decoded by `codec/handshake-payload.ts`.
 */
import { unreachable } from '#core/errors/assert.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import { decodeAdmitReq, decodeAdmitStatus, decodeWelcome, encodeAdmitReq, encodeAdmitStatus, encodeWelcome } from './codec/admission.ts';
import { decodeBulkAck, decodeBulkChunk, decodeBulkOffer, writeBulkAck, writeBulkChunk, writeBulkOffer } from './codec/bulk.ts';
import * as call from './codec/call.ts';
import { decodeHello, encodeHello } from './codec/hello.ts';
import * as link from './codec/link.ts';
import { decodeAccept, decodeBye, decodeReject, encodeAccept, encodeBye, encodeReject } from './codec/verdict.ts';
import { type Decoded, refused } from './decoded.ts';
import { MESSAGE_TYPE, type MessageType, messageTypeName } from './message-type.ts';
import type { Message } from './message.ts';

const types: Readonly<Record<Message['kind'], MessageType>> = {
  hello: MESSAGE_TYPE.HELLO,
  accept: MESSAGE_TYPE.ACCEPT,
  reject: MESSAGE_TYPE.REJECT,
  bye: MESSAGE_TYPE.BYE,
  ping: MESSAGE_TYPE.PING,
  pong: MESSAGE_TYPE.PONG,
  ckpt: MESSAGE_TYPE.CKPT,
  void: MESSAGE_TYPE.VOID,
  evidence: MESSAGE_TYPE.EVIDENCE,
  'est-fetch': MESSAGE_TYPE.EST_FETCH,
  est: MESSAGE_TYPE.EST,
  raft: MESSAGE_TYPE.RAFT,
  gossip: MESSAGE_TYPE.GOSSIP,
  req: MESSAGE_TYPE.REQ,
  res: MESSAGE_TYPE.RES,
  err: MESSAGE_TYPE.ERR,
  cancel: MESSAGE_TYPE.CANCEL,
  'bulk-offer': MESSAGE_TYPE.BULK_OFFER,
  'bulk-chunk': MESSAGE_TYPE.BULK_CHUNK,
  'bulk-ack': MESSAGE_TYPE.BULK_ACK,
  'admit-req': MESSAGE_TYPE.ADMIT_REQ,
  'admit-status': MESSAGE_TYPE.ADMIT_STATUS,
  welcome: MESSAGE_TYPE.WELCOME,
  sentinel: MESSAGE_TYPE.SENTINEL,
};

/** The type byte of a message. */
export function typeOf(message: Message): MessageType {
  return types[message.kind];
}

/** The payload of a message in a buffer of its own. */
export function encodeMessage(message: Message): Uint8Array {
  const writer = new RmpWriter(256);
  writeMessage(writer, message);
  return writer.copy();
}

/** Append the payload of a message to a writer. */
export function writeMessage(writer: RmpWriter, message: Message): void {
  switch (message.kind) {
    case 'ping':
    case 'pong':
      return link.writeHeartbeat(writer, message);
    case 'req':
      return call.writeReq(writer, message);
    case 'res':
      return call.writeRes(writer, message);
    case 'err':
      return call.writeErr(writer, message);
    case 'cancel':
      return call.writeCancel(writer, message);
    case 'gossip':
      return call.writeGossip(writer, message);
    case 'raft':
    case 'sentinel':
      return call.writeOpaque(writer, message);
    case 'ckpt':
      return link.writeCkpt(writer, message);
    case 'void':
      return link.writeVoid(writer, message);
    case 'evidence':
      return link.writeEvidence(writer, message);
    case 'est-fetch':
      return link.writeEstFetch(writer, message);
    case 'est':
      return link.writeEst(writer, message);
    case 'bulk-offer':
      return writeBulkOffer(writer, message);
    case 'bulk-chunk':
      return writeBulkChunk(writer, message);
    case 'bulk-ack':
      return writeBulkAck(writer, message);
    case 'hello':
      return writer.raw(encodeHello(message));
    case 'accept':
      return writer.raw(encodeAccept(message));
    case 'reject':
      return writer.raw(encodeReject(message));
    case 'bye':
      return writer.raw(encodeBye(message));
    case 'admit-req':
      return writer.raw(encodeAdmitReq(message));
    case 'admit-status':
      return writer.raw(encodeAdmitStatus(message));
    case 'welcome':
      return writer.raw(encodeWelcome(message));
    default:
      return unreachable(message);
  }
}

const decoders: ReadonlyMap<number, (payload: Uint8Array) => Decoded<Message>> = new Map<number, (payload: Uint8Array) => Decoded<Message>>([
  [MESSAGE_TYPE.HELLO, decodeHello],
  [MESSAGE_TYPE.ACCEPT, decodeAccept],
  [MESSAGE_TYPE.REJECT, decodeReject],
  [MESSAGE_TYPE.BYE, decodeBye],
  [MESSAGE_TYPE.PING, link.decodePing],
  [MESSAGE_TYPE.PONG, link.decodePong],
  [MESSAGE_TYPE.CKPT, link.decodeCkpt],
  [MESSAGE_TYPE.VOID, link.decodeVoid],
  [MESSAGE_TYPE.EVIDENCE, link.decodeEvidence],
  [MESSAGE_TYPE.EST_FETCH, link.decodeEstFetch],
  [MESSAGE_TYPE.EST, link.decodeEst],
  [MESSAGE_TYPE.RAFT, call.decodeRaft],
  [MESSAGE_TYPE.GOSSIP, call.decodeGossip],
  [MESSAGE_TYPE.REQ, call.decodeReq],
  [MESSAGE_TYPE.RES, call.decodeRes],
  [MESSAGE_TYPE.ERR, call.decodeErr],
  [MESSAGE_TYPE.CANCEL, call.decodeCancel],
  [MESSAGE_TYPE.BULK_OFFER, decodeBulkOffer],
  [MESSAGE_TYPE.BULK_CHUNK, decodeBulkChunk],
  [MESSAGE_TYPE.BULK_ACK, decodeBulkAck],
  [MESSAGE_TYPE.ADMIT_REQ, decodeAdmitReq],
  [MESSAGE_TYPE.ADMIT_STATUS, decodeAdmitStatus],
  [MESSAGE_TYPE.WELCOME, decodeWelcome],
  [MESSAGE_TYPE.SENTINEL, call.decodeSentinel],
]);

/** Decode a payload by its type; the caller has dropped ignorable types (0x80 and above) before. */
export function decodeMessage(type: number, payload: Uint8Array): Decoded<Message> {
  const decode = decoders.get(type);
  return decode === undefined ? refused('FRAME_TYPE', `${messageTypeName(type)} is not a message that can be decoded here`) : decode(payload);
}
