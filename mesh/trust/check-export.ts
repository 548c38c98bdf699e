/**
 * The offline checker: from an exported document alone it verifies every signature and recomputes the score (SECU-02).
 * It trusts nothing in the file: the result in it is compared, not believed. Needs no mesh, no network and no keys.
 */
import { fromHex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';
import { type Checkpoint, compareCheckpoints, checkpointsConflict, openCheckpoint } from '#mesh/hcth/checkpoint.ts';
import { type Established, verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { Fields, readFields } from '#mesh/hcth/fields.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import { HCTH_LIMITS } from '#mesh/hcth/limits.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { explainTrust } from './explain.ts';
import { foldHistory } from './history.ts';
import { decodeState, parseEventLines } from './history-codec.ts';
import type { TrustLevel } from './levels.ts';
import { TRUST_LIMITS as LIMITS } from './limits.ts';
import { TRUST_PROFILES } from './profiles.ts';
import { type Score, scoreNumber, scoreOf } from './score.ts';

/** What the checker found. */
export type ExportVerdict =
  | {
      readonly kind: 'consistent';
      readonly score: Score;
      readonly level: TrustLevel;
      readonly observer: string;
      readonly peer: string;
      /** Signed checkpoints that were verified. */
      readonly checkpoints: number;
      readonly lines: readonly string[];
    }
  | { readonly kind: 'differs'; readonly stated: string; readonly recomputed: string }
  | { readonly kind: 'not-signed'; readonly why: string }
  | { readonly kind: 'malformed'; readonly why: string };

const CHECKPOINTS_MAX = 16;
const DEPTH_MAX = 8;
const NODES_MAX = 2_048;

/** Check a parsed JSON document. */
export function checkTrustExport(crypto: CryptoPort, json: unknown): ExportVerdict {
  const malformed = (why: string): ExportVerdict => ({ kind: 'malformed', why });
  const document = plainDocument(json);
  if (document === undefined) return malformed('it is not a document of texts and whole numbers of the expected size');
  const { signature, ...signed } = document;
  const signedBytes = encodeRmp(signed);
  const fields = readFields(signedBytes);
  fields.integer('v', 1, 1);
  fields.oneOf('type', ['robonet-trust']);
  fields.integer('at', 0, Number.MAX_SAFE_INTEGER);
  const observer = openParty(crypto, fields, 'observer');
  const peer = openParty(crypto, fields, 'peer');
  const profileName = fields.nested('profile');
  const profile = TRUST_PROFILES[profileName.oneOf('name', ['lab', 'home', 'fleet'])];
  const scales = [profileName.integer('lengthScale', 1, Number.MAX_SAFE_INTEGER), profileName.integer('timeScaleMs', 1, Number.MAX_SAFE_INTEGER)];
  const base = decodeState(fields.nested('base'));
  const events = parseEventLines(fields.list('events', LIMITS.historyEventsMax).map((line) => (typeof line === 'string' ? line : '?')));
  const checkpoints = fields.list('checkpoints', CHECKPOINTS_MAX).map(openHexObject);
  const result = fields.nested('result');
  const stated = { score: result.integer('score', 0, 10_000), level: result.integer('level', 0, 4), standing: result.text('standing', 16) };
  if (!fields.sound || !profileName.sound || !result.sound) return malformed(fields.fault ?? profileName.fault ?? result.fault ?? 'it does not decode');
  if (base === undefined) return malformed('its base does not decode');
  if (events === undefined) return malformed('one of its events does not decode');
  if (scales[0] !== profile.lengthScale || scales[1] !== profile.timeScaleMs) return malformed(`its scales are not those of the profile ${profile.name}`);
  if (typeof observer === 'string') return { kind: 'not-signed', why: `the observer's ${observer}` };
  if (typeof peer === 'string') return { kind: 'not-signed', why: `the peer's ${peer}` };
  const sig = typeof signature === 'string' ? fromHex(signature) : undefined;
  if (sig === undefined || !crypto.verify(observer.signKey, sig, labelled(LABELS.trustExport), signedBytes))
    return { kind: 'not-signed', why: 'the document is not signed by its observer; it was changed, or never signed' };
  const evidence = checkEvidence(crypto, peer, observer, checkpoints);
  if (evidence !== undefined) return { kind: 'not-signed', why: evidence };
  const history = { base, events };
  const state = foldHistory(history, profile);
  const score = scoreOf(state, profile);
  const same = stated.score === score && stated.level === state.level && stated.standing === state.standing;
  if (!same) return { kind: 'differs', stated: reading(stated.score, stated.level, stated.standing), recomputed: reading(score, state.level, state.standing) };
  return {
    kind: 'consistent',
    score,
    level: state.level,
    observer: aidText(observer.aid),
    peer: aidText(peer.aid),
    checkpoints: checkpoints.length,
    lines: explainTrust(history, profile),
  };
}

function reading(score: Score, level: number, standing: string): string {
  return `trust ${scoreNumber(score).toFixed(4)}, level T${level}, ${standing}`;
}

/** Every checkpoint must be the peer's, addressed to the observer, and none may contradict another. */
function checkEvidence(crypto: CryptoPort, peer: Established, observer: Established, objects: readonly (SignedObject | undefined)[]): string | undefined {
  const opened: Checkpoint[] = [];
  for (const [index, object] of objects.entries()) {
    const checkpoint = object === undefined ? undefined : openCheckpoint(crypto, peer, observer.aid, object);
    if (checkpoint === undefined) return `checkpoint ${index + 1} is not signed by the peer for this observer`;
    const before = opened.at(-1);
    if (before !== undefined && checkpointsConflict(before, checkpoint))
      return `checkpoints ${index} and ${index + 1} contradict each other: the peer has signed two different things for one place`;
    if (before !== undefined && compareCheckpoints(before, checkpoint) > 0) return `checkpoint ${index + 1} is older than the one before it`;
    opened.push(checkpoint);
  }
  return undefined;
}

/** The party's verified establishment log, or what is wrong with it. */
function openParty(crypto: CryptoPort, outer: Fields, name: 'observer' | 'peer'): Established | string {
  const fields = outer.nested(name);
  const aid = fields.text('aid', 64);
  const fingerprint = fields.text('fingerprint', 32);
  if (name === 'peer') fields.text('name', 256);
  const events: SignedObject[] = [];
  for (const value of fields.list('establishment', HCTH_LIMITS.establishmentLogEventsMax)) {
    const event = openHexObject(value);
    if (event !== undefined) events.push(event);
  }
  outer.require(fields.sound, `${name} is malformed: ${fields.fault ?? ''}`);
  const verdict = verifyEstablishment(crypto, events);
  if (verdict.kind === 'bad') return `establishment log is not valid: ${verdict.why}`;
  const { established } = verdict;
  return aidText(established.aid) === aid && fingerprintOf(established.aid) === fingerprint
    ? established
    : 'identity is not the one its establishment log proves';
}

function openHexObject(value: RmpValue): SignedObject | undefined {
  const fields = new Fields(value);
  const body = fromHex(fields.text('body', HCTH_LIMITS.signedBodyBytesMax * 2));
  const sig = fromHex(fields.text('sig', 128));
  return fields.sound && body !== undefined && sig?.length === 64 ? { body, sig } : undefined;
}

/** The document as encodable values; `undefined` for floats, foreign types, forbidden keys, too much or too deep. */
function plainDocument(json: unknown): { readonly [key: string]: RmpInput } | undefined {
  const budget = { nodes: NODES_MAX };
  const value = plainValue(json, DEPTH_MAX, budget);
  return isPlainObject(value) ? value : undefined;
}

function plainValue(json: unknown, depth: number, budget: { nodes: number }): RmpInput | undefined {
  budget.nodes -= 1;
  if (depth < 0 || budget.nodes < 0) return undefined;
  if (typeof json === 'string') return json.length <= HCTH_LIMITS.signedBodyBytesMax * 2 ? json : undefined;
  if (typeof json === 'number') return Number.isSafeInteger(json) && !Object.is(json, -0) ? json : undefined;
  if (Array.isArray(json)) {
    const items: RmpInput[] = [];
    for (const item of json) {
      const value = plainValue(item, depth - 1, budget);
      if (value === undefined) return undefined;
      items.push(value);
    }
    return items;
  }
  if (typeof json !== 'object' || json === null) return undefined;
  const entries: [string, RmpInput][] = [];
  for (const [key, item] of Object.entries(json)) {
    const value = plainValue(item, depth - 1, budget);
    if (value === undefined || !/^[A-Za-z0-9]{1,32}$/.test(key) || key === 'constructor' || key === 'prototype') return undefined;
    entries.push([key, value]);
  }
  return Object.fromEntries(entries);
}

function isPlainObject(value: RmpInput | undefined): value is { readonly [key: string]: RmpInput } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Map);
}
