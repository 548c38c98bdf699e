/**
 * The executor's side (protocol.md §3.6 EXECUTE): whether this machine's turn has come, and whether it believes it. What the
 * log has certified is verified here once more, with what only this machine knows: its own clock, whom it holds for
 * contested, which effects it has had already.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { Millis } from '#core/time/time.ts';
import { type Aid, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { operationOf } from './catalogue.ts';
import { type CertificateEvidence, verifyCertificate } from './certificate.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { neededForRequest } from './apply.ts';
import { type Approvals, outcomeOf, type RequestState } from './state.ts';

/** What this machine knows of its own. */
export interface ExecutorKnowledge extends Pick<CertificateEvidence, 'crypto' | 'electorate'> {
  readonly self: Aid;
  /** Own wall clock; null where the machine has none to rely on. */
  readonly wall: Millis | null;
  /** How long ago this life of the machine applied the certificate; null where an earlier life did. */
  readonly sinceCertifiedMs: Millis | null;
  /** Contested or convicted, by evidence that this machine holds. */
  readonly isDoubted: (aid: Aid) => boolean;
  /** The highest (term, index) it has acted on. */
  readonly fence: { readonly term: number; readonly index: number };
}

/** Whether to act. */
export type Turn =
  | { readonly kind: 'none' }
  /** It has, and only its outcome is not in the log yet: tell it again. */
  | { readonly kind: 'acted'; readonly state: RequestState }
  /** Keep the fence first, durably: a machine that dies over it must not begin again. */
  | { readonly kind: 'execute'; readonly state: RequestState; readonly fence: { readonly term: number; readonly index: number } }
  | { readonly kind: 'refuse'; readonly state: RequestState; readonly why: string };

/** See the header. Commands run one at a time, in the order of their certificates; targets in the order of the request. */
export function turnOf(approvals: Approvals, knows: ExecutorKnowledge): Turn {
  const running = runningRequest(approvals);
  if (running === undefined) return { kind: 'none' };
  const next = running.order.targets.find((target) => outcomeOf(running, target) === undefined);
  if (next === undefined || !bytesEqual(next, knows.self) || running.decided === null) return { kind: 'none' };
  const { term, index } = running.decided;
  if (term === knows.fence.term && index === knows.fence.index) return { kind: 'acted', state: running };
  const why = doubt(approvals, running, knows);
  return why === undefined ? { kind: 'execute', state: running, fence: { term, index } } : { kind: 'refuse', state: running, why };
}

/** The certified request whose turns are taken now. */
export function runningRequest(approvals: Approvals): RequestState | undefined {
  let first: RequestState | undefined;
  for (const state of approvals.requests.values()) {
    if (state.phase !== 'certified' || state.decided === null || operationOf(state.order.operation)?.runs !== 'in-turn') continue;
    if (first?.decided == null || state.decided.index < first.decided.index) first = state;
  }
  return first;
}

function doubt(approvals: Approvals, state: RequestState, knows: ExecutorKnowledge): string | undefined {
  const { request, order, decided, at: requestedAt } = state;
  if (decided === null) return 'it has no certificate';
  const { set: certificate, index, at, term } = decided;
  if (term < knows.fence.term || (term === knows.fence.term && index < knows.fence.index))
    return `its place (${term}, ${index}) is not behind (${knows.fence.term}, ${knows.fence.index}), on which this machine has acted`;
  const needed = neededForRequest(approvals, order, knows.electorate.voters.length);
  const { crypto, electorate } = knows;
  const verdict = verifyCertificate({ crypto, request, order, certificate, electorate, needed, requestedAt, index, at });
  if (verdict.kind === 'refused') return verdict.why;
  const doubted = certificate.decisions.find(({ voter }) => knows.isDoubted(voter));
  if (doubted !== undefined) return `${fingerprintOf(doubted.voter)}, which approved it, is contested`;
  if (knows.isDoubted(request.initiator)) return `${fingerprintOf(request.initiator)}, which asked for it, is contested`;
  const { sinceCertifiedMs: since, wall } = knows;
  if (since === null && wall === null) return 'it was certified before this start of the machine, which has no clock to tell how long ago';
  const age = Math.max(since ?? 0, wall === null ? 0 : wall - at);
  return age > LIMITS.executeMsMax
    ? `it was certified ${Math.round(age / 60_000)} min ago; a machine begins within ${LIMITS.executeMsMax / 60_000} min`
    : undefined;
}
