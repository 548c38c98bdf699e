/**
 * What a voter's own check says to a request before it approves by itself (protocol.md §3.6): `approve`, `ask` where only a
 * person can decide, `refuse` where not even that helps. Judged by each voter with its own knowledge; nobody is bound by it
 * but the voter itself.
 */
import { bytesEqual } from '#core/bytes/bytes.ts';
import { HOUR, type Millis } from '#core/time/time.ts';
import type { Aid } from '#mesh/hcth/identity-text.ts';
import { operationOf } from './catalogue.ts';
import { hasSay } from './certificate.ts';
import { type Electorate, voterOf } from './electorate.ts';
import { APPROVAL_LIMITS as LIMITS } from './limits.ts';
import { type Approvals, openRequests, type RequestState } from './state.ts';

/** What a voter knows of its own. */
export interface VoterKnowledge {
  readonly self: Aid;
  /** This voter's level of the initiator, 0…4; null where it has none. */
  readonly initiatorLevel: number | null;
  /** In quarantine, suspended or contested, as far as known here. */
  readonly initiatorHeld: boolean;
  /** A verdict of the Sentinel against initiator or leader is open. */
  readonly verdictOpen: boolean;
  /** Wall clock of this voter. */
  readonly wall: Millis;
}

/** See the header. */
export interface VoterJudgement {
  readonly says: 'approve' | 'ask' | 'refuse';
  /** Everything that speaks against it, for people. */
  readonly why: readonly string[];
}

/** Level T2 (protocol.md §2.13). */
const LEVEL_MIN = 2;

/** See the header. */
export function judgeRequest(approvals: Approvals, electorate: Electorate, state: RequestState, knows: VoterKnowledge): VoterJudgement {
  const { order, request } = state;
  const refuse: string[] = [];
  const ask: string[] = [];
  if (!hasSay(order, knows.self)) refuse.push('the command is against this node, which has no say in it');
  if (knows.initiatorHeld) refuse.push('whoever asks is in quarantine or contested');
  if (knows.verdictOpen) refuse.push('a verdict against whoever asks, or against the leader, is open');
  if (knows.initiatorLevel !== null && knows.initiatorLevel < LEVEL_MIN) refuse.push(`whoever asks is at T${knows.initiatorLevel}; T${LEVEL_MIN} is needed`);
  const operation = operationOf(order.operation);
  const atOnce = votersAtOnce(electorate, state);
  const spare = Math.floor((electorate.voters.length - 1) / 2);
  // The second of two cannot be spared either, but then nobody could ever touch it (protocol.md §3.3 rule 8): a person decides.
  if (atOnce > spare)
    (electorate.voters.length === 2 && atOnce === 1 ? ask : refuse).push(`${atOnce} voter${atOnce === 1 ? '' : 's'} would be away at once; ${spare} can be`);
  const allowed = Math.max(1, Math.floor((electorate.memberCount * 3) / 10));
  if (order.targets.length > allowed) ask.push(`it touches ${order.targets.length} of ${electorate.memberCount} members; more than ${allowed} take a person`);
  const others = openRequests(approvals).filter(({ request: other }) => !bytesEqual(other.id, request.id)).length;
  if (others >= LIMITS.pendingApproveMax) ask.push(`${others} other requests wait`);
  const recent = [...approvals.requests.values()].filter(
    ({ phase, decided }) => phase !== 'vetoed' && decided !== null && decided.at > knows.wall - HOUR,
  ).length;
  if (recent >= LIMITS.approvedPerHourMax) ask.push(`${recent} were approved in the last hour`);
  if (operation?.person === true && ask.length === 0) ask.push('this command takes a person');
  return { says: refuse.length > 0 ? 'refuse' : ask.length > 0 ? 'ask' : 'approve', why: [...refuse, ...ask] };
}

/** Voters that the command takes away at one time: what acts in turn takes one, the log takes all of them at once. */
function votersAtOnce(electorate: Electorate, { order }: RequestState): number {
  const operation = operationOf(order.operation);
  const voters = order.targets.filter((target) => voterOf(electorate, target) !== undefined).length;
  if (operation?.runs === 'in-turn') return order.operation === 'shutdown' || order.operation === 'wipe' ? voters : Math.min(voters, 1);
  return operation?.against === true ? voters : 0;
}
