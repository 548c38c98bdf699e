/**
 * One committed entry folded into the state of all requests. An entry that breaks a rule changes nothing and says which
 * (`void`). Every entry of the log passes here, because requests expire by the log's own index and clock. Reads no clock.
 */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { operationOf } from './catalogue.ts';
import { hasSay, partiesOf, verifyCertificate } from './certificate.ts';
import { decodeDecisions, type DecisionSet, verifyDecision } from './decision.ts';
import { type Electorate, voterOf } from './electorate.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { type Outcome, unpackOutcome, verifyOutcome } from './outcome.ts';
import { quorumRange, quorumSettingFault } from './quorum.ts';
import { readQuorumArgs } from './quorum-args.ts';
import { decodeRequestEntry, type RequestEntry, requestText, verifyRequest } from './request.ts';
import { type Approvals, neededFor, openRequests, outcomeOf, requestByDigest, type RequestState } from './state.ts';

/** Kinds of log entries. */
export const APPROVAL_ENTRIES = {
  request: 'approval-request',
  commit: 'approval-commit',
  veto: 'approval-veto',
  outcome: 'approval-outcome',
} as const;

/** What of a committed entry matters here. */
export interface CommittedApproval {
  readonly index: number;
  readonly term: number;
  readonly kind: string;
  readonly body: Uint8Array;
  /** Wall clock of the leader that made it. */
  readonly at: Millis;
}

/** What an entry did; what came of time passing stands before what it says itself. */
export type ApprovalEffect =
  | { readonly kind: 'requested' | 'certified' | 'vetoed' | 'expired' | 'done' | 'stopped'; readonly state: RequestState }
  | { readonly kind: 'outcome'; readonly state: RequestState; readonly outcome: Outcome }
  | { readonly kind: 'void'; readonly entry: string; readonly why: string };

/** The state after an entry, and what changed. */
export interface AppliedApproval {
  readonly approvals: Approvals;
  readonly effects: readonly ApprovalEffect[];
}

/** Fold one more committed entry, of whatever kind. One that was folded before changes nothing. */
export function applyApproval(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, entry: CommittedApproval): AppliedApproval {
  if (entry.index <= approvals.index) return { approvals, effects: [] };
  const passed = letPass({ ...approvals, index: entry.index }, entry);
  const applied = applyOwn(crypto, passed.approvals, electorate, entry);
  if (applied === undefined) return passed;
  if (typeof applied === 'string') return { ...passed, effects: [...passed.effects, { kind: 'void', entry: entry.kind, why: applied }] };
  return { approvals: applied.approvals, effects: [...passed.effects, ...applied.effects] };
}

/** Requests whose time is over by this entry. */
function letPass(approvals: Approvals, { index, at }: CommittedApproval): AppliedApproval {
  let next = approvals;
  const effects: ApprovalEffect[] = [];
  for (const state of approvals.requests.values()) {
    const late = state.phase === 'open' && (index > state.request.notAfterIndex || at > state.at + LIMITS.validityMs);
    const unfinished = state.phase === 'certified' && state.decided !== null && at > state.decided.at + LIMITS.executeMsMax;
    if (!late && !unfinished) continue;
    const phase = late ? 'expired' : 'stopped';
    const changed = { ...state, phase } as const;
    next = withRequest(next, changed);
    effects.push({ kind: phase, state: changed });
  }
  return { approvals: next, effects };
}

type Outcomes = AppliedApproval | string | undefined;

function applyOwn(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, entry: CommittedApproval): Outcomes {
  switch (entry.kind) {
    case APPROVAL_ENTRIES.request: {
      const asked = decodeRequestEntry(crypto, entry.body);
      return asked === undefined ? 'the request does not decode' : applyRequest(crypto, approvals, electorate, asked, entry);
    }
    case APPROVAL_ENTRIES.commit: {
      const set = decodeDecisions(entry.body);
      return set === undefined ? 'the certificate does not decode' : applyCommit(crypto, approvals, electorate, set, entry);
    }
    case APPROVAL_ENTRIES.veto: {
      const set = decodeDecisions(entry.body);
      return set === undefined ? 'the veto does not decode' : applyVeto(crypto, approvals, electorate, set, entry);
    }
    case APPROVAL_ENTRIES.outcome: {
      const outcome = unpackOutcome(entry.body);
      return outcome === undefined ? 'the outcome does not decode' : applyOutcome(crypto, approvals, electorate, outcome);
    }
    default:
      return undefined;
  }
}

/** What is wrong with a request at this place of the log; also asked before it is proposed. */
export function requestFault(
  crypto: CryptoPort,
  approvals: Approvals,
  electorate: Electorate,
  { request, order }: RequestEntry,
  index: number,
): string | undefined {
  const operation = operationOf(order.operation);
  const voters = electorate.voters.length;
  if (operation === undefined) return `${order.operation} is no command that is approved`;
  if (!bytesEqual(request.meshId, electorate.meshId)) return 'it is a request of another mesh';
  if (approvals.requests.has(hex(request.id))) return `request ${requestText(request.id)} was seen before`;
  if (!verifyRequest(crypto, electorate.keyOf(request.initiator), request)) return `${fingerprintOf(request.initiator)} is no member that has signed it`;
  if (electorate.keyOf(request.host) === undefined) return `${fingerprintOf(request.host)}, where it was asked, is no member`;
  if (request.notAfterIndex < index || request.notAfterIndex > index + LIMITS.validityEntries)
    return `it is good up to entry ${request.notAfterIndex}; here that can be ${index} to ${index + LIMITS.validityEntries}`;
  if (operation.targets === 'some' ? order.targets.length === 0 : order.targets.length > 0)
    return operation.targets === 'some' ? 'it names no target' : 'this command has no targets';
  if (new Set(order.targets.map(aidText)).size < order.targets.length) return 'a target is named twice';
  if (neededFor(approvals, order, voters) === null) return `${voters} voter${voters === 1 ? '' : 's'} can approve nothing: it takes two`;
  const open = openRequests(approvals);
  if (open.length >= LIMITS.pendingMax) return `${open.length} requests wait already; ${LIMITS.pendingMax} are allowed`;
  const own = open.filter((state) => bytesEqual(state.request.initiator, request.initiator)).length;
  if (own >= LIMITS.pendingPerMemberMax)
    return `${own} requests of ${fingerprintOf(request.initiator)} wait already; ${LIMITS.pendingPerMemberMax} are allowed`;
  if (order.operation !== 'quorum-set') return undefined;
  const setting = readQuorumArgs(order.args);
  if (setting === undefined) return 'the setting does not decode';
  return setting.quorum === null ? undefined : quorumSettingFault(setting.quorum, voters);
}

function applyRequest(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, asked: RequestEntry, entry: CommittedApproval): Outcomes {
  const fault = requestFault(crypto, approvals, electorate, asked, entry.index);
  if (fault !== undefined) return fault;
  const state: RequestState = { ...asked, index: entry.index, at: entry.at, phase: 'open', decided: null, outcomes: new Map() };
  return { approvals: forget(withRequest(approvals, state)), effects: [{ kind: 'requested', state }] };
}

/** M for a request: a change of a command's quorum takes what the command itself takes, before and after. */
export function neededForRequest(approvals: Approvals, order: RequestState['order'], voters: number): number | null {
  const needed = neededFor(approvals, order, voters);
  const setting = order.operation === 'quorum-set' ? readQuorumArgs(order.args) : undefined;
  if (needed === null || setting === undefined) return needed;
  const present = neededFor(approvals, setting, voters) ?? needed;
  return Math.max(needed, present, Math.min(setting.quorum ?? 0, quorumRange(voters).most));
}

function applyCommit(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, set: DecisionSet, entry: CommittedApproval): Outcomes {
  const state = requestByDigest(approvals, set.digest);
  if (state === undefined) return 'nobody has asked for that';
  if (state.phase !== 'open') return `request ${requestText(state.request.id)} is ${state.phase} already`;
  const { request, order, at: requestedAt } = state;
  const needed = neededForRequest(approvals, order, electorate.voters.length);
  const { index, at, term } = entry;
  const verdict = verifyCertificate({ crypto, request, order, certificate: set, electorate, needed, requestedAt, index, at });
  if (verdict.kind === 'refused') return verdict.why;
  const setting = order.operation === 'quorum-set' ? readQuorumArgs(order.args) : undefined;
  const outOfRange = setting?.quorum == null ? undefined : quorumSettingFault(setting.quorum, electorate.voters.length);
  if (outOfRange !== undefined) return outOfRange;
  const byLog = operationOf(order.operation)?.runs === 'by-log';
  const certified: RequestState = { ...state, phase: byLog ? 'done' : 'certified', decided: { set, term, index, at } };
  let next = withRequest(approvals, certified);
  if (setting !== undefined) {
    const quorums = new Map(next.quorums);
    if (setting.quorum === null) quorums.delete(setting.operation);
    else quorums.set(setting.operation, setting.quorum);
    next = { ...next, quorums };
  }
  return { approvals: next, effects: [{ kind: 'certified', state: certified }, ...(byLog ? [{ kind: 'done', state: certified } as const] : [])] };
}

/** Why these noes end a request: a person's does by itself, and so do as many as leave too few to approve it. */
export function vetoFault(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, state: RequestState, set: DecisionSet): string | undefined {
  const { request, order } = state;
  for (const decision of set.decisions) {
    const voter = voterOf(electorate, decision.voter);
    const who = fingerprintOf(decision.voter);
    if (decision.approves || !bytesEqual(decision.digest, request.digest) || !bytesEqual(decision.id, request.id))
      return `the word of ${who} is no veto of this request`;
    if (voter === undefined || !hasSay(order, decision.voter)) return `${who} has no say in it`;
    if (!verifyDecision(crypto, voter.signKey, decision)) return `the veto of ${who} does not bear its signature`;
  }
  if (new Set(set.decisions.map(({ voter }) => aidText(voter))).size < set.decisions.length) return 'a voter is named twice';
  if (set.decisions.some(({ person }) => person)) return undefined;
  const needed = neededForRequest(approvals, order, electorate.voters.length);
  const able = electorate.voters.filter(({ aid }) => hasSay(order, aid)).length - partiesOf(request, set.decisions);
  return needed !== null && able >= needed ? `${able} can still approve it, ${needed} have to` : undefined;
}

function applyVeto(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, set: DecisionSet, { term, index, at }: CommittedApproval): Outcomes {
  const state = requestByDigest(approvals, set.digest);
  if (state === undefined) return 'nobody has asked for that';
  if (state.phase !== 'open') return `request ${requestText(state.request.id)} is ${state.phase} already`;
  const fault = vetoFault(crypto, approvals, electorate, state, set);
  if (fault !== undefined) return fault;
  const vetoed: RequestState = { ...state, phase: 'vetoed', decided: { set, term, index, at } };
  return { approvals: withRequest(approvals, vetoed), effects: [{ kind: 'vetoed', state: vetoed }] };
}

function applyOutcome(crypto: CryptoPort, approvals: Approvals, electorate: Electorate, outcome: Outcome): Outcomes {
  const state = requestByDigest(approvals, outcome.digest);
  const who = fingerprintOf(outcome.executor);
  if (state === undefined || state.decided === null) return 'nothing of that kind was approved';
  if (state.phase !== 'certified') return `request ${requestText(state.request.id)} is ${state.phase} already`;
  const { targets } = state.order;
  if (!targets.some((target) => bytesEqual(target, outcome.executor))) return `${who} is no target of it`;
  if (outcomeOf(state, outcome.executor) !== undefined) return `${who} has told its outcome already`;
  if (outcome.term !== state.decided.term || outcome.index !== state.decided.index) return `${who} tells the outcome of another certificate`;
  if (!verifyOutcome(crypto, electorate.keyOf(outcome.executor), outcome)) return `the outcome does not bear the signature of ${who}`;
  const outcomes = new Map(state.outcomes).set(aidText(outcome.executor), outcome);
  // A turn that failed ends the round: what went wrong once would go wrong everywhere.
  const phase = outcome.result !== 'done' ? 'stopped' : outcomes.size === targets.length ? 'done' : 'certified';
  const changed: RequestState = { ...state, outcomes, phase };
  const effects: ApprovalEffect[] = [{ kind: 'outcome', state: changed, outcome }];
  if (phase !== 'certified') effects.push({ kind: phase, state: changed });
  return { approvals: forget(withRequest(approvals, changed)), effects };
}

function withRequest(approvals: Approvals, state: RequestState): Approvals {
  return { ...approvals, requests: new Map(approvals.requests).set(hex(state.request.id), state) };
}

/** The oldest settled ones go; none that could still be replayed, for as long as its id is the only thing against it. */
function forget(approvals: Approvals): Approvals {
  let surplus = approvals.requests.size - LIMITS.settledMax - LIMITS.pendingMax;
  if (surplus <= 0) return approvals;
  const requests = new Map(approvals.requests);
  for (const [id, { phase, request }] of approvals.requests) {
    if (surplus <= 0) break;
    if (phase === 'open' || phase === 'certified' || request.notAfterIndex >= approvals.index) continue;
    requests.delete(id);
    surplus -= 1;
  }
  return { ...approvals, requests };
}
