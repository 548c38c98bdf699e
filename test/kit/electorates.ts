/** Voters and requests for tests of approvals: everything from names, real signatures. */
import { applyApproval, APPROVAL_ENTRIES, type AppliedApproval } from '#mesh/approvals/apply.ts';
import { type Decision, encodeDecisions, makeDecision } from '#mesh/approvals/decision.ts';
import type { Electorate } from '#mesh/approvals/electorate.ts';
import { makeOutcome, type OutcomeResult, packOutcome } from '#mesh/approvals/outcome.ts';
import { encodeRequestEntry, makeRequest, type Order, type RequestEntry, type RequestTerms } from '#mesh/approvals/request.ts';
import { type Approvals, NO_APPROVALS, type RequestState } from '#mesh/approvals/state.ts';
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { bytesFor, crypto, identityOf } from './identities.ts';
import { aidOf, WALL } from './meshes.ts';

export const MESH_ID = bytesFor('the mesh of approvals', 32);

/** Voters by name; `others` are members without a vote. */
export function electorateOf(voters: readonly string[], others: readonly string[] = [], more: Partial<Electorate> = {}): Electorate {
  const all = [...voters, ...others];
  return {
    meshId: MESH_ID,
    voters: voters.map((name) => ({ aid: aidOf(name), signKey: identityOf(name).established.signKey, score: null })),
    memberCount: all.length,
    keyOf: (aid: Aid) => all.map((name) => identityOf(name).established).find((known) => bytesEqual(known.aid, aid))?.signKey,
    scoreMin: 0,
    ...more,
  };
}

/** An order to restart agents. */
export function restartOf(...targets: readonly string[]): Order {
  return { operation: 'agent-restart', args: Uint8Array.of(0xc0), targets: targets.map(aidOf) };
}

/** A signed request of `by`. */
export function requestOf(by: string, order: Order, more: Partial<RequestTerms> = {}, id = `${by} ${order.operation}`): RequestEntry {
  const { established, signKey } = identityOf(by);
  const terms = {
    meshId: MESH_ID,
    id: bytesFor(id, 16),
    initiator: established.aid,
    host: established.aid,
    reason: 'new version',
    notAfterIndex: 900,
    basis: 1,
    ...more,
  };
  return makeRequest(crypto, signKey, terms, order);
}

/** A signed decision. */
export function decisionOf(voter: string, { request }: Pick<RequestEntry, 'request'>, approves = true, person = false): Decision {
  const { established, signKey } = identityOf(voter);
  return makeDecision(crypto, signKey, { id: request.id, digest: request.digest, voter: established.aid, approves, person, why: '' });
}

/** A log that is folded as it grows. */
export class ApprovalLog {
  approvals: Approvals = NO_APPROVALS;
  electorate: Electorate;
  at = WALL;
  last: AppliedApproval = { approvals: NO_APPROVALS, effects: [] };

  constructor(electorate: Electorate) {
    this.electorate = electorate;
  }

  /** What the entry did, as words: kinds, and why it was void. */
  append(kind: string, body: Uint8Array): readonly string[] {
    this.last = applyApproval(crypto, this.approvals, this.electorate, { index: this.approvals.index + 1, term: 1, kind, body, at: this.at });
    this.approvals = this.last.approvals;
    return this.last.effects.map((effect) => (effect.kind === 'void' ? `void: ${effect.why}` : effect.kind));
  }

  ask(entry: RequestEntry): readonly string[] {
    return this.append(APPROVAL_ENTRIES.request, encodeRequestEntry(entry));
  }

  commit(entry: RequestEntry, decisions: readonly Decision[]): readonly string[] {
    return this.append(APPROVAL_ENTRIES.commit, encodeDecisions({ digest: entry.request.digest, decisions }));
  }

  veto(entry: RequestEntry, decisions: readonly Decision[]): readonly string[] {
    return this.append(APPROVAL_ENTRIES.veto, encodeDecisions({ digest: entry.request.digest, decisions }));
  }

  tell(entry: RequestEntry, by: string, result: OutcomeResult = 'done'): readonly string[] {
    const { established, signKey } = identityOf(by);
    const { decided } = this.state(entry);
    const terms = { digest: entry.request.digest, executor: established.aid, result, why: '', term: decided?.term ?? 0, index: decided?.index ?? 0 };
    return this.append(APPROVAL_ENTRIES.outcome, packOutcome(makeOutcome(crypto, signKey, terms)));
  }

  state({ request }: Pick<RequestEntry, 'request'>): RequestState {
    const state = this.approvals.requests.get(hex(request.id));
    if (state === undefined) throw new Error('there is no such request');
    return state;
  }
}
