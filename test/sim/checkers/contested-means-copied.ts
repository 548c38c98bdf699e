/** Only an identity that was copied says of itself that it is contested: a restored backup is no clone. */
import type { MakeChecker } from './checker.ts';

export const contestedMeansCopied: MakeChecker = () => ({
  name: 'contested-means-copied',
  onView(machine, view) {
    if (view.state !== 'contested' || machine.lineage.cloned || machine.lineage.forked) return undefined;
    return `${machine.name} calls itself contested, and there was never a copy of it: ${view.stateReason ?? ''}`;
  },
});
