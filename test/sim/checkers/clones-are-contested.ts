/**
 * Two machines that hold one identity, both running, both having proved themselves to one peer in their present run: the
 * peer holds the identity for contested (or convicted), or one of the two has found out and says so of itself.
 */
import type { Machine } from '../machine.ts';
import { hasOldKey, honestMachines, type MakeChecker, type Scene } from './checker.ts';

/** How a pair of copies that met a common peer stands. */
export type CloneOutcome = 'no-common-peer' | 'old-key' | 'contested-at-peer' | 'convicted-at-peer' | 'self-reported' | 'unnoticed';

/** All pairs of running copies, and what became of each. */
export function clonePairs(scene: Scene): readonly { readonly a: Machine; readonly b: Machine; readonly outcome: CloneOutcome; readonly judge: string }[] {
  const judges = honestMachines(scene);
  return scene.world.lineages.flatMap((lineage) => {
    const live = lineage.machines.filter((machine) => machine.run !== null);
    return live.flatMap((a, index) => live.slice(index + 1).map((b) => ({ a, b, ...outcomeOf(scene, judges, a, b) })));
  });
}

function outcomeOf({ truth }: Scene, judges: readonly Machine[], a: Machine, b: Machine): { readonly outcome: CloneOutcome; readonly judge: string } {
  const common = judges.filter((judge) => truth.meeting(judge, a) !== undefined && truth.meeting(judge, b) !== undefined);
  if (common.length === 0) return { outcome: 'no-common-peer', judge: '' };
  const selves = [a, b].some((machine) => machine.run?.swarm.status().state === 'contested');
  for (const judge of common) {
    const view = judge.run?.swarm.status();
    const breaks = view?.nodes.find(({ aid }) => aid === a.lineage.text)?.trust?.breaks ?? {};
    if ((breaks['B5'] ?? 0) > 0 || view?.barred.some(({ aid }) => aid === a.lineage.text) === true) return { outcome: 'convicted-at-peer', judge: judge.name };
    if ((breaks['B4'] ?? 0) > 0) return { outcome: 'contested-at-peer', judge: judge.name };
  }
  if (selves) return { outcome: 'self-reported', judge: '' };
  // Where the key was replaced it says which is the original (old-keys-are-refused).
  return { outcome: hasOldKey(a) || hasOldKey(b) ? 'old-key' : 'unnoticed', judge: common.map(({ name }) => name).join(', ') };
}

export const clonesAreContested: MakeChecker = (scene) => ({
  name: 'clones-are-contested',
  pending() {
    const unnoticed = clonePairs(scene).find(({ outcome }) => outcome === 'unnoticed');
    return unnoticed === undefined ? undefined : `${unnoticed.a.name} and ${unnoticed.b.name} have both met ${unnoticed.judge}, and nobody has noticed`;
  },
});
