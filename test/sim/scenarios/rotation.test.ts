import { describe, expect, it } from 'vitest';
import { breaksAt, trio } from './stage.ts';

describe('a rotation', () => {
  it('H-61: it ends a contest for good: a member that loses power right after hearing of it does not come back with the old doubt', () => {
    const { world, ada, bob } = trio('settled, then dark');
    const copy = world.addOf(ada.lineage, ada.disk.image());
    world.start(copy);
    world.input(copy, { kind: 'hint', address: bob.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    world.run(20_000);
    const standing = (): string | undefined => bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.trust?.standing;
    expect(breaksAt(bob, ada)['B4']).toBeGreaterThan(0);
    expect(standing()).toBe('contested');
    world.cutPower(copy);
    world.run(10_000);
    world.rotate(ada, { recovery: false, untold: false });
    while (standing() !== 'clear') world.run(1);
    // Nothing that he had not been told to confirm is on his disk.
    bob.disk.losesAll = true;
    world.cutPower(bob);
    world.run(1_000);
    world.start(bob);
    world.run(20_000);
    expect(bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)).toMatchObject({ rotation: 1, liveness: 'up' });
    expect(standing()).toBe('clear');
  });

  it('H-61: a voter whose card was restored does not seal its rotation before it has heard a member: no two entries at one index', () => {
    const { world, founder, ada, bob } = trio('restored before the seal');
    // The new key is on the disk, and the power goes before the ledger has it.
    world.rotate(founder, { recovery: false, untold: true });
    const image = founder.disk.image();
    world.rotate(bob, { recovery: false, untold: false });
    world.run(5_000);
    world.start(founder);
    world.run(20_000);
    const commit = ada.run?.swarm.status().mesh?.commitIndex;
    expect(founder.disk.ledger.length).toBeGreaterThan(image.ledger.length + 1);
    for (const machine of [founder, ada, bob]) world.cutPower(machine);
    founder.disk = founder.diskFrom(image);
    world.start(founder);
    world.run(10_000);
    expect(founder.disk.ledger).toHaveLength(image.ledger.length);
    world.start(bob);
    world.start(ada);
    world.run(60_000);
    for (const judge of [ada, bob]) expect(breaksAt(judge, founder)['PV']).toBeUndefined();
    expect([founder, ada, bob].map((machine) => machine.run?.swarm.status().mesh?.commitIndex)).toEqual([commit, commit, commit]);
  });
});
