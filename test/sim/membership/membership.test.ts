/**
 * Whole meshes of membership machines in virtual time: what must hold of all of them together. Each failure is one seed:
 * `npm run sim -- --world membership --nodes N --seed S` runs the same kind of world.
 */
import { describe, expect, it } from 'vitest';
import { SWIM_LIMITS as LIMITS } from '#mesh/membership/swim/limits.ts';
import { measure } from './measure.ts';
import { type SwimNode, SwimWorld } from './swim-world.ts';

const SEEDS = ['1', '2', '3'];

/** The states that all running members see of one, each named once. */
function seen(world: SwimWorld, id: string): string {
  return [...new Set(world.running.filter((node) => node.id !== id).map((node) => node.machine.state(id)))].sort().join(' ');
}

/** Pairs (who sees it, whom) of running members of which the first takes the second for gone. */
function mistaken(world: SwimWorld): string[] {
  const { running } = world;
  return running.flatMap((at) =>
    running.filter(({ id }) => id !== at.id && !['up', 'suspect'].includes(at.machine.state(id))).map(({ id }) => `${at.id} ${id}`),
  );
}

/** Let time pass until it holds, looked at four times a second, or until the span is over. */
function within(world: SwimWorld, spanMs: number, holds: () => boolean): boolean {
  for (let passed = 0; passed < spanMs; passed += 250) {
    if (holds()) return true;
    world.run(250);
  }
  return holds();
}

function downs(world: SwimWorld): { readonly at: SwimNode; readonly id: string }[] {
  const found: { readonly at: SwimNode; readonly id: string }[] = [];
  world.onChange = (at, { id, to }) => {
    if (to === 'down') found.push({ at, id });
  };
  return found;
}

describe('a mesh in virtual time', () => {
  it('M-16 whoever is dead is seen dead by all within half a minute, and nobody else is, even when a third dies at once', () => {
    for (const seed of SEEDS.slice(0, 2))
      for (const nodes of [6, 30, 60]) {
        const world = new SwimWorld({ seed, nodes, settled: true });
        world.run(3_000);
        const dead = [...world.nodes.keys()].filter((_, index) => index % 3 === 1);
        for (const [index, id] of dead.entries()) {
          if (index % 2 === 0) world.kill(id);
          else world.powerOff(id);
        }
        const all = within(world, 30_000, () => dead.every((id) => seen(world, id) === 'down'));
        expect(all, `seed ${seed}, ${nodes} nodes`).toBe(true);
        expect(mistaken(world), `seed ${seed}, ${nodes} nodes`).toEqual([]);
      }
  });

  it('M-16 a killed process is known to all 30 within half a second, a silent host within what Serf needs', () => {
    for (const seed of SEEDS) {
      const world = new SwimWorld({ seed, nodes: 30, settled: true });
      world.run(5_000);
      world.kill('n00007');
      expect(
        within(world, 500, () => seen(world, 'n00007') === 'down'),
        seed,
      ).toBe(true);
      world.powerOff('n00009');
      expect(
        within(world, 8_400, () => seen(world, 'n00009') === 'down'),
        seed,
      ).toBe(true);
    }
  });

  it('M-17 at 10 % loss nobody is suspected; at 30 % loss nobody is taken for dead, and who seems to come and go is unstable', () => {
    for (const seed of SEEDS) {
      const mild = new SwimWorld({ seed, nodes: 30, settled: true, loss: 0.1 });
      let suspected = 0;
      mild.onChange = () => {
        suspected += 1;
      };
      mild.run(60_000);
      expect(mild.lost).toBeGreaterThan(100);
      expect(suspected, seed).toBe(0);
      const hard = new SwimWorld({ seed, nodes: 30, settled: true, loss: 0.3 });
      const dead = downs(hard);
      let unstable = 0;
      hard.onUnstable = () => {
        unstable += 1;
      };
      hard.run(120_000);
      expect(dead, seed).toEqual([]);
      expect(unstable, seed).toBeGreaterThan(0);
    }
  });

  it('M-17 a link that works one way only makes nobody suspect: others reach its end', () => {
    for (const nodes of [5, 60]) {
      const world = new SwimWorld({ seed: '1', nodes, settled: true });
      const [victim = ''] = world.node('n00001').machine.view;
      let blocked = 0;
      world.passes = (from, to) => {
        const passes = !(from === victim && to === 'n00001');
        if (!passes) blocked += 1;
        return passes;
      };
      const changes: string[] = [];
      world.onChange = (at, { id, to }) => void changes.push(`${at.id} ${id} ${to}`);
      world.run(60_000);
      expect(blocked).toBeGreaterThan(3);
      expect(changes, String(nodes)).toEqual([]);
    }
  });

  it('M-18 halves that were apart are one again within a minute, and each had gone on alone', () => {
    for (const seed of SEEDS.slice(0, 1)) {
      const world = new SwimWorld({ seed, nodes: 60, settled: true });
      const left = (id: string): boolean => Number(id.slice(1)) < 20;
      world.passes = (from, to) => left(from) === left(to);
      world.run(60_000);
      const wrong = world.running.flatMap(({ id, machine }) =>
        [...world.nodes.keys()]
          .filter((other) => other !== id && machine.state(other) !== (left(id) === left(other) ? 'up' : 'down'))
          .map((other) => `${id} ${other}`),
      );
      expect(wrong, seed).toEqual([]);
      world.passes = () => true;
      expect(
        within(world, 60_000, () => mistaken(world).length === 0),
        seed,
      ).toBe(true);
    }
  });

  it('M-12 a forgotten member never returns, though it still talks and others have not heard of the decision', () => {
    const world = new SwimWorld({ seed: '1', nodes: 40, settled: true });
    const forgotten = 'n00005';
    const told = [...world.nodes.keys()].filter((id, index) => id !== forgotten && index % 2 === 0);
    world.setMembers(
      [...world.directory.ids()].filter((id) => id !== forgotten),
      told,
    );
    const back: string[] = [];
    world.onChange = (at, { id }) => {
      if (id === forgotten && told.includes(at.id)) back.push(at.id);
    };
    world.run(30_000);
    world.kill(forgotten);
    world.start(forgotten);
    world.run(60_000);
    expect(back).toEqual([]);
    for (const id of told) expect(world.node(id).machine.view).not.toContain(forgotten);
  });

  it('M-11 whoever leaves or stops in order is never seen as dead, and is up again when it returns', () => {
    for (const nodes of [5, 60]) {
      const world = new SwimWorld({ seed: '1', nodes, settled: true });
      const dead = downs(world);
      world.stop('n00001', false);
      world.stop('n00002', true);
      world.run(20_000);
      expect([seen(world, 'n00001'), seen(world, 'n00002')]).toEqual(['stopped', 'left']);
      expect(dead).toEqual([]);
      world.start('n00001');
      expect(within(world, 5_000, () => seen(world, 'n00001') === 'up')).toBe(true);
    }
  });

  it('M-10 a mesh that was switched on all at once, one machine missing, agrees on who is there', () => {
    const world = new SwimWorld({ seed: '1', nodes: 60, settled: false });
    world.powerOff('n00013');
    expect(within(world, 30_000, () => mistaken(world).length === 0)).toBe(true);
    expect(seen(world, 'n00013')).toBe('down');
  });

  it('M-5 whose event loop stood still blames nobody for it', () => {
    for (const nodes of [8, 60]) {
      const world = new SwimWorld({ seed: '1', nodes, settled: true });
      const accused: string[] = [];
      let stalled = true;
      world.run(5_000);
      world.onChange = (at, { id, to }) => {
        if (at.id === 'n00001' && to !== 'up') accused.push(id);
        if (id === 'n00001' && to === 'down') stalled = false;
      };
      world.stall('n00001', 20_000);
      world.run(60_000);
      expect(stalled, 'the stall was noticed').toBe(false);
      expect(accused).toEqual([]);
      expect(seen(world, 'n00001')).toBe('up');
    }
  });

  it('M-7 a member that lies about another in every way gets nobody killed, and nothing of it lasts', () => {
    for (const nodes of [6, 60]) {
      const world = new SwimWorld({ seed: '1', nodes, settled: true });
      const dead = downs(world);
      const victim = 'n00003';
      const liar = 'n00001';
      for (let second = 0; second < 60; second += 1)
        world.after(second * 1_000, () => {
          const version = { incarnation: 1, counter: second * 40 };
          for (const to of world.node(liar).links) {
            if (to === victim) continue;
            const accusers = ['n00001', 'n00002', 'n00004', 'n00005'].filter((id) => id !== to);
            world.forge(liar, to, { kind: 'news', updates: accusers.map((by) => ({ kind: 'accuse', id: victim, version, by })) });
            world.forge(liar, to, { kind: 'news', updates: [{ kind: 'farewell', id: victim, version, forGood: true }] });
            world.forge(liar, to, { kind: 'rows', buckets: [0], rows: [{ id: victim, version, state: 'down', accusers }], answer: false });
          }
        });
      world.run(60_000);
      expect(dead, String(nodes)).toEqual([]);
      expect(
        within(world, 30_000, () => seen(world, victim) === 'up'),
        String(nodes),
      ).toBe(true);
    }
  });

  it('M-19 messages per node and second are as many in a mesh of 300 as in one of 5, and messages have a largest size', () => {
    const instruments = { nowMs: () => 0, heapBytes: () => 0 };
    const [small, large] = [measure(5, '1', instruments), measure(300, '1', instruments)];
    expect(large.idlePerSecond / small.idlePerSecond).toBeGreaterThan(0.9);
    expect(large.idlePerSecond / small.idlePerSecond).toBeLessThan(1.1);
    expect(large.linksMax).toBeLessThanOrEqual(2 * LIMITS.rings);
    expect(large.falseSuspicions).toBe(0);
    for (const { event, allMs } of [...small.spreads, ...large.spreads]) expect(allMs, event).not.toBeNull();
  });

  it('M-9 no message carries more than its bounds, whatever happens', () => {
    const world = new SwimWorld({ seed: '2', nodes: 60, settled: true, loss: 0.1 });
    let largest = 0;
    world.onMessage = (_, __, message) => {
      if ('updates' in message) largest = Math.max(largest, message.updates.length);
      if (message.kind === 'rows') expect(message.rows.length).toBeLessThanOrEqual(LIMITS.syncRowsMax);
    };
    for (const id of [...world.nodes.keys()].slice(0, 25)) world.powerOff(id);
    world.run(20_000);
    expect(largest).toBeGreaterThan(3);
    expect(largest).toBeLessThanOrEqual(LIMITS.newsPerMessageMax);
  });

  it('the same seed makes the same world', () => {
    const trace = (): string => {
      const world = new SwimWorld({ seed: '5', nodes: 40, settled: true, loss: 0.2 });
      const lines: string[] = [];
      world.onChange = (at, { id, to }) => void lines.push(`${world.now} ${at.id} ${id} ${to}`);
      world.kill('n00004');
      world.powerOff('n00006');
      world.run(20_000);
      return `${lines.join('\n')}\n${String(world.messages)}`;
    };
    expect(trace()).toBe(trace());
    expect(trace().split('\n').length).toBeGreaterThan(50);
  });
});
