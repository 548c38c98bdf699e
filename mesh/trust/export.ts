/**
 * The trust export: one JSON document from which anybody can recompute a score without the mesh (protocol.md §2.16,
 * SECU-02). It holds the history, the result, the peer's signed evidence, and the observer's signature over all of it.
 * Integers and texts only, so that the document has exactly one canonical encoding to sign.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { CryptoPort, SignKey } from '#core/crypto/crypto.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput } from '#core/msgpack/value.ts';
import type { Millis } from '#core/time/time.ts';
import type { Established } from '#mesh/hcth/establishment.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import type { SignedObject } from '#mesh/hcth/signed-object.ts';
import { foldHistory, type TrustHistory } from './history.ts';
import { encodeState, eventLine } from './history-codec.ts';
import type { TrustProfile } from './profiles.ts';
import { scoreOf } from './score.ts';

/** What is exported. */
export interface TrustExportSource {
  readonly observer: { readonly established: Established; readonly signKey: SignKey };
  readonly peer: { readonly established: Established; readonly name: string };
  readonly profile: TrustProfile;
  readonly history: TrustHistory;
  /** Newest checkpoints of the peer to this observer. */
  readonly checkpoints: readonly SignedObject[];
  readonly at: Millis;
}

/** Plain JSON: texts, integers, arrays, objects. */
export type JsonDocument = { readonly [key: string]: RmpInput | undefined };

/** The document, signed. */
export function exportTrust(crypto: CryptoPort, source: TrustExportSource): JsonDocument {
  const { observer, peer, profile, history } = source;
  const state = foldHistory(history, profile);
  const document: JsonDocument = {
    v: 1,
    type: 'robonet-trust',
    at: Math.floor(source.at),
    observer: {
      aid: aidText(observer.established.aid),
      fingerprint: fingerprintOf(observer.established.aid),
      establishment: observer.established.events.map(hexObject),
    },
    peer: {
      aid: aidText(peer.established.aid),
      fingerprint: fingerprintOf(peer.established.aid),
      name: peer.name,
      establishment: peer.established.events.map(hexObject),
    },
    profile: { name: profile.name, lengthScale: profile.lengthScale, timeScaleMs: profile.timeScaleMs },
    base: encodeState(history.base),
    events: history.events.map(eventLine),
    checkpoints: source.checkpoints.map(hexObject),
    result: { score: scoreOf(state, profile), level: state.level, standing: state.standing },
  };
  return { ...document, signature: hex(crypto.sign(observer.signKey, labelled(LABELS.trustExport), encodeRmp(document))) };
}

function hexObject(object: SignedObject): RmpInput {
  return { body: hex(object.body), sig: hex(object.sig) };
}
