import { describe, expect, it } from 'vitest';
import { breaksAt, codesOf, trio } from './stage.ts';

describe('a memory that is put back', () => {
  it('H-31: once, and again within the hour: shown its own signature it goes on in a new incarnation each time', () => {
    const { world, founder, ada, bob } = trio('memory put back');
    for (let round = 1; round <= 2; round += 1) {
      const snapshot = world.remember(ada);
      // A slot passes: ada signs where she stands, and will not remember it.
      world.run(70_000);
      world.cutPower(ada);
      ada.disk = ada.diskFrom(snapshot.image);
      world.wake(ada, snapshot, true);
      world.run(70_000);
      expect(codesOf(ada).filter((code) => code === 'STATE_RESTORED')).toHaveLength(round);
      for (const judge of [founder, bob]) {
        const view = judge.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text);
        expect(view?.liveness).toBe('up');
        expect(view?.incarnation).toBe(ada.run?.start.identity.boot.incarnation);
        expect(breaksAt(judge, ada)['B5']).toBeUndefined();
      }
    }
  });
});
