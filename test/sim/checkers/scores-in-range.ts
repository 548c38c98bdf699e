/** A score lies between 0 and 1, and is 0 once convicted (protocol.md §2.12). */
import type { MakeChecker } from './checker.ts';

export const scoresInRange: MakeChecker = () => ({
  name: 'scores-in-range',
  onView(machine, view) {
    for (const { name, trust } of view.nodes) {
      if (trust === null) continue;
      const most = (trust.breaks['B5'] ?? 0) > 0 ? 0 : 1;
      if (!(trust.score >= 0 && trust.score <= most)) return `${machine.name} gives ${name} the score ${trust.score}`;
    }
    return undefined;
  },
});
