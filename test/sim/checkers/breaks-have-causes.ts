/**
 * Every break that an untouched machine records has a cause of its class (protocol.md §2.9, §2.11): declared losses come of
 * power cuts, B2 and B3 of restored or copied disks and memories, B4 of copies, B5 of two things said in one place; nothing
 * else ever comes of anything here, because no machine lies. In a trace without tampering this says: nobody loses more than a declared loss.
 */
import type { BreakClass } from '#mesh/hcth/breaks.ts';
import type { Lineage } from '../machine.ts';
import { isHonest, type MakeChecker, type Scene } from './checker.ts';

const MAY: Readonly<Record<BreakClass, (lineage: Lineage, scene: Scene) => boolean>> = {
  B0: () => true,
  B1: () => true,
  B2: (lineage) => lineage.restored || lineage.cloned || lineage.forked,
  B3: (lineage) => lineage.restored || lineage.cloned || lineage.forked,
  B4: (lineage) => lineage.cloned || lineage.forked,
  B5: (lineage, { truth }) => truth.equivocated(lineage.text),
  PV: (lineage) => lineage.forked,
  SELF: (lineage) => lineage.forked,
  SENT: () => false,
};

export const breaksHaveCauses: MakeChecker = (scene) => ({
  name: 'breaks-have-causes',
  onView(machine, view) {
    if (!isHonest(scene, machine.lineage.text)) return undefined;
    for (const node of view.nodes) {
      const lineage = scene.world.lineages.find((candidate) => candidate.text === node.aid);
      if (lineage === undefined || node.trust === null) continue;
      for (const [breakClass, may] of Object.entries(MAY))
        if ((node.trust.breaks[breakClass] ?? 0) > 0 && !may(lineage, scene)) return `${machine.name} holds ${breakClass} against ${node.name} without a cause`;
    }
    return undefined;
  },
});
