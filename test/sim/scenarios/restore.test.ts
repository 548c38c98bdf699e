import { describe, expect, it } from 'vitest';
import { breaksAt, codesOf, trio } from './stage.ts';

describe('a restored disk', () => {
  it('H-10: three nodes, one restored; the only peer that knows better comes late: it goes on, and nobody calls it a clone', () => {
    const { world, founder, ada, bob } = trio('restored, told late');
    const image = ada.disk.image();
    // Two more starts, of which bob learns and the founder does not.
    world.network.block(ada, founder);
    world.network.block(founder, ada);
    for (let start = 0; start < 2; start += 1) {
      world.cutPower(ada);
      world.run(1_000);
      world.start(ada);
      world.run(20_000);
    }
    expect(bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.incarnation).toBe(3);
    // The disk is put back while bob is off: it speaks to the founder first, which knows nothing newer.
    world.cutPower(ada);
    world.stop(bob);
    world.network.heal();
    ada.disk = ada.diskFrom(image);
    world.start(ada);
    world.run(40_000);
    expect(breaksAt(founder, ada)).toEqual({ B1: 1 });
    world.start(bob);
    world.run(60_000);
    expect(codesOf(bob)).toContain('IDENTITY_STALE');
    expect(codesOf(ada)).toContain('STATE_RESTORED');
    expect(ada.run?.swarm.status().state).toBe('member');
    expect(ada.run?.start.identity.boot.incarnation).toBe(4);
    for (const judge of [founder, bob]) {
      expect(judge.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.liveness).toBe('up');
      expect(breaksAt(judge, ada)['B4']).toBeUndefined();
    }
  });

  it('H-10: a copy of a running node is noticed by the node that a peer had let in before', () => {
    const { world, founder, ada, bob } = trio('copied and met one after the other');
    const copy = world.addOf(ada.lineage, ada.disk.image());
    // Ada is linked to both; then her cable is cut, and the copy takes her place.
    for (const peer of [founder, bob]) {
      world.network.block(ada, peer);
      world.network.block(peer, ada);
    }
    world.start(copy);
    world.run(40_000);
    expect(copy.run?.swarm.status().state).toBe('member');
    world.network.heal();
    world.run(60_000);
    const contested = [ada, copy].filter((machine) => machine.run?.swarm.status().state === 'contested');
    const held = [founder, bob].filter((judge) => (breaksAt(judge, ada)['B4'] ?? 0) > 0);
    expect(contested.length + held.length).toBeGreaterThan(0);
  });
});
