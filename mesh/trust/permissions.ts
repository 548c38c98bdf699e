/**
 * What each trust level permits (protocol.md §2.13), as data. A level is a ceiling; the role given at admission is
 * another, and the effective right is the smaller of the two.
 */
import type { TrustLevel } from './levels.ts';
import type { Score } from './score.ts';

/** Something that a peer may or may not do here. */
export type TrustAction =
  | 'heartbeat'
  | 'status'
  | 'see-own-entry'
  | 'see-names'
  | 'see-membership'
  | 'receive-test-jobs'
  | 'receive-workloads'
  | 'gossip-proofs'
  | 'gossip'
  | 'call-read-only'
  | 'call-standard'
  | 'receive-secrets'
  | 'request-high-risk'
  | 'accuse'
  | 'learner'
  | 'voter'
  | 'approve'
  | 'gateway'
  | 'sign-images';

/** What one level may send, and what it may do. */
export interface LevelPermissions {
  readonly level: TrustLevel;
  readonly framesPerSecondMax: number;
  readonly bytesPerSecondMax: number;
  readonly actions: readonly TrustAction[];
}

const T0: readonly TrustAction[] = ['heartbeat', 'status', 'see-own-entry'];
const T1: readonly TrustAction[] = [...T0, 'see-names', 'receive-test-jobs', 'gossip-proofs', 'call-read-only'];
const T2: readonly TrustAction[] = [...T1, 'see-membership', 'receive-workloads', 'gossip', 'call-standard', 'receive-secrets', 'request-high-risk', 'learner'];
const T3: readonly TrustAction[] = [...T2, 'accuse', 'voter', 'approve'];
const T4: readonly TrustAction[] = [...T3, 'gateway', 'sign-images'];

/** The table, T0 first. */
export const LEVEL_PERMISSIONS: readonly [LevelPermissions, LevelPermissions, LevelPermissions, LevelPermissions, LevelPermissions] = [
  { level: 0, framesPerSecondMax: 2, bytesPerSecondMax: 8_192, actions: T0 },
  { level: 1, framesPerSecondMax: 20, bytesPerSecondMax: 262_144, actions: T1 },
  { level: 2, framesPerSecondMax: 200, bytesPerSecondMax: 4_194_304, actions: T2 },
  { level: 3, framesPerSecondMax: 1_000, bytesPerSecondMax: 33_554_432, actions: T3 },
  { level: 4, framesPerSecondMax: 1_000, bytesPerSecondMax: 33_554_432, actions: T4 },
];

/** Whether a level permits an action. Approving is special below T4: see {@link mayApprove}. */
export function permits(level: TrustLevel, action: TrustAction): boolean {
  return LEVEL_PERMISSIONS[level].actions.includes(action);
}

/** Approve, admit, revoke: T4 always; below it a voter whose score reaches θ_eff of the mesh's age (young-mesh.ts). */
export function mayApprove(peer: { readonly level: TrustLevel; readonly score: Score; readonly voter: boolean }, thetaEffective: Score): boolean {
  return peer.level === 4 || (peer.voter && peer.score >= thetaEffective);
}
