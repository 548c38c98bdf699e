/**
 * Once all is whole, machines that nobody has copied find each other again, all of them, and agree about the log. A
 * restored one is among them: it was told what it had forgotten, and went on. (Liveness; the bound is the runner's.)
 */
import type { MakeChecker } from './checker.ts';

export const allMeetAgain: MakeChecker = ({ world }) => ({
  name: 'all-meet-again',
  pending() {
    const single = world.machines.filter(({ lineage }) => !lineage.cloned && !lineage.forked);
    const commits = new Set<number>();
    for (const machine of single) {
      const view = machine.run?.swarm.status();
      if (view === undefined || view.state !== 'member') return `${machine.name} is ${view?.state ?? 'off'}`;
      commits.add(view.mesh?.commitIndex ?? -1);
      for (const other of single) {
        const node = view.nodes.find(({ aid }) => aid === other.lineage.text);
        if (node?.liveness !== 'up') return `${machine.name} sees ${other.name} as ${node?.liveness ?? 'unknown'}`;
      }
    }
    return commits.size > 1 ? `the logs end at ${[...commits].join(', ')}` : undefined;
  },
});
