/** Targets of trust: stored histories and the export that anybody may be handed. */
import { hex } from '#core/bytes/bytes.ts';
import { decodeRmp } from '#core/msgpack/decode.ts';
import { encodeRmp } from '#core/msgpack/encode.ts';
import type { RmpInput, RmpValue } from '#core/msgpack/value.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { checkTrustExport } from '#mesh/trust/export/check-export.ts';
import { exportTrust } from '#mesh/trust/export/export-trust.ts';
import { decodeHistory, encodeHistory, parseEventLines } from '#mesh/trust/history-codec.ts';
import { foldHistory, NEW_HISTORY, type TrustHistory } from '#mesh/trust/history.ts';
import { TRUST_PROFILES } from '#mesh/trust/profiles.ts';
import { scoreOf } from '#mesh/trust/score.ts';
import { checkTrustDocument } from '#scripts/check-trust.mjs';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { crypto } from '#test/kit/identities.ts';
import { ada, exportStory } from '#test/kit/trust-exports.ts';
import { promise, sameBytes } from '../promises.ts';

const profile = TRUST_PROFILES.home;
const history: TrustHistory = {
  base: NEW_HISTORY.base,
  events:
    parseEventLines([
      'c 1000 8',
      'a 600000',
      'b B2 1700000000000 its disk was rolled back',
      'n 60000',
      'c 1 3 10',
      'b PV 1700000001000 x',
      's 1700000002000',
      'b B4 3 y',
    ]) ?? [],
};

const trustHistory: FuzzTarget = {
  name: 'trust-history',
  promise: 'a stored history gives a score between 0 and 1, the same for the same bytes, and is stored again as what is read as the same',
  bytesMax: 8_192,
  seeds: () => [encodeHistory(NEW_HISTORY), encodeHistory(history)],
  run: (input) => {
    const read = decodeHistory(input);
    if (read === undefined) return false;
    const again = encodeHistory(read);
    const second = decodeHistory(again);
    promise(second !== undefined, 'what was stored again is not read');
    sameBytes(encodeHistory(second), again, 'stored a second time');
    const state = foldHistory(read, profile);
    const score = scoreOf(state, profile);
    promise(Number.isInteger(score) && score >= 0 && score <= 10_000, `a score of ${score}`);
    promise(score === scoreOf(foldHistory(second, profile), profile), 'two readings give two scores');
    promise(state.standing !== 'convicted' || score === 0, 'a convict with a score');
    return true;
  },
};

function exported(): ReturnType<typeof exportTrust> {
  return exportTrust(crypto, { ...exportStory(), profile, history, at: 1_700_000_002_000 });
}

/** A document as RMP, which the mutations understand; it is checked as JSON. */
const trustExport: FuzzTarget = {
  name: 'trust-export',
  promise:
    'whatever an exported document says, under whichever signature of its observer, two checkers that share no code agree about it (but the one is stricter about form)',
  bytesMax: 16_384,
  seeds: () => [encodeRmp(exported())],
  // The observer signs whatever stands there: a liar with the observer's own key.
  repair: (input) => {
    const document = documentOf(input);
    if (document === undefined) return input;
    const signed = signedAgain(document);
    return signed === undefined ? input : encodeRmp(signed);
  },
  run: (input) => {
    const document = documentOf(input);
    const verdict = checkTrustExport(crypto, document);
    const second = checkTrustDocument(document);
    // The agent's own checker is the stricter about form (unknown fields); about everything else they must agree.
    const isForm = verdict.kind === 'refused' && verdict.fault === 'malformed';
    const agree = (verdict.kind === 'consistent') === second.holds || (isForm && second.holds);
    promise(agree, `the first checker says ${JSON.stringify(verdict).slice(0, 200)}, the second ${JSON.stringify(second)}`);
    if (verdict.kind !== 'consistent' || document === undefined) return false;
    promise(second.holds && second.score === verdict.score, 'the two checkers find two scores');
    promise(verdict.score >= 0 && verdict.score <= 10_000, `a score of ${verdict.score}`);
    return true;
  },
};

type PlainDocument = Readonly<Record<string, RmpInput>>;

function documentOf(input: Uint8Array): PlainDocument | undefined {
  const decoded = decodeRmp(input);
  if (decoded.kind === 'refused' || !(decoded.value instanceof Map)) return undefined;
  const document: PlainDocument = JSON.parse(JSON.stringify(json(decoded.value)));
  return document;
}

function signedAgain(document: PlainDocument): PlainDocument | undefined {
  const signed = Object.fromEntries(Object.entries(document).filter(([key]) => key !== 'signature'));
  try {
    return { ...signed, signature: hex(crypto.sign(ada.signKey, labelled(LABELS.trustExport), encodeRmp(signed))) };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

function json(value: RmpValue): unknown {
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, json(item)]));
  if (value instanceof Uint8Array) return hex(value);
  return Array.isArray(value) ? value.map((item: RmpValue) => json(item)) : value;
}

export const trustTargets: readonly FuzzTarget[] = [trustHistory, trustExport];
