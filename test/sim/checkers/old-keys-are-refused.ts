/**
 * Whoever knows that a key was replaced has no link to a machine that still holds it: a stolen card, a restored disk, a copy
 * that did not hear of the rotation (protocol.md §2.14).
 */
import { hasOldKey, honestMachines, type MakeChecker } from './checker.ts';

export const oldKeysAreRefused: MakeChecker = (scene) => ({
  name: 'old-keys-are-refused',
  pending() {
    for (const machine of scene.world.machines) {
      const view = machine.run?.swarm.status();
      if (view === undefined || !hasOldKey(machine)) continue;
      for (const judge of honestMachines(scene)) {
        const known = judge.run?.swarm.status().nodes.find(({ aid }) => aid === machine.lineage.text)?.rotation ?? 0;
        const linked = view.nodes.find(({ aid }) => aid === judge.lineage.text)?.liveness === 'up' && view.state === 'member';
        if (linked && known > machine.identity.established.rotations)
          return `${machine.name} is linked to ${judge.name} with the key of rotation ${machine.identity.established.rotations}, and ${judge.name} knows rotation ${known}`;
      }
    }
    return undefined;
  },
});
