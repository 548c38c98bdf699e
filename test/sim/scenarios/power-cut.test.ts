import { describe, expect, it } from 'vitest';
import { breaksAt, trio } from './stage.ts';

describe('a power cut', () => {
  it('H-29: an answer that was on its way before the power went is not an answer of the machine that came back', () => {
    const { world, ada, bob } = trio('an answer from before');
    const line = [...bob.ends.values()].find(({ other }) => other?.machine === ada);
    expect(line).toBeDefined();
    // Bob does not read for a while: what ada says waits in his system's buffer, her answer to his heartbeat among it.
    world.network.pause(bob, line!.connection, true);
    world.run(6_000);
    expect(line!.inbox.length).toBeGreaterThan(0);
    world.cutPower(ada);
    world.run(1_000);
    world.start(ada);
    // She dials again; while bob asks the earlier connection whether she lives, he reads what waits there.
    const before = bob.ends.size;
    while (bob.ends.size <= before) world.run(1);
    world.run(20);
    world.network.pause(bob, line!.connection, false);
    world.run(20_000);
    expect(line!.inbox).toHaveLength(0);
    expect(breaksAt(bob, ada)['B4']).toBeUndefined();
    expect(ada.run?.swarm.status().state).toBe('member');
    expect(bob.run?.swarm.status().nodes.find(({ aid }) => aid === ada.lineage.text)?.liveness).toBe('up');
  });
});
