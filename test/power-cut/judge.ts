/**
 * Starts the real driver on what a power cut left, twice, and compares with what had been promised.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { isFault } from '#core/errors/fault.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import type { DiskState } from '#test/power-cut/crash-states.ts';
import type { Pledge } from '#test/power-cut/recording.ts';
import { NodeState } from '#mesh/driver/node-state.ts';
import { nodeOptions } from '#test/power-cut/workloads.ts';

const crypto = createNodeCrypto();

/** What one start said of itself. */
export interface Start {
  readonly aid: string;
  readonly incarnation: number;
  readonly why: string;
  readonly mesh: string | null;
  readonly commitIndex: number;
  readonly rotation: number;
  /** The rotation whose key is on the device; null where it is not. */
  readonly keyHere: number | null;
  /** Codes of the events of this start. */
  readonly events: readonly string[];
}

/** Everything that must hold after a cut, summed up from the promises made before it. */
export interface Owed {
  readonly aid: string | null;
  readonly mesh: string | null;
  readonly committed: number;
  readonly rotation: number;
  /** The rotation whose key has left the device; 0 for none. */
  readonly keyAway: number;
  /** Highest incarnation that signed, by identity. */
  readonly signed: ReadonlyMap<string, number>;
  readonly leaving: boolean;
  /** The identity that is leaving: a member to the end, or gone. */
  readonly leaver: string | null;
  /** Identities that have left; they never speak again. */
  readonly left: ReadonlySet<string>;
}

/** Sum up promises in the order they were made. */
export function owedAfter(pledges: readonly Pledge[]): Owed {
  let aid: string | null = null;
  let mesh: string | null = null;
  let committed = 0;
  let leaving = false;
  let leaver: string | null = null;
  let rotation = 0;
  let keyAway = 0;
  const signed = new Map<string, number>();
  const left = new Set<string>();
  for (const pledge of pledges) {
    if (pledge.kind === 'identity') {
      aid = pledge.aid;
      leaving = false;
    }
    if (pledge.kind === 'signed') signed.set(pledge.aid, Math.max(pledge.incarnation, signed.get(pledge.aid) ?? 0));
    if (pledge.kind === 'rotation') rotation = pledge.number;
    if (pledge.kind === 'key-away') keyAway = pledge.rotation;
    if (pledge.kind === 'member') mesh = pledge.mesh;
    if (pledge.kind === 'committed' && !leaving) committed = Math.max(committed, pledge.index);
    if (pledge.kind === 'leaving') [leaver, aid, mesh, committed, leaving] = [pledge.aid, null, null, 0, true];
    if (pledge.kind === 'left') left.add(pledge.aid);
  }
  return { aid, mesh, committed, rotation, keyAway, signed, leaving, leaver, left };
}

/** Put a state onto the file system. */
export function materialise(state: DiskState, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const path of state.folders) mkdirSync(path, { recursive: true, mode: 0o700 });
  for (const [path, bytes] of state.files) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, bytes, { mode: 0o600 });
  }
}

/** Start, look, stop. A refusal comes back as its code. */
export async function startOnce(folder: string): Promise<Start | { readonly refused: string }> {
  const node = createMeshNode(nodeOptions(folder));
  const events: string[] = [];
  node.onEvent((event) => events.push(event.code));
  try {
    await node.start();
  } catch (error) {
    if (!isFault(error)) throw error;
    return { refused: error.code };
  }
  const { self, mesh, startReason } = node.status();
  const { rotation, nextKey } = node.identity();
  const start = {
    aid: self.aid,
    incarnation: self.incarnation ?? 0,
    why: startReason,
    mesh: mesh?.name ?? null,
    commitIndex: mesh?.commitIndex ?? 0,
    rotation,
    keyHere: nextKey.where === 'device' ? nextKey.rotation : null,
    events,
  };
  await node.stop();
  return start;
}

/** What is wrong with a restart after a mere power cut; nothing where all is well. */
export async function judgeRestart(folder: string, owed: Owed): Promise<readonly string[]> {
  const first = await startOnce(folder);
  if ('refused' in first) return [`refused to start: ${first.refused}`];
  const second = await startOnce(folder);
  if ('refused' in second) return [`refused to start a second time: ${second.refused}`];
  const wrong: string[] = [];
  if (owed.aid !== null && first.aid !== owed.aid) wrong.push(`the identity ${owed.aid.slice(0, 12)} was forgotten`);
  for (const start of [first, second]) {
    const used = owed.signed.get(start.aid) ?? 0;
    if (start.incarnation <= used) wrong.push(`incarnation ${start.incarnation} had signed before (${used})`);
    if (start.rotation < owed.rotation) wrong.push(`rotation ${owed.rotation}, of which others know, was forgotten (${start.rotation} is left)`);
    if (owed.keyAway > 0 && start.keyHere === owed.keyAway) wrong.push(`the key for rotation ${owed.keyAway} is on the device again`);
    if (owed.left.has(start.aid)) wrong.push('an identity that has left speaks again');
  }
  if (owed.aid === null && !owed.leaving && owed.signed.size > 0 && !owed.signed.has(first.aid)) wrong.push('an identity that had signed was forgotten');
  if (owed.mesh !== null && first.mesh !== owed.mesh) wrong.push(`the membership in ${owed.mesh} was forgotten`);
  if (first.commitIndex < owed.committed && first.mesh !== null) wrong.push(`ledger entry ${owed.committed} was forgotten (${first.commitIndex} are left)`);
  if (first.events.includes('STATE_DEGRADED')) wrong.push('a power cut passes for a damaged disk');
  if (first.why === 'unreadable') wrong.push('the incarnation was lost');
  for (const code of ['STATE_DEGRADED', 'STATE_TAIL_REPAIRED', 'HW_MISMATCH'])
    if (second.events.includes(code)) wrong.push(`the second start still says ${code}`);
  if (first.mesh === null && first.aid === owed.leaver) wrong.push('it has left, but keeps the identity that has left');
  if (second.incarnation <= first.incarnation || second.aid !== first.aid || second.mesh !== first.mesh)
    wrong.push('the second start is not the successor of the first');
  return wrong;
}

/** What is wrong with the records that the loading path alone brings back; promises are the newest round of each peer. */
export function judgeRecords(folder: string, pledges: readonly Pledge[]): readonly string[] {
  const rounds = new Map<string, number>();
  for (const pledge of pledges) if (pledge.kind === 'record') rounds.set(pledge.key, pledge.round);
  const state = new NodeState(folder, crypto);
  const wrong = state.repairs.filter(({ code }) => code === 'STATE_DEGRADED').map(({ text }) => text);
  const found = state.peers.map((record) => record[0] ?? 0);
  state.close();
  const mixed = state.peers.some((record) => record.length !== 160_000 || record.some((byte) => byte !== record[0]));
  if (mixed) wrong.push('a record is made of parts of several');
  for (const [key, round] of rounds) if (!found.some((newest) => newest >= round)) wrong.push(`round ${round} of ${key} was forgotten (${found.join(' ')})`);
  if (found.length < rounds.size) wrong.push(`${rounds.size} peers had been written, ${found.length} are left`);
  return wrong;
}
