import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.ts';
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

  it('H-31: with nothing signed since: the word of a peer that has looked into its own record is enough, at once and soon again', () => {
    const { world, founder, ada, bob } = trio('memory put back, nothing signed');
    const isUp = (judge: Machine): boolean => judge.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.liveness === 'up';
    for (let round = 1; round <= 2; round += 1) {
      const incarnation = ada.run?.start.identity.boot.incarnation ?? 0;
      const snapshot = world.remember(ada);
      for (const judge of [founder, bob]) world.request(ada, judge.lineage.name, new Uint8Array(3));
      world.run(1_000);
      world.cutPower(ada);
      ada.disk = ada.diskFrom(snapshot.image);
      world.wake(ada, snapshot, true);
      world.run(60_000);
      expect(codesOf(ada)).not.toContain('STATE_RESTORED');
      expect(codesOf(ada).filter((code) => code === 'HISTORY_RENEWED')).toHaveLength(round);
      expect(ada.run?.start.identity.boot.incarnation).toBe(incarnation + 1);
      expect([founder, bob].map(isUp)).toEqual([true, true]);
    }
  });

  it('H-31: two machines woken from one memory, both behind what their peers hold, are contested and not turned away for ever', () => {
    const { world, founder, ada, bob } = trio('two of one memory');
    const talk = (): void => {
      for (const judge of [founder, bob]) world.request(ada, judge.lineage.name, new Uint8Array(3));
      world.run(1_000);
      world.cutPower(ada);
    };
    const first = world.remember(ada);
    talk();
    ada.disk = ada.diskFrom(first.image);
    world.wake(ada, first, true);
    world.run(30_000);
    // Its run began with `restore` now.
    const snapshot = world.remember(ada);
    talk();
    const copy = world.addOf(ada.lineage, snapshot.image);
    ada.disk = ada.diskFrom(snapshot.image);
    world.wake(ada, snapshot, false);
    world.wake(copy, snapshot, false);
    world.run(60_000);
    expect((breaksAt(founder, ada)['B4'] ?? 0) + (breaksAt(bob, ada)['B4'] ?? 0)).toBeGreaterThan(0);
    for (const judge of [founder, bob]) expect(breaksAt(judge, ada)['B5']).toBeUndefined();
  });
});
