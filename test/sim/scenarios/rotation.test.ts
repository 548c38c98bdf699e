import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.ts';
import { breaksAt, codesOf, trio } from './stage.ts';

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

  it('an acceptance that is taken back, both ends having dialled at once, is no violation where a log was fetched before it', () => {
    let takenBack = 0;
    for (let offset = 1_000; offset <= 1_300; offset += 30) {
      const { world, founder, ada, bob } = trio('accepted, then taken back');
      world.network.latencyMs = 40;
      // The connection that the higher identity has dialled is the one that is given up.
      const [low, high] = ada.lineage.text < bob.lineage.text ? [ada, bob] : [bob, ada];
      world.cutPower(founder);
      world.stop(low);
      // More rotations than a payload carries.
      for (let count = 0; count < 6; count += 1) {
        world.rotate(high, { recovery: false, untold: false });
        world.run(2_000);
      }
      world.stop(high);
      world.start(low);
      world.run(20_000);
      world.start(high);
      world.run(offset);
      world.input(low, { kind: 'network-changed' });
      world.run(5_000);
      expect([breaksAt(high, low)['PV'], breaksAt(low, high)['PV']]).toEqual([undefined, undefined]);
      if (high.events.some(({ code, text }) => code === 'DUP_CONN' && text.startsWith('the link') && text.includes('closed there'))) takenBack += 1;
    }
    expect(takenBack).toBeGreaterThan(0);
  });

  it('A-40: of two machines of the voter both have rotated: who passes on what the other key signed is not blamed, and the voter is convicted', () => {
    const { world, founder, ada, bob } = trio('two rotations, two ledgers');
    const copy = world.addOf(founder.lineage, founder.disk.image());
    const invite = { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } } as const;
    // The founder is alone with ada, then its copy with bob; each rotates, and decides.
    world.cutPower(bob);
    world.rotate(founder, { recovery: false, untold: false });
    world.run(20_000);
    world.command(founder, invite);
    world.run(5_000);
    for (const machine of [founder, ada]) world.cutPower(machine);
    world.start(copy);
    world.start(bob);
    const tag = bob.run?.swarm.status().mesh?.tag ?? null;
    for (const [from, to] of [
      [bob, copy],
      [copy, bob],
    ] as const)
      world.input(from, { kind: 'hint', address: to.address, meshTag: tag, origin: 'mdns' });
    world.run(20_000);
    // The next key is one and the same on both cards; only the one after it is not.
    for (let count = 0; count < 2; count += 1) {
      world.rotate(copy, { recovery: false, untold: false });
      world.run(20_000);
    }
    for (let count = 0; count < 2; count += 1) {
      world.command(copy, invite);
      world.run(5_000);
    }
    world.cutPower(copy);
    world.start(ada);
    world.run(30_000);
    expect([breaksAt(ada, bob)['PV'], breaksAt(bob, ada)['PV']]).toEqual([undefined, undefined]);
    expect(breaksAt(ada, founder)['B5']).toBe(1);
    expect(ada.run?.swarm.status().nodes.find(({ aid }) => aid === bob.lineage.text)?.liveness).toBe('up');
  });

  it('A-40: a voter that is told that its key was replaced elsewhere decides nothing more', () => {
    const { world, founder, ada, bob } = trio('superseded voter');
    world.stop(bob);
    const image = founder.disk.image();
    // The rotation is sealed while only ada listens.
    world.rotate(founder, { recovery: false, untold: false });
    world.run(20_000);
    const commit = ada.run?.swarm.status().mesh?.commitIndex;
    expect(commit).toBeGreaterThan(image.ledger.length);
    world.cutPower(founder);
    founder.disk = founder.diskFrom(image);
    world.network.block(founder, bob);
    world.network.block(bob, founder);
    world.start(founder);
    world.run(20_000);
    expect(codesOf(founder)).toContain('IDENTITY_SUPERSEDED');
    world.stop(ada);
    world.network.heal();
    world.start(bob);
    world.rotate(bob, { recovery: false, untold: false });
    world.run(20_000);
    expect(bob.run?.swarm.status().nodes.find(({ aid }) => aid === founder.lineage.text)?.liveness).toBe('up');
    const invite = world.command(founder, { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } });
    world.run(5_000);
    expect(founder.replies.get(invite)).toMatchObject({ kind: 'refused', refusal: { text: expect.stringContaining('made elsewhere') as string } });
    expect(founder.disk.ledger).toHaveLength(image.ledger.length);
  });

  it('H-62: a rotation that is heard of while a handshake under the old key waits ends that handshake: no link, no contest', () => {
    const { world, founder, ada, bob } = trio('rotation during a probe');
    const image = ada.disk.image();
    for (const other of [founder, ada]) {
      world.network.block(other, bob);
      world.network.block(bob, other);
    }
    world.rotate(ada, { recovery: false, untold: false });
    world.run(1_000);
    world.cutPower(ada);
    const copy = world.addOf(ada.lineage, image);
    world.start(copy);
    world.input(copy, { kind: 'hint', address: bob.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    const view = () => bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text);
    // Bob asks the link that he has whether it lives; meanwhile the founder is heard again, and tells him of the new key.
    world.run(1_000);
    expect(view()?.rotation).toBe(0);
    world.network.heal();
    world.run(500);
    expect(view()?.rotation).toBe(1);
    world.run(20_000);
    expect(copy.events.filter(({ code, aid }) => code === 'MEMBER_UP' && aid === bob.lineage.text)).toEqual([]);
    expect(codesOf(copy)).toContain('IDENTITY_SUPERSEDED');
    expect(view()?.trust?.standing).toBe('clear');
  });

  it('H-62: who tells of a contest under a key that has been replaced is shown what replaced it', () => {
    const { world, founder, ada, bob } = trio('contest under an old key');
    const image = ada.disk.image();
    world.cutPower(founder);
    world.rotate(ada, { recovery: false, untold: false });
    world.run(5_000);
    world.cutPower(ada);
    world.start(founder);
    world.run(10_000);
    for (let count = 0; count < 2; count += 1) {
      const copy = world.addOf(ada.lineage, image);
      world.start(copy);
      world.input(copy, { kind: 'hint', address: founder.address, meshTag: founder.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
      world.run(15_000);
    }
    expect(breaksAt(founder, ada)['B4']).toBeGreaterThan(0);
    for (const judge of [founder, bob]) {
      const view = judge.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text);
      expect([view?.rotation, view?.trust?.standing]).toEqual([1, 'clear']);
    }
  });

  it('A-40: what a newer key of the voter signed is no forgery to a member whose ledger does not hold that key: the bringer is not blamed', () => {
    const { world, founder, ada, bob } = trio('two ledgers, one rotated');
    const image = founder.disk.image();
    const invite = { kind: 'invite', options: { role: 'member', uses: 1, expiresInMs: 3_600_000, label: null } } as const;
    // The original decides, and only ada hears of it.
    world.cutPower(bob);
    world.command(founder, invite);
    world.run(2_000);
    world.cutPower(founder);
    world.cutPower(ada);
    // The copy rotates and decides, and only bob hears of it.
    const copy = world.addOf(founder.lineage, image);
    world.start(copy);
    world.start(bob);
    for (const machine of [copy, bob])
      for (const other of [copy, bob])
        if (machine !== other)
          world.input(machine, { kind: 'hint', address: other.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    world.run(20_000);
    world.rotate(copy, { recovery: false, untold: false });
    world.run(20_000);
    world.command(copy, invite);
    world.run(5_000);
    world.start(ada);
    for (const [machine, other] of [
      [ada, copy],
      [ada, bob],
      [copy, ada],
      [bob, ada],
    ] as const)
      world.input(machine, { kind: 'hint', address: other.address, meshTag: bob.run?.swarm.status().mesh?.tag ?? null, origin: 'mdns' });
    world.run(60_000);
    const liveness = (judge: Machine, of: Machine): string | undefined => judge.run?.swarm.status().nodes.find(({ aid }) => aid === of.lineage.text)?.liveness;
    expect([breaksAt(ada, bob)['PV'], breaksAt(bob, ada)['PV']]).toEqual([undefined, undefined]);
    expect([liveness(ada, bob), liveness(bob, ada)]).toEqual(['up', 'up']);
    expect(codesOf(ada)).toContain('LEDGER_FORKED');
  });
});
