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

  it('two histories of the mesh, both signed by the voter and its copy: no member is blamed for the one that it was given', () => {
    const { world, founder, ada, bob } = trio('two voters');
    const copy = world.addOf(founder.lineage, founder.disk.image());
    // The founder is alone with ada, its copy with bob; each admits nobody, but decides something.
    for (const [a, b] of [
      [founder, bob],
      [copy, ada],
      [founder, copy],
      [ada, bob],
    ] as const) {
      world.network.block(a, b);
      world.network.block(b, a);
    }
    world.start(copy);
    for (const [from, to] of [
      [bob, copy],
      [copy, bob],
    ] as const)
      world.input(from, { kind: 'hint', address: to.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    world.run(30_000);
    for (const voter of [founder, copy]) world.command(voter, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    world.run(5_000);
    const commits = [ada, bob].map((machine) => machine.run?.swarm.status().mesh?.commitIndex);
    expect(commits[0]).toBe(commits[1]);
    // Then the two members meet, and neither voter is there; one has more to tell than the other.
    world.cutPower(founder);
    world.command(copy, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    world.run(1_000);
    world.cutPower(copy);
    world.network.heal();
    world.run(60_000);
    expect(breaksAt(ada, bob)['PV']).toBeUndefined();
    expect(breaksAt(bob, ada)['PV']).toBeUndefined();
    expect(codesOf(ada)).toContain('LEDGER_FORKED');
    for (const [a, b] of [
      [ada, bob],
      [bob, ada],
    ] as const)
      expect(a.run?.swarm.status().nodes.find(({ aid }) => aid === b.lineage.text)?.liveness).toBe('up');
  });

  it('a voter that was put back while the one member that had heard its last decision was away: two histories are told of, and nobody is blamed', () => {
    const { world, founder, ada, bob } = trio('voter put back');
    const invite = { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } } as const;
    const image = founder.disk.image();
    world.stop(bob);
    world.command(founder, invite);
    world.run(5_000);
    for (const machine of [founder, ada]) world.cutPower(machine);
    founder.disk = founder.diskFrom(image);
    world.start(founder);
    world.start(bob);
    world.run(20_000);
    world.command(founder, invite);
    world.run(5_000);
    world.start(ada);
    world.run(60_000);
    for (const [a, b] of [
      [ada, founder],
      [founder, ada],
    ] as const) {
      expect(breaksAt(a, b)['PV']).toBeUndefined();
      expect(a.run?.swarm.status().nodes.find(({ aid }) => aid === b.lineage.text)?.liveness).toBe('up');
    }
    world.command(founder, invite);
    world.run(5_000);
    expect(codesOf(ada)).toContain('LEDGER_FORKED');
    expect(breaksAt(ada, founder)['PV']).toBeUndefined();
  });
});
