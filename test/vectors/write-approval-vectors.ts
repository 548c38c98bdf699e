/**
 * Writes test/vectors/approvals/approvals.json: a log of requests, certificates, vetoes and outcomes of three voters, what
 * each entry does, and entries that must change nothing. Run by hand when the format changes:
 * `node test/vectors/write-approval-vectors.ts`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hex } from '#core/bytes/bytes.ts';
import { APPROVAL_ENTRIES, applyApproval } from '#mesh/approvals/apply.ts';
import { encodeDecisions, type Decision, makeDecision } from '#mesh/approvals/decision.ts';
import { makeOutcome, packOutcome } from '#mesh/approvals/outcome.ts';
import { writeQuorumArgs } from '#mesh/approvals/quorum-args.ts';
import { argsDigest, encodeRequestEntry, type RequestEntry, targetsDigest } from '#mesh/approvals/request.ts';
import { approvalsDigest } from '#mesh/approvals/state.ts';
import { LABELS, labelled } from '#mesh/hcth/labels.ts';
import { packObject } from '#mesh/hcth/packed-object.ts';
import { ApprovalLog, decisionOf, electorateOf, MESH_ID, requestOf, restartOf } from '#test/kit/electorates.ts';
import { crypto, identityOf } from '#test/kit/identities.ts';
import { aidOf } from '#test/kit/meshes.ts';

const NAMES = ['ada', 'bob', 'cy'];
const log = new ApprovalLog(electorateOf(NAMES, ['dee']));
const entries: object[] = [];
const refused: object[] = [];
type Kind = keyof typeof APPROVAL_ENTRIES;

function add(rule: string, name: string, kind: Kind, body: Uint8Array): void {
  const effects = log.append(APPROVAL_ENTRIES[kind], body);
  entries.push({ rule, name, kind, body: hex(body), at: log.at, effects, state: hex(approvalsDigest(crypto, log.approvals)) });
}

/** What would come next, and changes nothing. */
function refuse(rule: string, name: string, kind: Kind, body: Uint8Array, late = 0): void {
  const entry = { index: log.approvals.index + 1, term: 1, kind: APPROVAL_ENTRIES[kind], body, at: log.at + late };
  const effects = applyApproval(crypto, log.approvals, log.electorate, entry).effects;
  const last = effects.at(-1);
  if (last?.kind !== 'void') throw new Error(`${name} is not refused`);
  refused.push({ rule, name, kind, body: hex(body), at: entry.at, after: entries.length, why: last.why });
}

const set = (entry: RequestEntry, decisions: readonly Decision[]): Uint8Array => encodeDecisions({ digest: entry.request.digest, decisions });
const outcome = (entry: RequestEntry, by: string, index: number, signer = by, result: 'done' | 'failed' | 'refused' = 'done'): Uint8Array =>
  packOutcome(makeOutcome(crypto, identityOf(signer).signKey, { digest: entry.request.digest, executor: aidOf(by), result, why: '', term: 1, index }));

const restart = requestOf('ada', restartOf('bob', 'cy'));
const body = encodeRequestEntry(restart);
refuse('Q-1', 'a request of a stranger', 'request', encodeRequestEntry(requestOf('mallory', restartOf('bob'))));
refuse('Q-1', 'a request in another’s name', 'request', encodeRequestEntry(requestOf('bob', restartOf('bob'), { initiator: aidOf('ada') })));
refuse('Q-1', 'a request signed as a decision', 'request', encodeRequestEntry({ ...restart, request: { ...restart.request, object: { body: restart.request.object.body, sig: crypto.sign(identityOf('ada').signKey, labelled(LABELS.decision), restart.request.object.body) } } }));
refuse('Q-1', 'a request of another mesh', 'request', encodeRequestEntry(requestOf('ada', restartOf('bob'), { meshId: new Uint8Array(32) })));
refuse('Q-2', 'a request beside another target', 'request', encodeRequestEntry({ ...restart, order: restartOf('bob', 'dee') }));
refuse('Q-2', 'a request beside other arguments', 'request', encodeRequestEntry({ ...restart, order: { ...restart.order, args: Uint8Array.of(1) } }));
refuse('Q-17', 'a request with a byte behind it', 'request', Uint8Array.of(...body, 0));
refuse('Q-7', 'a request that is good for ever', 'request', encodeRequestEntry(requestOf('ada', restartOf('bob'), { notAfterIndex: 5_000 })));
refuse('Q-14', 'a request without a target', 'request', encodeRequestEntry(requestOf('ada', restartOf())));
refuse('Q-14', 'a request that names a target twice', 'request', encodeRequestEntry(requestOf('ada', restartOf('bob', 'bob'))));
add('Q-1', 'ada asks to restart two agents', 'request', body);
refuse('Q-11', 'the same request again', 'request', body);
refuse('Q-3', 'one approval', 'commit', set(restart, [decisionOf('ada', restart)]));
refuse('Q-3', 'one voter twice', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('ada', restart, true, true)]));
refuse('Q-3', 'an approval of a member without a vote', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('dee', restart)]));
refuse('Q-3', 'an approval that another key signed', 'commit', set(restart, [decisionOf('ada', restart), makeDecision(crypto, identityOf('ada').signKey, decisionOf('cy', restart))]));
refuse('Q-3', 'a no among the approvals', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('cy', restart, false)]));
refuse('Q-2', 'an approval of another request', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('cy', requestOf('ada', restartOf('bob'), {}, 'other'))]));
refuse('Q-2', 'a certificate for what nobody has asked', 'commit', set(requestOf('ada', restartOf('bob'), {}, 'other'), [decisionOf('ada', restart)]));
refuse('Q-7', 'a certificate that comes too late', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('cy', restart)]), 600_001);
refuse('Q-17', 'a certificate without an approval', 'commit', set(restart, []));
refuse('Q-10', 'a veto of a voter’s own check alone', 'veto', set(restart, [decisionOf('bob', restart, false)]));
refuse('Q-10', 'a veto that is a yes', 'veto', set(restart, [decisionOf('bob', restart, true, true)]));
refuse('Q-10', 'a veto that another key signed', 'veto', set(restart, [makeDecision(crypto, identityOf('cy').signKey, decisionOf('bob', restart, false, true))]));
refuse('Q-12', 'an outcome before anything was approved', 'outcome', outcome(restart, 'bob', 2));
add('Q-3', 'ada and cy approve', 'commit', set(restart, [decisionOf('ada', restart), decisionOf('cy', restart)]));
refuse('Q-12', 'an outcome that another key signed', 'outcome', outcome(restart, 'bob', 2, 'cy'));
refuse('Q-12', 'an outcome signed as a request', 'outcome', packObject({ ...makeOutcomeObject(), sig: crypto.sign(identityOf('bob').signKey, labelled(LABELS.request), makeOutcomeObject().body) }));
refuse('Q-12', 'an outcome of another certificate', 'outcome', outcome(restart, 'bob', 7));
refuse('Q-12', 'an outcome of who is no target', 'outcome', outcome(restart, 'dee', 2));
add('Q-12', 'bob has restarted', 'outcome', outcome(restart, 'bob', 2));
refuse('Q-12', 'bob once more', 'outcome', outcome(restart, 'bob', 2));
add('Q-12', 'cy has restarted', 'outcome', outcome(restart, 'cy', 2));

const quorum = (count: number) => ({ operation: 'quorum-set' as const, args: writeQuorumArgs({ operation: 'agent-restart', quorum: count }), targets: [] });
refuse('Q-8', 'a quorum below the majority', 'request', encodeRequestEntry(requestOf('bob', quorum(1))));
refuse('Q-8', 'a quorum above the number of voters', 'request', encodeRequestEntry(requestOf('bob', quorum(4))));
const all = requestOf('bob', quorum(3));
add('Q-8', 'bob asks that all approve a restart', 'request', encodeRequestEntry(all));
refuse('Q-8', 'two of the three that it will take', 'commit', set(all, [decisionOf('ada', all), decisionOf('bob', all)]));
add('Q-8', 'all three approve it', 'commit', set(all, NAMES.map((name) => decisionOf(name, all))));

const wipe = requestOf('cy', { ...restartOf('dee'), operation: 'wipe' });
add('Q-6', 'cy asks to wipe a machine', 'request', encodeRequestEntry(wipe));
refuse('Q-6', 'approved by no person', 'commit', set(wipe, [decisionOf('ada', wipe), decisionOf('bob', wipe)]));
add('Q-10', 'a person at bob vetoes it', 'veto', set(wipe, [decisionOf('bob', wipe, false, true)]));
const remove = requestOf('ada', { ...restartOf('bob'), operation: 'member-remove' });
add('Q-5', 'ada asks to remove bob', 'request', encodeRequestEntry(remove));
refuse('Q-5', 'with the approval of bob', 'commit', set(remove, [decisionOf('ada', remove), decisionOf('bob', remove)]));
refuse('Q-5', 'vetoed by bob', 'veto', set(remove, [decisionOf('bob', remove, false, true)]));

const document = {
  meshId: hex(MESH_ID),
  voters: NAMES,
  labels: { request: LABELS.request, decision: LABELS.decision, outcome: LABELS.outcome },
  hashed: { args: hex(restart.order.args), argsDigest: hex(argsDigest(crypto, restart.order.args)), targetsDigest: hex(targetsDigest(crypto, restart.order.targets)), targets: restart.order.targets.map(hex), request: hex(restart.request.digest) },
  entries,
  refused,
};
mkdirSync(join(import.meta.dirname, 'approvals'), { recursive: true });
writeFileSync(join(import.meta.dirname, 'approvals', 'approvals.json'), `${JSON.stringify(document, null, 1)}\n`);

function makeOutcomeObject(): { readonly body: Uint8Array } {
  return { body: makeOutcome(crypto, identityOf('bob').signKey, { digest: restart.request.digest, executor: aidOf('bob'), result: 'done', why: '', term: 1, index: 2 }).object.body };
}
