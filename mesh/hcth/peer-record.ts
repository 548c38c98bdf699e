/**
 * What a node remembers of one peer across restarts (protocol.md §2.10): positions, the newest two checkpoints each way,
 * its boot event as evidence, and its trust history (opaque here). One such record per peer goes into the peers' journal;
 * the newest wins.
 */
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';
import type { Position } from '#mesh/wire/message.ts';
import { encodeFields, Fields, readFields } from './fields.ts';
import type { Aid } from './identity-text.ts';
import { HCTH_LIMITS as LIMITS } from './limits.ts';
import type { EstablishmentEvent } from './establishment-events.ts';
import type { SignedObject } from './signed-object.ts';

/** Checkpoints kept per direction: the newest, and the one before in case the newest was never received. */
export const CHECKPOINTS_KEPT = 2;
const TRUST_BYTES_MAX = 65_536;

/** See the header. */
export interface PeerRecord {
  readonly aid: Aid;
  readonly establishment: readonly EstablishmentEvent[];
  /** Newest boot event of the peer: its highest proved incarnation and nonce are inside. */
  readonly boot: SignedObject | null;
  /** How far we have received, in the peer's incarnation. */
  readonly received: Position | null;
  /** How far we have sent, in our own incarnation of that time. */
  readonly sent: Position | null;
  /** Our newest checkpoints to the peer, newest last. */
  readonly ownCheckpoints: readonly SignedObject[];
  /** The peer's newest checkpoints, newest last. */
  readonly peerCheckpoints: readonly SignedObject[];
  /** The peer's newest statement. */
  readonly statement?: SignedObject;
  /** Encoded trust history (mesh/trust). */
  readonly trust: Uint8Array;
  /** Wall clock of this node when it last heard from the peer; for people, and for absence across restarts. */
  readonly heardAt: number;
}

/** A record with one more checkpoint in a list of the newest ones. */
export function keepNewest(kept: readonly SignedObject[], object: SignedObject): readonly SignedObject[] {
  return [...kept, object].slice(-CHECKPOINTS_KEPT);
}

/** Bytes for the journal. */
export function encodePeerRecord(record: PeerRecord): Uint8Array {
  return encodeFields({
    v: 1,
    a: record.aid,
    est: record.establishment.map(encodeObject),
    boot: record.boot === null ? undefined : encodeObject(record.boot),
    r: record.received === null ? undefined : encodePosition(record.received),
    s: record.sent === null ? undefined : encodePosition(record.sent),
    oc: record.ownCheckpoints.map(encodeObject),
    pc: record.peerCheckpoints.map(encodeObject),
    st: record.statement === undefined ? undefined : encodeObject(record.statement),
    t: record.trust,
    at: Math.max(0, Math.floor(record.heardAt)),
  });
}

/** Read back what {@link encodePeerRecord} wrote; signatures are verified when they are used. */
export function decodePeerRecord(bytes: Uint8Array): PeerRecord | undefined {
  const fields = readFields(bytes);
  fields.integer('v', 1, 1);
  const record: PeerRecord = {
    aid: fields.bytes('a', 32),
    establishment: objects(fields, 'est', LIMITS.establishmentLogEventsMax),
    boot: fields.optional('boot', (present) => object(present, present.nested('boot'))) ?? null,
    received: fields.optional('r', (present) => position(present, present.nested('r'))) ?? null,
    sent: fields.optional('s', (present) => position(present, present.nested('s'))) ?? null,
    ownCheckpoints: objects(fields, 'oc', CHECKPOINTS_KEPT),
    peerCheckpoints: objects(fields, 'pc', CHECKPOINTS_KEPT),
    trust: fields.blob('t', TRUST_BYTES_MAX),
    heardAt: fields.integer('at', 0, Number.MAX_SAFE_INTEGER),
  };
  const statement = fields.optional('st', (present) => object(present, present.nested('st')));
  return fields.sound ? { ...record, ...(statement === undefined ? {} : { statement }) } : undefined;
}

/** A signed object as a map. */
export function encodeObject(signed: SignedObject): RmpInput {
  return { b: signed.body, s: signed.sig };
}

function encodePosition(at: Position): RmpInput {
  return { i: at.incarnation, c: at.nonce, q: at.sequence, h: at.head };
}

function objects(fields: Fields, name: string, countMax: number): readonly SignedObject[] {
  return fields.list(name, countMax).map((value: RmpValue) => object(fields, new Fields(value)));
}

function object(outer: Fields, fields: Fields): SignedObject {
  const signed = { body: fields.blob('b', LIMITS.signedBodyBytesMax), sig: fields.bytes('s', 64) };
  outer.require(fields.sound, 'a signed object is malformed');
  return signed;
}

function position(outer: Fields, fields: Fields): Position {
  const at = {
    incarnation: fields.integer('i', 0, LIMITS.incarnationMax),
    nonce: fields.bytes('c', 16),
    sequence: fields.integer('q', 0, Number.MAX_SAFE_INTEGER),
    head: fields.bytes('h', 32),
  };
  outer.require(fields.sound, 'a position is malformed');
  return at;
}
