/**
 * A request: which command, with which arguments, on which machines, asked by whom and why. What is signed names arguments
 * and targets by their digests only, so an approval can never be turned on anything else (protocol.md §3.10, 26); the
 * order in the clear travels beside it, for those who must understand it.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { RmpReader } from '#core/msgpack/reader.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { packObject, unpackObject } from '#mesh/hcth/packed-object.ts';
import { objectDigest, signObject, type SignedObject, verifyObject } from '#mesh/hcth/signed-object.ts';
import { type OperationName, operationOf } from './catalogue.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';

/** Bytes of a request's id. */
export const REQUEST_ID_BYTES = 16;
const ARGS_LABEL = labelled('HCTH1:args');
const TARGETS_LABEL = labelled('HCTH1:targets');
const VERSION = 1;
const FIELDS = 12;

/** What is to be done, in the clear. */
export interface Order {
  readonly operation: OperationName;
  /** RMP, as the command defines it. */
  readonly args: Uint8Array;
  /** In the order of their turns. */
  readonly targets: readonly Aid[];
}

/** What the initiator signs besides the order. */
export interface RequestTerms {
  readonly meshId: Uint8Array;
  /** Random; a request that was seen is never taken again. */
  readonly id: Uint8Array;
  /** Who asks: an operator, or a node for its owner. */
  readonly initiator: Aid;
  /** The node at which it is asked; the initiator itself where a node asks. The two are one party. */
  readonly host: Aid;
  readonly reason: string;
  /** The certificate stands at this index of the log or before. */
  readonly notAfterIndex: number;
  /** Newest entry that the initiator knew: who votes, by its knowledge. */
  readonly basis: number;
}

/** A request as read from its bytes. */
export interface ApprovalRequest extends RequestTerms {
  readonly operation: OperationName;
  readonly argsDigest: Uint8Array;
  readonly targetsDigest: Uint8Array;
  readonly targetCount: number;
  /** What approvals are bound to: SHA-256(label 00 body). */
  readonly digest: Uint8Array;
  readonly object: SignedObject;
}

/** Body of a log entry `approval-request`. */
export interface RequestEntry {
  readonly request: ApprovalRequest;
  readonly order: Order;
}

/** SHA-256 over the arguments. */
export function argsDigest(crypto: CryptoPort, args: Uint8Array): Uint8Array {
  return crypto.sha256(ARGS_LABEL, args);
}

/** SHA-256 over the targets, in order. */
export function targetsDigest(crypto: CryptoPort, targets: readonly Aid[]): Uint8Array {
  return crypto.sha256(TARGETS_LABEL, ...targets);
}

/** Whether the order is the one that the request was signed for. */
export function isOrderOf(crypto: CryptoPort, request: ApprovalRequest, order: Order): boolean {
  return (
    request.operation === order.operation &&
    request.targetCount === order.targets.length &&
    bytesEqual(request.argsDigest, argsDigest(crypto, order.args)) &&
    bytesEqual(request.targetsDigest, targetsDigest(crypto, order.targets))
  );
}

/** Sign a request. */
export function makeRequest(crypto: CryptoPort, key: SignKey, terms: RequestTerms, order: Order): RequestEntry {
  const writer = new RmpWriter(512);
  writer.arrayHead(FIELDS);
  writer.int(VERSION);
  writer.bin(terms.meshId);
  writer.bin(terms.id);
  writer.str(order.operation);
  writer.bin(targetsDigest(crypto, order.targets));
  writer.int(order.targets.length);
  writer.bin(argsDigest(crypto, order.args));
  writer.bin(terms.initiator);
  writer.bin(terms.host);
  writer.str(cutReason(terms.reason));
  writer.int(terms.notAfterIndex);
  writer.int(terms.basis);
  const object = signObject(crypto, key, LABELS.request, writer.copy());
  const request = openRequest(crypto, object);
  if (request === undefined) throw new Error('a request that was just made does not read back');
  return { request, order };
}

/** Decode; the signature is not looked at. `undefined` where it is no request. */
export function openRequest(crypto: CryptoPort, object: SignedObject): ApprovalRequest | undefined {
  const reader = new RmpReader(object.body);
  if (reader.arrayHead() !== FIELDS || reader.uint(VERSION) !== VERSION) return undefined;
  const meshId = reader.bin(32)?.slice();
  const id = reader.bin(REQUEST_ID_BYTES)?.slice();
  const operation = operationOf(reader.str(32) ?? '')?.name;
  const targets = reader.bin(32)?.slice();
  const targetCount = reader.uint(LIMITS.targetsMax);
  const args = reader.bin(32)?.slice();
  const initiator = reader.bin(32)?.slice();
  const host = reader.bin(32)?.slice();
  const reason = reader.str(LIMITS.reasonBytesMax);
  const notAfterIndex = reader.uint();
  const basis = reader.uint();
  if (meshId === undefined || id === undefined || operation === undefined || targets === undefined || targetCount === undefined) return undefined;
  if (args === undefined || initiator === undefined || host === undefined || reason === undefined) return undefined;
  if (notAfterIndex === undefined || basis === undefined || !reader.atEnd) return undefined;
  const digest = objectDigest(crypto, LABELS.request, object.body);
  return { meshId, id, operation, targetsDigest: targets, targetCount, argsDigest: args, initiator, host, reason, notAfterIndex, basis, digest, object };
}

/** Whether the initiator's key signed it. */
export function verifyRequest(crypto: CryptoPort, key: Uint8Array | undefined, request: ApprovalRequest): boolean {
  return key !== undefined && verifyObject(crypto, key, LABELS.request, request.object);
}

/** A request with its order, as an entry's body and as gossip. */
export function encodeRequestEntry({ request, order }: RequestEntry): Uint8Array {
  const writer = new RmpWriter(2_048);
  writer.arrayHead(3);
  writer.bin(packObject(request.object));
  writer.bin(order.args);
  writer.arrayHead(order.targets.length);
  for (const target of order.targets) writer.bin(target);
  return writer.copy();
}

/** The counterpart of {@link encodeRequestEntry}; `undefined` where it is none, or where order and request are not of each other. */
export function decodeRequestEntry(crypto: CryptoPort, body: Uint8Array): RequestEntry | undefined {
  const reader = new RmpReader(body);
  if (reader.arrayHead() !== 3) return undefined;
  const packed = reader.bin();
  const object = packed === undefined ? undefined : unpackObject(packed, LIMITS.argsBytesMax * 2);
  const request = object === undefined ? undefined : openRequest(crypto, object);
  const args = reader.bin()?.slice();
  const count = reader.arrayHead();
  if (request === undefined || args === undefined || args.length > LIMITS.argsBytesMax || count === undefined || count > LIMITS.targetsMax) return undefined;
  const targets: Aid[] = [];
  for (let index = 0; index < count; index += 1) {
    const target = reader.bin(32)?.slice();
    if (target === undefined) return undefined;
    targets.push(target);
  }
  const order = { operation: request.operation, args, targets };
  return reader.atEnd && isOrderOf(crypto, request, order) ? { request, order } : undefined;
}

/** What people type and see: the first 8 bytes of the id in hexadecimal. */
export function requestText(id: Uint8Array): string {
  return hex(id.subarray(0, 8));
}

/** A reason that fits: cut behind a whole character. */
export function cutReason(reason: string): string {
  let cut = '';
  let bytes = 0;
  for (const character of reason) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_0000 ? 3 : 4;
    if (bytes > LIMITS.reasonBytesMax) break;
    cut += character;
  }
  return cut;
}
