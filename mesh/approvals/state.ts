/**
 * Where all requests stand, as the log says: a value, replaced and never changed, the same on every node that has applied
 * the same entries (apply.ts). Here are its shape, its digest and the questions that others ask of it.
 */
import { hex } from '#core/bytes/bytes.ts';
import type { CryptoPort } from '#core/crypto/crypto.ts';
import { RmpWriter } from '#core/msgpack/writer.ts';
import type { Millis } from '#core/time/time.ts';
import { type AidText, aidText } from '#mesh/hcth/identity-text.ts';
import type { OperationName } from './catalogue.ts';
import { type DecisionSet, encodeDecisions } from './decision.ts';
import { type Outcome, packOutcome } from './outcome.ts';
import { type ApprovalRequest, encodeRequestEntry, type Order } from './request.ts';
import { approvalsFor } from './quorum.ts';

/** `open` waits; `certified` may run; the others never will (again). */
export type Phase = 'open' | 'certified' | 'vetoed' | 'expired' | 'done' | 'stopped';

/** One request. */
export interface RequestState {
  readonly request: ApprovalRequest;
  readonly order: Order;
  /** Of its entry. */
  readonly index: number;
  readonly at: Millis;
  readonly phase: Phase;
  /** The certificate, or the veto, with the place of its entry. */
  readonly decided: { readonly set: DecisionSet; readonly term: number; readonly index: number; readonly at: Millis } | null;
  /** By executor, in the order in which they came. */
  readonly outcomes: ReadonlyMap<AidText, Outcome>;
}

/** See the header. */
export interface Approvals {
  /** By id in hexadecimal, in the order of their entries. */
  readonly requests: ReadonlyMap<string, RequestState>;
  /** Commands that ask for another number of approvals than the mesh's own. */
  readonly quorums: ReadonlyMap<OperationName, number>;
  /** Of the newest entry applied. */
  readonly index: number;
}

/** A mesh in which nothing was asked yet. */
export const NO_APPROVALS: Approvals = { requests: new Map(), quorums: new Map(), index: 0 };

/** How many must approve a command among so many voters; null where nothing can be approved. */
export function neededFor(approvals: Approvals, order: Pick<Order, 'operation'>, voters: number): number | null {
  return approvalsFor(approvals.quorums.get(order.operation), voters);
}

/** Requests that still wait for approval. */
export function openRequests(approvals: Approvals): readonly RequestState[] {
  return [...approvals.requests.values()].filter(({ phase }) => phase === 'open');
}

/** The request with these approvals' digest. */
export function requestByDigest(approvals: Approvals, digest: Uint8Array): RequestState | undefined {
  const wanted = hex(digest);
  for (const state of approvals.requests.values()) if (hex(state.request.digest) === wanted) return state;
  return undefined;
}

/** SHA-256 over all of it; equal exactly where two nodes agree about everything here. */
export function approvalsDigest(crypto: CryptoPort, approvals: Approvals): Uint8Array {
  return crypto.sha256(encodeApprovals(approvals));
}

/** All of it as bytes, in one way only. */
export function encodeApprovals(approvals: Approvals): Uint8Array {
  const writer = new RmpWriter(4_096);
  writer.arrayHead(4);
  writer.int(1);
  writer.int(approvals.index);
  const quorums = [...approvals.quorums].toSorted(([a], [b]) => (a < b ? -1 : 1));
  writer.arrayHead(quorums.length);
  for (const [operation, quorum] of quorums) {
    writer.arrayHead(2);
    writer.str(operation);
    writer.int(quorum);
  }
  writer.arrayHead(approvals.requests.size);
  for (const state of approvals.requests.values()) {
    writer.arrayHead(6);
    writer.bin(encodeRequestEntry(state));
    writer.int(state.index);
    writer.int(state.at);
    writer.str(state.phase);
    if (state.decided === null) writer.nil();
    else {
      writer.arrayHead(4);
      writer.bin(encodeDecisions(state.decided.set));
      writer.int(state.decided.term);
      writer.int(state.decided.index);
      writer.int(state.decided.at);
    }
    writer.arrayHead(state.outcomes.size);
    for (const outcome of state.outcomes.values()) writer.bin(packOutcome(outcome));
  }
  return writer.copy();
}

/** The outcome of a target, if it has told one. */
export function outcomeOf(state: RequestState, target: Uint8Array): Outcome | undefined {
  return state.outcomes.get(aidText(target));
}
