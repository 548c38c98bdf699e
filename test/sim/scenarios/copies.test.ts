import { describe, expect, it } from 'vitest';
import { breaksAt, codesOf, trio } from './stage.ts';

describe('copies of one disk', () => {
  it('H-25: a node that has shown where it stands to one copy, and then spoke to the other, begins again: nobody breaks the protocol', () => {
    const { world, ada, bob } = trio('shown, then moved on');
    const copy = world.addOf(ada.lineage, ada.disk.image());
    // The copy dials nobody: bob finds it by himself, while he still believes in his link to ada.
    for (const peer of world.machines.slice(0, 3)) world.network.block(copy, peer);
    world.start(copy);
    world.run(6_000);
    world.cutPower(ada);
    world.network.heal();
    for (const other of world.machines) if (other !== bob && other !== copy) world.network.block(copy, other);
    world.input(bob, { kind: 'hint', address: copy.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    world.run(30_000);
    expect(codesOf(bob)).toContain('DUP_CONN');
    expect(codesOf(bob).concat(codesOf(copy))).not.toContain('SEQ');
    expect(breaksAt(copy, bob)).toEqual({});
    expect(breaksAt(bob, ada)['SELF']).toBeUndefined();
    expect(bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.liveness).toBe('up');
  });
});
