/**
 * The encrypted payload of HS2 and HS3 (protocol.md §2.4, §2.9): who I am, since when, signed over this very handshake,
 * and where our shared history stands. Nothing in it is believed until HCTH has verified the signatures.
 */
import { binField, binOf, intOf, listField, listOf, mapOf, strField } from '#core/msgpack/fields.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput, RmpMap, RmpValue } from '#core/msgpack/value.ts';
import type { Decoded } from '../decoded.ts';
import { ESTABLISHMENT_EVENTS_INLINE_MAX, NAME_BYTES_MAX } from '../limits.ts';
import type { EstablishmentPart, HandshakePayload, Position, ResumeBlock, SignedBytes } from '../message.ts';
import { type DocumentForm, decodeDocument } from './document.ts';
import { SIGNATURE_BYTES, signedListOf, signedOf } from './positional.ts';

/** Bytes of SHA-256 digests: identities, heads, mesh ids. */
export const DIGEST_BYTES = 32;
/** Bytes of a boot nonce. */
export const NONCE_BYTES = 16;
const INCARNATION_MAX = 0xffff_ffff;

/** The plaintext payload of HS2 or HS3. */
export function encodeHandshakePayload(payload: HandshakePayload): Uint8Array {
  const { establishment } = payload;
  return encodeRmp({
    ad: payload.seenAt,
    boot: signed(payload.boot),
    est: establishment.kind === 'events' ? establishment.events.map(signed) : { d: establishment.digest, n: establishment.count },
    hwq: payload.hardwareQuote ?? undefined,
    lg: [payload.ledger.term, payload.ledger.commit],
    nm: payload.name,
    rec: payload.record ?? undefined,
    rs: payload.resume === null ? undefined : resumeInput(payload.resume),
    sg: payload.binding,
  });
}

/** Decode the plaintext payload of HS2 or HS3. */
export function decodeHandshakePayload(payload: Uint8Array): Decoded<HandshakePayload> {
  return decodeDocument(form, payload);
}

const form: DocumentForm<HandshakePayload> = {
  name: 'handshake payload',
  fields: ['ad', 'boot', 'est', 'hwq', 'lg', 'nm', 'rec', 'rs', 'sg'],
  mode: 'signed',
  read: readPayload,
};

function readPayload(map: RmpMap): HandshakePayload | undefined {
  const establishment = establishmentOf(map.get('est'));
  const boot = signedOf(map.get('boot'));
  const binding = binField(map, 'sg', SIGNATURE_BYTES);
  const ledger = listField(map, 'lg', 2);
  const term = intOf(ledger?.[0]);
  const commit = intOf(ledger?.[1]);
  const resume = map.has('rs') ? resumeOf(map.get('rs')) : null;
  const hardwareQuote = map.has('hwq') ? binField(map, 'hwq') : null;
  const record = map.has('rec') ? binField(map, 'rec') : null;
  if (establishment === undefined || boot === undefined || binding === undefined || term === undefined || commit === undefined) return undefined;
  const name = map.has('nm') ? strField(map, 'nm', NAME_BYTES_MAX) : null;
  const seenAt = map.has('ad') ? strField(map, 'ad', NAME_BYTES_MAX) : null;
  if (resume === undefined || hardwareQuote === undefined || record === undefined || name === undefined || seenAt === undefined) return undefined;
  return {
    kind: 'handshake-payload',
    establishment,
    boot,
    binding,
    resume,
    ledger: { term, commit },
    hardwareQuote,
    record,
    ...(name === null ? {} : { name }),
    ...(seenAt === null ? {} : { seenAt }),
  };
}

function establishmentOf(value: RmpValue | undefined): EstablishmentPart | undefined {
  const events = signedListOf(value, ESTABLISHMENT_EVENTS_INLINE_MAX);
  if (events !== undefined) return events.length > 0 ? { kind: 'events', events } : undefined;
  const map = mapOf(value);
  if (map?.size !== 2) return undefined;
  const digest = binField(map, 'd', DIGEST_BYTES);
  const count = intOf(map.get('n'), 1);
  return digest === undefined || count === undefined ? undefined : { kind: 'digest', digest, count };
}

// A resume block is [own checkpoint | nil, peer checkpoint | nil, sent, received | nil].
/** A resume block as an RMP value; ACCEPT carries one too. */
export function resumeInput(resume: ResumeBlock): RmpInput {
  return [
    resume.ownCheckpoint === null ? null : signed(resume.ownCheckpoint),
    resume.peerCheckpoint === null ? null : signed(resume.peerCheckpoint),
    position(resume.sent),
    resume.received === null ? null : position(resume.received),
  ];
}

/** The counterpart of {@link resumeInput}. */
export function resumeOf(value: RmpValue | undefined): ResumeBlock | undefined {
  const list = listOf(value, 4);
  if (list?.length !== 4) return undefined;
  const ownCheckpoint = orNull(list[0], signedOf);
  const peerCheckpoint = orNull(list[1], signedOf);
  const sent = positionOf(list[2]);
  const received = orNull(list[3], positionOf);
  if (ownCheckpoint === undefined || peerCheckpoint === undefined || sent === undefined || received === undefined) return undefined;
  return { ownCheckpoint, peerCheckpoint, sent, received };
}

function orNull<T>(value: RmpValue | undefined, read: (value: RmpValue | undefined) => T | undefined): T | null | undefined {
  return value === null ? null : read(value);
}

function position(at: Position): RmpInput {
  return [at.incarnation, at.nonce, at.sequence, at.head];
}

function positionOf(value: RmpValue | undefined): Position | undefined {
  const list = listOf(value, 4);
  const incarnation = intOf(list?.[0], 0, INCARNATION_MAX);
  const nonce = binOf(list?.[1], NONCE_BYTES);
  const sequence = intOf(list?.[2]);
  const head = binOf(list?.[3], DIGEST_BYTES);
  if (incarnation === undefined || nonce === undefined || sequence === undefined || head === undefined) return undefined;
  return { incarnation, nonce, sequence, head };
}

function signed(object: SignedBytes): RmpInput {
  return [object.body, object.sig];
}
