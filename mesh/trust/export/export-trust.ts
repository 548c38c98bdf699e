/**
 * The trust export: one JSON document from which anybody can recompute a score without the mesh (protocol.md §2.16,
 * SECU-02). It holds the history as a hash chain, the result, what both parties have signed of their common chain, and
 * the observer's signature over all of it. Integers and texts only, so that the document has exactly one encoding to sign.
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
import type { Position } from '#mesh/wire/message.ts';
import { foldHistory, type TrustHistory } from '../history.ts';
import { encodeState, eventLine } from '../history-codec.ts';
import type { TrustProfile } from '../profiles.ts';
import { scoreOf } from '../score.ts';
import { historyGenesis, historyHead } from './history-chain.ts';
import type { JsonDocument } from './plain-document.ts';

/** What one of the two has signed. */
export interface ExportParty {
  readonly established: Established;
  /** Its newest boot event that the observer knows. */
  readonly boot: SignedObject | null;
  /** Its newest statement that the observer knows: a root over all its links. */
  readonly statement: SignedObject | null;
  /** Its newest checkpoints to the other, oldest first. */
  readonly checkpoints: readonly SignedObject[];
  /** How far its direction of the link has come, as the observer knows it. */
  readonly position: Position | null;
}

/** What is exported. */
export interface TrustExportSource {
  readonly observer: ExportParty & { readonly signKey: SignKey };
  readonly peer: ExportParty & { readonly name: string };
  /** Encoded proofs that the peer contradicted itself. */
  readonly proofs: readonly Uint8Array[];
  readonly profile: TrustProfile;
  readonly history: TrustHistory;
  readonly at: Millis;
}

/** The document, signed. */
export function exportTrust(crypto: CryptoPort, source: TrustExportSource): JsonDocument {
  const { observer, peer, profile, history } = source;
  const state = foldHistory(history, profile);
  const document: JsonDocument = {
    v: 2,
    type: 'robonet-trust',
    at: Math.floor(source.at),
    observer: partyOf(observer),
    peer: { ...partyOf(peer), name: peer.name },
    profile: { name: profile.name, lengthScale: profile.lengthScale, timeScaleMs: profile.timeScaleMs },
    base: encodeState(history.base),
    events: chainedLines(crypto, source),
    proofs: source.proofs.map(hex),
    result: { score: scoreOf(state, profile), level: state.level, standing: state.standing },
  };
  return { ...document, signature: hex(crypto.sign(observer.signKey, labelled(LABELS.trustExport), encodeRmp(document))) };
}

/** Each line behind the head that closes it. */
function chainedLines(crypto: CryptoPort, { observer, peer, history }: TrustExportSource): readonly string[] {
  let head = historyGenesis(crypto, observer.established.aid, peer.established.aid, history.base);
  return history.events.map((event) => {
    const line = eventLine(event);
    head = historyHead(crypto, head, line);
    return `${hex(head)} ${line}`;
  });
}

function partyOf({ established, boot, statement, checkpoints, position }: ExportParty): JsonDocument {
  return {
    aid: aidText(established.aid),
    fingerprint: fingerprintOf(established.aid),
    establishment: established.events.map(hexObject),
    ...(boot === null ? {} : { boot: hexObject(boot) }),
    ...(statement === null ? {} : { statement: hexObject(statement) }),
    checkpoints: checkpoints.map(hexObject),
    ...(position === null
      ? {}
      : { position: { incarnation: position.incarnation, nonce: hex(position.nonce), sequence: position.sequence, head: hex(position.head) } }),
  };
}

function hexObject(object: SignedObject): RmpInput {
  return { body: hex(object.body), sig: hex(object.sig) };
}
