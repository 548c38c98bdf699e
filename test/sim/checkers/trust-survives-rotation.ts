/**
 * A rotation costs nothing: in the step in which a judge learns of it, neither the credit for length nor the credit for time
 * that the identity has earned gets smaller, and its standing gets no worse (protocol.md §2.14).
 */
import type { NodeView } from '#mesh/swarm/views.ts';
import { isHonest, type MakeChecker } from './checker.ts';

export const trustSurvivesRotation: MakeChecker = (scene) => {
  /** What each run of a judge thought of each identity, the last time. */
  const last = new Map<symbol, Map<string, NodeView>>();
  return {
    name: 'trust-survives-rotation',
    onView(machine, view) {
      const mark = machine.run?.mark;
      if (mark === undefined || !isHonest(scene, machine.lineage.text)) return undefined;
      const known = last.get(mark) ?? new Map<string, NodeView>();
      last.set(mark, known);
      for (const node of view.nodes) {
        const before = known.get(node.aid);
        known.set(node.aid, node);
        if (before?.trust == null || node.trust === null || before.rotation === null || (node.rotation ?? 0) <= before.rotation) continue;
        if (breakCount(node) > breakCount(before)) continue;
        if (node.trust.lengthCredit < before.trust.lengthCredit || node.trust.timeCreditMs < before.trust.timeCreditMs)
          return `${node.name} has rotated and ${machine.name} gives it ${node.trust.lengthCredit} frames and ${node.trust.timeCreditMs} ms after ${before.trust.lengthCredit} and ${before.trust.timeCreditMs}`;
        if (before.trust.standing === 'clear' && node.trust.standing !== 'clear')
          return `${node.name} has rotated and is ${node.trust.standing} to ${machine.name}`;
      }
      return undefined;
    },
  };
};

function breakCount(node: NodeView): number {
  return Object.values(node.trust?.breaks ?? {}).reduce((sum, count) => sum + count, 0);
}
