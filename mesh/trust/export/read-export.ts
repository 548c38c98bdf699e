/**
 * Reading an exported document: from foreign JSON to typed parts, or to the first item that is not one. Nothing is
 * verified here and nothing believed.
 */
import { fromHex } from '#core/bytes/bytes.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpValue } from '#core/msgpack/value.ts';
import type { Millis } from '#core/time/time.ts';
import { Fields, readFields } from '#mesh/hcth/fields.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import type { Position } from '#mesh/wire/message.ts';
import type { TrustEvent } from '../event.ts';
import { NEW_STATE, type TrustState } from '../fold.ts';
import { decodeState, parseEventLine } from '../history-codec.ts';
import { TRUST_LIMITS as LIMITS } from '../limits.ts';
import { TRUST_PROFILES, type TrustProfile } from '../profiles.ts';
import { plainDocument } from './plain-document.ts';

/** Where in the document: keys and indices from the top, `['peer', 'checkpoints', 1]`. */
export type ItemPath = readonly (string | number)[];

/** One of the two, as the document has it. */
export interface PartyPart {
  readonly aid: string;
  readonly fingerprint: string;
  readonly establishment: readonly SignedObject[];
  readonly boot: SignedObject | null;
  readonly statement: SignedObject | null;
  readonly checkpoints: readonly SignedObject[];
  readonly position: Position | null;
}

/** A document that has the right shape. */
export interface ExportParts {
  readonly at: Millis;
  readonly observer: PartyPart;
  readonly peer: PartyPart;
  readonly profile: TrustProfile;
  readonly base: TrustState;
  readonly events: readonly { readonly head: Uint8Array; readonly line: string; readonly event: TrustEvent }[];
  /** Proofs that the peer contradicted itself, encoded. */
  readonly proofs: readonly Uint8Array[];
  readonly stated: { readonly score: number; readonly level: number; readonly standing: string };
  readonly signature: Uint8Array;
  /** The bytes that the signature covers. */
  readonly signed: Uint8Array;
}

/** The parts, or the first item that is malformed. */
export type ExportReading =
  { readonly kind: 'parts'; readonly parts: ExportParts } | { readonly kind: 'malformed'; readonly at: ItemPath; readonly why: string };

const CHECKPOINTS_MAX = 16;
const PROOFS_MAX = 4;
const NUMBER_MAX = Number.MAX_SAFE_INTEGER;

/** Notes the first item that is not as it should be. */
class Notes {
  first: { readonly at: ItemPath; readonly why: string } | undefined;

  note(at: ItemPath, why: string): void {
    this.first ??= { at, why };
  }

  /** A reader of a nested map has said all it has to say. */
  end(at: ItemPath, fields: Fields): void {
    if (fields.fault !== undefined) this.note(at, fields.fault);
  }
}

/** Read a parsed JSON document. */
export function readExport(json: unknown): ExportReading {
  const malformed = (at: ItemPath, why: string): ExportReading => ({ kind: 'malformed', at, why });
  const document = plainDocument(json);
  if (document === undefined) return malformed([], 'it is not a document of texts and whole numbers of the expected size');
  const { signature, ...rest } = document;
  const signed = encodeRmp(rest);
  const notes = new Notes();
  const fields = readFields(signed);
  fields.oneOf('type', ['robonet-trust']);
  if (fields.fault?.includes('type') === true) return malformed(['type'], 'it is not a trust export');
  fields.integer('v', 2, 2);
  if (fields.fault?.startsWith('field v ') === true) return malformed(['v'], `version ${String(document['v'])} of the export is not known here, only 2`);
  const parts: ExportParts = {
    at: fields.integer('at', 0, NUMBER_MAX),
    observer: readParty(notes, fields, 'observer'),
    peer: readParty(notes, fields, 'peer'),
    profile: readProfile(notes, fields.nested('profile')),
    base: readBase(notes, fields.nested('base')),
    events: readEvents(notes, fields),
    proofs: fields.list('proofs', PROOFS_MAX).map((value, index) => readProof(notes, ['proofs', index], value)),
    stated: readResult(notes, fields.nested('result')),
    signature: readSignature(notes, signature),
    signed,
  };
  notes.end([], fields);
  return notes.first === undefined ? { kind: 'parts', parts } : malformed(notes.first.at, notes.first.why);
}

function readParty(notes: Notes, outer: Fields, name: 'observer' | 'peer'): PartyPart {
  const fields = outer.nested(name);
  if (name === 'peer') fields.text('name', 256);
  const party: PartyPart = {
    aid: fields.text('aid', 64),
    fingerprint: fields.text('fingerprint', 32),
    establishment: fields
      .list('establishment', HCTH_LIMITS.establishmentLogEventsMax)
      .map((value, index) => readObject(notes, [name, 'establishment', index], value)),
    boot: fields.optional('boot', (present) => readObjectFrom(notes, [name, 'boot'], present.nested('boot'))) ?? null,
    statement: fields.optional('statement', (present) => readObjectFrom(notes, [name, 'statement'], present.nested('statement'))) ?? null,
    checkpoints: fields.list('checkpoints', CHECKPOINTS_MAX).map((value, index) => readObject(notes, [name, 'checkpoints', index], value)),
    position: fields.optional('position', (present) => readPosition(notes, [name, 'position'], present.nested('position'))) ?? null,
  };
  notes.end([name], fields);
  return party;
}

function readPosition(notes: Notes, at: ItemPath, fields: Fields): Position {
  const position = {
    incarnation: fields.integer('incarnation', 0, HCTH_LIMITS.incarnationMax),
    nonce: readHex(notes, [...at, 'nonce'], fields.text('nonce', 32), 16),
    sequence: fields.integer('sequence', 0, NUMBER_MAX),
    head: readHex(notes, [...at, 'head'], fields.text('head', 64), 32),
  };
  notes.end(at, fields);
  return position;
}

function readProfile(notes: Notes, fields: Fields): TrustProfile {
  const profile = TRUST_PROFILES[fields.oneOf('name', ['lab', 'home', 'fleet'])];
  const lengthScale = fields.integer('lengthScale', 1, NUMBER_MAX);
  const timeScaleMs = fields.integer('timeScaleMs', 1, NUMBER_MAX);
  notes.end(['profile'], fields);
  if (lengthScale !== profile.lengthScale || timeScaleMs !== profile.timeScaleMs)
    notes.note(['profile'], `its scales are not those of the profile ${profile.name}`);
  return profile;
}

function readBase(notes: Notes, fields: Fields): TrustState {
  const base = decodeState(fields);
  notes.end(['base'], fields);
  return base ?? NEW_STATE;
}

function readEvents(notes: Notes, fields: Fields): ExportParts['events'] {
  const events: ExportParts['events'][number][] = [];
  for (const [index, value] of fields.list('events', LIMITS.historyEventsMax).entries()) {
    const text = typeof value === 'string' ? value : '';
    const head = readHex(notes, ['events', index], text.slice(0, 64), 32);
    const line = text.slice(65);
    const event = text[64] === ' ' ? parseEventLine(line) : undefined;
    if (event === undefined) notes.note(['events', index], 'it is not an event of a history');
    else events.push({ head, line, event });
  }
  return events;
}

function readProof(notes: Notes, at: ItemPath, value: RmpValue): Uint8Array {
  const bytes = typeof value === 'string' ? lowerHex(value) : undefined;
  if (bytes !== undefined && bytes.length <= HCTH_LIMITS.proofBytesMax) return bytes;
  notes.note(at, 'it is not a proof in lower-case hexadecimal');
  return new Uint8Array(0);
}

function readResult(notes: Notes, fields: Fields): ExportParts['stated'] {
  const stated = { score: fields.integer('score', 0, 10_000), level: fields.integer('level', 0, 4), standing: fields.text('standing', 16) };
  notes.end(['result'], fields);
  return stated;
}

function readSignature(notes: Notes, signature: unknown): Uint8Array {
  if (typeof signature === 'string') return readHex(notes, ['signature'], signature, 64);
  notes.note(['signature'], 'the document carries no signature');
  return new Uint8Array(64);
}

function readObject(notes: Notes, at: ItemPath, value: RmpValue): SignedObject {
  return readObjectFrom(notes, at, new Fields(value));
}

function readObjectFrom(notes: Notes, at: ItemPath, fields: Fields): SignedObject {
  const body = lowerHex(fields.text('body', HCTH_LIMITS.signedBodyBytesMax * 2));
  if (body === undefined) notes.note(at, 'its body is not lower-case hexadecimal');
  const sig = readHex(notes, at, fields.text('sig', 128), 64);
  notes.end(at, fields);
  return { body: body ?? new Uint8Array(0), sig };
}

function readHex(notes: Notes, at: ItemPath, text: string, byteCount: number): Uint8Array {
  const bytes = lowerHex(text);
  if (bytes?.length === byteCount) return bytes;
  notes.note(at, `it does not hold ${byteCount} bytes in lower-case hexadecimal`);
  return new Uint8Array(byteCount);
}

/** One spelling, so that one document has one signature. */
function lowerHex(text: string): Uint8Array | undefined {
  return /[A-F]/.test(text) ? undefined : fromHex(text);
}
