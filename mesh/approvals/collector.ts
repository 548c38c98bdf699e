/**
 * Decisions as they come in by gossip, in any order and more than once, until there are enough for a certificate or a veto.
 * Every voter collects, so that another can propose where the leader does not; whoever proposes cannot add to it. A voter
 * has one word: the first that is seen here stands.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { aidText } from '#mesh/hcth/identity-text.ts';
import { operationOf } from './catalogue.ts';
import { hasSay, partiesOf } from './certificate.ts';
import { neededForRequest, vetoFault } from './apply.ts';
import { type Decision, type DecisionSet, verifyDecision } from './decision.ts';
import { type Electorate, voterOf } from './electorate.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { type Approvals, openRequests, type RequestState } from './state.ts';

/** What can be proposed. */
export interface Ripe {
  readonly kind: 'commit' | 'veto';
  readonly state: RequestState;
  readonly set: DecisionSet;
}

/** See the header. */
export class DecisionCollector {
  readonly #crypto: CryptoPort;
  /** By digest of the request, then by voter. */
  readonly #decisions = new Map<string, Map<string, Decision>>();

  constructor(crypto: CryptoPort) {
    this.#crypto = crypto;
  }

  /** Take one; whether it is news, to be passed on. Whether it counts is asked when it is used: keys and voters change. */
  add(decision: Decision): boolean {
    const key = hex(decision.digest);
    const known = this.#decisions.get(key) ?? new Map<string, Decision>();
    const voter = aidText(decision.voter);
    if (known.has(voter) || known.size >= LIMITS.votersMax) return false;
    this.#decisions.set(key, known.set(voter, decision));
    for (const oldest of this.#decisions.keys()) {
      if (this.#decisions.size <= LIMITS.earlyDecisionsMax) break;
      this.#decisions.delete(oldest);
    }
    return true;
  }

  /** Decisions on a request that count now. */
  of(state: RequestState, electorate: Electorate): readonly Decision[] {
    return [...(this.#decisions.get(hex(state.request.digest))?.values() ?? [])].filter((decision) => {
      const voter = voterOf(electorate, decision.voter);
      return voter !== undefined && hasSay(state.order, decision.voter) && verifyDecision(this.#crypto, voter.signKey, decision);
    });
  }

  /** Everything that can be proposed now; also forgets what is settled. */
  ripe(approvals: Approvals, electorate: Electorate): readonly Ripe[] {
    const settled = [...approvals.requests.values()].filter(({ phase }) => phase !== 'open');
    for (const { request } of settled) this.#decisions.delete(hex(request.digest));
    return openRequests(approvals).flatMap((state): readonly Ripe[] => {
      const { digest } = state.request;
      const all = this.of(state, electorate);
      const noes = all.filter(({ approves }) => !approves);
      const veto = { digest, decisions: noes };
      if (noes.length > 0 && vetoFault(this.#crypto, approvals, electorate, state, veto) === undefined) return [{ kind: 'veto', state, set: veto }];
      const needed = neededForRequest(approvals, state.order, electorate.voters.length);
      const yeses = all.filter(({ approves, voter }) => approves && (voterOf(electorate, voter)?.score ?? electorate.scoreMin) >= electorate.scoreMin);
      const personMissing = operationOf(state.order.operation)?.person === true && !yeses.some(({ person }) => person);
      if (needed === null || personMissing || partiesOf(state.request, yeses) < needed) return [];
      return [{ kind: 'commit', state, set: { digest, decisions: yeses } }];
    });
  }
}
