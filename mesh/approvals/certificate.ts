/**
 * Whether a command is approved: the question that every executor answers for itself, and anybody offline and later again,
 * from the evidence alone (protocol.md §3.6 EXECUTE). The checks are a list, each with the rule it keeps and its reason;
 * the first that fails is the answer.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import type { Millis } from '#core/time/time.ts';
import { type Aid, aidText, fingerprintOf } from '#mesh/hcth/identity-text.ts';
import { operationOf } from './catalogue.ts';
import { type Decision, type DecisionSet, verifyDecision } from './decision.ts';
import { type Electorate, voterOf } from './electorate.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { type ApprovalRequest, isOrderOf, type Order, verifyRequest } from './request.ts';

/** Everything that the answer depends on. */
export interface CertificateEvidence {
  readonly crypto: CryptoPort;
  readonly request: ApprovalRequest;
  /** What is about to be done, by the reader's own reading. */
  readonly order: Order;
  readonly certificate: DecisionSet;
  /** As of the certificate's entry. */
  readonly electorate: Electorate;
  /** M; null where this mesh can approve nothing. */
  readonly needed: number | null;
  /** Wall clock of the request's entry. */
  readonly requestedAt: Millis;
  /** The certificate's entry. */
  readonly index: number;
  readonly at: Millis;
}

/** Why a command is not approved. */
export type CertificateRefusal =
  | 'one-voter'
  | 'other-mesh'
  | 'order-changed'
  | 'not-asked'
  | 'other-request'
  | 'expired'
  | 'not-an-approval'
  | 'not-a-voter'
  | 'no-say'
  | 'named-twice'
  | 'bad-signature'
  | 'low-score'
  | 'too-few'
  | 'no-person';

/** The answer. */
export type CertificateVerdict = { readonly kind: 'approved' } | { readonly kind: 'refused'; readonly code: CertificateRefusal; readonly why: string };

/** One check: why not, or undefined. */
export interface CertificateCheck {
  /** Of docs/protocols/approvals.md. */
  readonly rule: string;
  readonly code: CertificateRefusal;
  readonly fault: (evidence: CertificateEvidence) => string | undefined;
}

/** What is wrong with one of the approvals, under a name. */
function each(fault: (decision: Decision, evidence: CertificateEvidence) => string | false | undefined): (evidence: CertificateEvidence) => string | undefined {
  return (evidence) => {
    for (const decision of evidence.certificate.decisions) {
      const why = fault(decision, evidence);
      if (why !== undefined && why !== false) return `the approval of ${fingerprintOf(decision.voter)} ${why}`;
    }
    return undefined;
  };
}

/** See the header; in the order in which they are asked, the cheap ones first. */
export const CERTIFICATE_CHECKS: readonly CertificateCheck[] = [
  {
    rule: 'Q-4',
    code: 'one-voter',
    fault: ({ needed, electorate }) =>
      needed === null ? `${electorate.voters.length} voter${electorate.voters.length === 1 ? '' : 's'} can approve nothing` : undefined,
  },
  {
    rule: 'Q-1',
    code: 'other-mesh',
    fault: ({ request, electorate }) => (bytesEqual(request.meshId, electorate.meshId) ? undefined : 'the request is one of another mesh'),
  },
  {
    rule: 'Q-2',
    code: 'order-changed',
    fault: ({ crypto, request, order }) => (isOrderOf(crypto, request, order) ? undefined : 'command, arguments or targets are not those that were approved'),
  },
  {
    rule: 'Q-2',
    code: 'other-request',
    fault: ({ request, certificate }) =>
      bytesEqual(certificate.digest, request.digest) &&
      certificate.decisions.every(({ digest, id }) => bytesEqual(digest, request.digest) && bytesEqual(id, request.id))
        ? undefined
        : 'an approval is for another request',
  },
  {
    rule: 'Q-7',
    code: 'expired',
    fault: ({ request, index, at, requestedAt }) => {
      if (index > request.notAfterIndex) return `the certificate is entry ${index}; entry ${request.notAfterIndex} was the last that it could be`;
      const late = at - requestedAt - LIMITS.validityMs;
      return late > 0 ? `the certificate came ${Math.ceil(late / 1_000)} s too late` : undefined;
    },
  },
  { rule: 'Q-3', code: 'not-an-approval', fault: each(({ approves }) => !approves && 'is a no') },
  {
    rule: 'Q-3',
    code: 'not-a-voter',
    fault: each(({ voter }, { electorate }) => voterOf(electorate, voter) === undefined && 'does not count: it is no voter (any more)'),
  },
  { rule: 'Q-5', code: 'no-say', fault: each(({ voter }, { order }) => !hasSay(order, voter) && 'does not count: the command is against it') },
  {
    rule: 'Q-3',
    code: 'named-twice',
    fault: ({ certificate }) =>
      new Set(certificate.decisions.map(({ voter }) => aidText(voter))).size === certificate.decisions.length ? undefined : 'a voter is named twice',
  },
  {
    rule: 'Q-3',
    code: 'bad-signature',
    fault: each((decision, { crypto, electorate }) => {
      const voter = voterOf(electorate, decision.voter);
      return (voter === undefined || !verifyDecision(crypto, voter.signKey, decision)) && 'does not bear its signature';
    }),
  },
  {
    rule: 'Q-9',
    code: 'low-score',
    fault: each(({ voter }, { electorate }) => {
      const score = voterOf(electorate, voter)?.score ?? null;
      return score !== null && score < electorate.scoreMin && `does not count: its score is ${score / 10_000}, ${electorate.scoreMin / 10_000} are needed`;
    }),
  },
  {
    rule: 'Q-3',
    code: 'too-few',
    fault: ({ request, certificate, needed }) => {
      const parties = partiesOf(request, certificate.decisions);
      return needed !== null && parties < needed ? `${parties} of ${needed} approvals` : undefined;
    },
  },
  {
    rule: 'Q-6',
    code: 'no-person',
    fault: ({ order, certificate }) =>
      operationOf(order.operation)?.person === true && !certificate.decisions.some(({ person }) => person)
        ? 'no person is among those that approved'
        : undefined,
  },
  {
    rule: 'Q-1',
    code: 'not-asked',
    fault: ({ crypto, request, electorate }) =>
      verifyRequest(crypto, electorate.keyOf(request.initiator), request)
        ? undefined
        : `${fingerprintOf(request.initiator)} is no member that has signed this request`,
  },
];

/** See the header. */
export function verifyCertificate(evidence: CertificateEvidence): CertificateVerdict {
  for (const { code, fault } of CERTIFICATE_CHECKS) {
    const why = fault(evidence);
    if (why !== undefined) return { kind: 'refused', code, why };
  }
  return { kind: 'approved' };
}

/** How many parties speak here: whoever asks and the node at which it is asked are one (protocol.md §3.6). */
export function partiesOf(request: ApprovalRequest, decisions: readonly Decision[]): number {
  const asker = aidText(request.initiator);
  const host = aidText(request.host);
  return new Set(decisions.map(({ voter }) => aidText(voter)).map((text) => (text === host ? asker : text))).size;
}

/** Whether a voter may speak to an order: not where it takes something away from this very voter. */
export function hasSay(order: Order, voter: Aid): boolean {
  return operationOf(order.operation)?.against !== true || !order.targets.some((target) => bytesEqual(target, voter));
}
