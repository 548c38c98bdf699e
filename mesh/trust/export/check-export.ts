/**
 * The offline checker: from an exported document alone it verifies every signature, the history's chain, the signed
 * evidence of both parties, and recomputes the score (SECU-02, T-17 ff). It trusts nothing in the file: the result in it is
 * compared, not believed; the first item that does not hold is named by its place. Needs no mesh, no network and no keys.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { verifyEstablishment } from '#mesh/hcth/establishment.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { labelled, LABELS } from '#mesh/hcth/labels.ts';
import { explainTrust } from '../explain.ts';
import { foldHistory } from '../history.ts';
import type { TrustLevel } from '../levels.ts';
import { type Score, scoreNumber, scoreOf } from '../score.ts';
import { checkEvidence, checkProofs, type Finding, type Party } from './check-evidence.ts';
import { historyGenesis, historyHead } from './history-chain.ts';
import { type ExportParts, type ItemPath, readExport } from './read-export.ts';

/** What does not hold: shape, a party's identity, the history's chain, signed evidence, the signature, the result. */
export type ExportFault = 'malformed' | 'identity' | 'history' | 'evidence' | 'signature' | 'result';

/** What the checker found. */
export type ExportVerdict =
  | {
      readonly kind: 'consistent';
      readonly score: Score;
      readonly level: TrustLevel;
      readonly observer: string;
      readonly peer: string;
      /** Lines of the history. */
      readonly events: number;
      /** Rotations, boot events, statements, checkpoints and proofs whose signatures were verified. */
      readonly verified: {
        readonly rotations: number;
        readonly boots: number;
        readonly statements: number;
        readonly checkpoints: number;
        readonly proofs: number;
      };
      readonly lines: readonly string[];
    }
  | { readonly kind: 'refused'; readonly fault: ExportFault; readonly at: ItemPath; readonly why: string };

/** Check a parsed JSON document. */
export function checkTrustExport(crypto: CryptoPort, json: unknown): ExportVerdict {
  const refused = (fault: ExportFault, { at, why }: Finding): ExportVerdict => ({ kind: 'refused', fault, at, why });
  const reading = readExport(json);
  if (reading.kind === 'malformed') return refused('malformed', reading);
  const { parts } = reading;
  const observer = openParty(crypto, parts, 'observer');
  if ('why' in observer) return refused('identity', observer);
  const peer = openParty(crypto, parts, 'peer');
  if ('why' in peer) return refused('identity', peer);
  const broken = checkHistory(crypto, parts, observer, peer);
  if (broken !== undefined) return refused('history', broken);
  const evidence = checkEvidence(crypto, observer, peer);
  if (evidence !== undefined) return refused('evidence', evidence);
  const proof = checkProofs(crypto, peer, parts.proofs);
  if (proof !== undefined) return refused('evidence', proof);
  if (!crypto.verify(observer.established.signKey, parts.signature, labelled(LABELS.trustExport), parts.signed))
    return refused('signature', { at: ['signature'], why: 'the document is not signed by its observer; something in it was changed, or it never was' });
  const { profile, stated } = parts;
  const history = { base: parts.base, events: parts.events.map(({ event }) => event) };
  const state = foldHistory(history, profile);
  const score = scoreOf(state, profile);
  if (stated.score !== score || stated.level !== state.level || stated.standing !== state.standing) {
    const [says, gives] = [numbers(stated.score, stated.level, stated.standing), numbers(score, state.level, state.standing)];
    return refused('result', { at: ['result'], why: `it states ${says}, but its own events give ${gives}` });
  }
  const both = [observer, peer];
  return {
    kind: 'consistent',
    score,
    level: state.level,
    observer: aidText(observer.established.aid),
    peer: aidText(peer.established.aid),
    events: parts.events.length,
    verified: {
      rotations: sum(both.map((party) => party.established.rotations)),
      boots: sum(both.map((party) => (party.part.boot === null ? 0 : 1))),
      statements: sum(both.map((party) => (party.part.statement === null ? 0 : 1))),
      checkpoints: sum(both.map((party) => party.part.checkpoints.length)),
      proofs: parts.proofs.length,
    },
    lines: [...explainTrust(history, profile), ...wordOnly(state.standing, parts.proofs.length)],
  };
}

function numbers(score: Score, level: number, standing: string): string {
  return `trust ${scoreNumber(score).toFixed(4)}, level T${level}, ${standing}`;
}

/** What the document says and does not prove. */
function wordOnly(standing: string, proofs: number): readonly string[] {
  return standing === 'convicted' && proofs === 0 ? ['It is convicted, but no proof of it is in the document: that rests on the word of the observer.'] : [];
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** The party with its verified establishment log, or what is wrong with it. */
function openParty(crypto: CryptoPort, parts: ExportParts, name: 'observer' | 'peer'): Party | Finding {
  const part = parts[name];
  const verdict = verifyEstablishment(crypto, part.establishment);
  if (verdict.kind === 'bad') return { at: [name, 'establishment', verdict.at], why: verdict.why };
  const { established } = verdict;
  if (aidText(established.aid) !== part.aid) return { at: [name, 'aid'], why: 'it is not the identity that its establishment log proves' };
  if (fingerprintOf(established.aid) !== part.fingerprint) return { at: [name, 'fingerprint'], why: 'it is not that of the identity' };
  return { name, part, established };
}

/** The first event whose head does not follow from the heads before it. */
function checkHistory(crypto: CryptoPort, parts: ExportParts, observer: Party, peer: Party): Finding | undefined {
  let head = historyGenesis(crypto, observer.established.aid, peer.established.aid, parts.base);
  for (const [index, event] of parts.events.entries()) {
    head = historyHead(crypto, head, event.line);
    if (!bytesEqual(head, event.head))
      return { at: ['events', index], why: `"${event.line}" does not continue the history: it, one before it, or the base was changed, dropped or moved` };
  }
  return undefined;
}
