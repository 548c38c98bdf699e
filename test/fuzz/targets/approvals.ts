/** Targets of approvals: whatever stands in the log, and a certificate in parts. */
import { bytesEqual, hex } from '#core/bytes/bytes.ts';
import type { SignKey } from '#core/crypto/crypto.ts';
import { APPROVAL_ENTRIES, applyApproval } from '#mesh/approvals/apply.ts';
import { decodeDecisions, encodeDecisions, makeDecision } from '#mesh/approvals/decision.ts';
import { makeOutcome, packOutcome, unpackOutcome } from '#mesh/approvals/outcome.ts';
import { decodeRequestEntry, encodeRequestEntry, isOrderOf } from '#mesh/approvals/request.ts';
import { encodeApprovals } from '#mesh/approvals/state.ts';
import type { FuzzTarget } from '#scripts/fuzz/target.ts';
import { ApprovalLog, decisionOf, electorateOf, requestOf, restartOf } from '#test/kit/electorates.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf } from '#test/kit/meshes.ts';
import { promise, sameBytes } from '../promises.ts';

const NAMES = ['ada', 'bob', 'cy'];
const KINDS = Object.values(APPROVAL_ENTRIES);
const entry = requestOf('ada', restartOf('bob', 'cy'));
const log = new ApprovalLog(electorateOf(NAMES));
log.ask(entry);
const { approvals: waiting } = log;
const certificate = encodeDecisions({ digest: entry.request.digest, decisions: [decisionOf('ada', entry), decisionOf('cy', entry)] });
log.append(APPROVAL_ENTRIES.commit, certificate);
const { approvals: certified } = log;
const outcome = packOutcome(
  makeOutcome(crypto, identityOf('bob').signKey, { digest: entry.request.digest, executor: aidOf('bob'), result: 'done', why: 'all well', term: 1, index: 2 }),
);
const veto = encodeDecisions({ digest: entry.request.digest, decisions: [decisionOf('bob', entry, false, true)] });
const specimens: readonly Uint8Array[] = [encodeRequestEntry(requestOf('bob', restartOf('cy'))), certificate, veto, outcome];

function keyOf(aid: Uint8Array): SignKey {
  return identityOf(NAMES.find((known) => bytesEqual(aidOf(known), aid)) ?? 'nobody').signKey;
}

const entries: FuzzTarget = {
  name: 'approval-entry',
  promise: 'an entry is folded the same way twice, encodes to the same bytes again, and certifies nothing without two voters’ own signatures',
  bytesMax: 4_096,
  prefixBytes: 1,
  seeds: () => specimens.map((body, kind) => Uint8Array.of(kind, ...body)),
  // Whoever the body names signs whatever it says.
  repair: (input) => {
    const kind = KINDS[(input[0] ?? 0) % KINDS.length];
    const body = input.slice(1);
    if (kind === APPROVAL_ENTRIES.outcome) {
      const told = unpackOutcome(body);
      return told === undefined ? input : Uint8Array.of(input[0] ?? 0, ...packOutcome(makeOutcome(crypto, keyOf(told.executor), told)));
    }
    const set = kind === APPROVAL_ENTRIES.request ? undefined : decodeDecisions(body);
    if (set === undefined) return input;
    const decisions = set.decisions.map((decision) => makeDecision(crypto, keyOf(decision.voter), decision));
    return Uint8Array.of(input[0] ?? 0, ...encodeDecisions({ ...set, decisions }));
  },
  run: (input) => {
    const kind = KINDS[(input[0] ?? 0) % KINDS.length] ?? '';
    const body = input.slice(1);
    const request = decodeRequestEntry(crypto, body);
    if (request !== undefined) {
      sameBytes(encodeRequestEntry(request), body, 'a request made again');
      promise(isOrderOf(crypto, request.request, request.order), 'a request beside a foreign order');
    }
    const set = decodeDecisions(body);
    if (set !== undefined) sameBytes(encodeDecisions(set), body, 'decisions made again');
    const told = unpackOutcome(body);
    if (told !== undefined) sameBytes(packOutcome(told), body, 'an outcome made again');
    let accepted = false;
    for (const before of [waiting, certified]) {
      const index = before.index + 1;
      const apply = () => applyApproval(crypto, before, log.electorate, { index, term: 1, kind, body, at: log.at });
      const [once, twice] = [apply(), apply()];
      sameBytes(encodeApprovals(once.approvals), encodeApprovals(twice.approvals), 'folded twice');
      const effect = once.effects.at(-1);
      promise(effect !== undefined, 'an entry without an effect');
      if (effect.kind === 'void')
        promise(once.approvals.requests === before.requests && once.approvals.quorums === before.quorums, 'a void entry has changed something');
      else accepted = true;
      if (effect.kind === 'certified' || effect.kind === 'done') {
        const approvers = set?.decisions ?? [];
        if (kind === APPROVAL_ENTRIES.commit) promise(new Set(approvers.map(({ voter }) => hex(voter))).size >= 2, 'certified by fewer than two');
        for (const decision of approvers) {
          sameBytes(makeDecision(crypto, keyOf(decision.voter), decision).object.sig, decision.object.sig, 'the signature');
        }
      }
    }
    return accepted;
  },
};

export const approvalTargets: readonly FuzzTarget[] = [entries];
