/**
 * Once all is whole, machines that nobody has copied find each other again, all of them, and agree about the log. One
 * whose disk or memory was put back is among them: it was told what it had forgotten, and went on. Not so where a memory
 * had said two things in one place by then, or is older than the newest start: it cannot tell that from a copy of it, and
 * waits for its owner; and not where the disk that was put back holds a key that has been replaced since. (Liveness; the bound is the runner's.)
 */
import { hasOldKey, type MakeChecker } from './checker.ts';

export const allMeetAgain: MakeChecker = ({ world, truth }) => ({
  name: 'all-meet-again',
  pending() {
    const single = world.machines.filter((machine) => {
      const { lineage, run } = machine;
      const waits = lineage.forked && run?.swarm.status().state === 'contested';
      return lineage.machines.length === 1 && !truth.equivocated(lineage.text) && !waits && !hasOldKey(machine);
    });
    const commits = new Set<number>();
    for (const machine of single) {
      const view = machine.run?.swarm.status();
      if (view === undefined || view.state !== 'member') return `${machine.name} is ${view?.state ?? 'off'}`;
      commits.add(view.mesh?.commitIndex ?? -1);
      for (const other of single) {
        const node = view.nodes.find(({ aid }) => aid === other.lineage.text);
        if (node?.liveness === 'up' && node.rotation !== other.identity.established.rotations)
          return `${machine.name} knows rotation ${String(node.rotation)} of ${other.name}, which has made ${other.identity.established.rotations}`;
        if (node?.liveness !== 'up') return `${machine.name} sees ${other.name} as ${node?.liveness ?? 'unknown'}`;
      }
    }
    return commits.size > 1 ? `the logs end at ${[...commits].join(', ')}` : undefined;
  },
});
