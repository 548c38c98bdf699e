import { describe, expect, it } from 'vitest';
import { createRng } from '#core/random/random.ts';
import { Directory } from './directory.ts';
import { LocalHealth } from './health.ts';
import { SWIM_LIMITS as LIMITS } from './limits.ts';
import { Swim, type SwimOutput } from './machine.ts';
import type { SwimMessage, Update } from './messages.ts';
import { News } from './news.ts';
import { Prober, Relays } from './probe.ts';
import { isSuspicious, suspicionMs } from './suspicion.ts';
import { Sync } from './sync.ts';
import { MemberTable } from './table.ts';
import { isPlausibleRise } from './version.ts';

const V1 = { incarnation: 1, counter: 0 };
const SETTLED = { version: V1, state: 'up' } as const;
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `n${String(index).padStart(4, '0')}`);

/** A machine among `count` members, linked with all of its view. */
function machine(count: number, options: { readonly linked?: boolean } = {}): Swim {
  const swim = new Swim({ self: 'n0000', incarnation: 1, rng: createRng('rules'), directory: Directory.of(ids(count)), assumed: SETTLED }, 0);
  if (options.linked !== false) for (const id of swim.view) swim.step({ kind: 'linked', id, incarnation: 1 }, 0);
  return swim;
}

function receive(swim: Swim, from: string, updates: readonly Update[], now: number): SwimOutput {
  return swim.step({ kind: 'receive', from, message: { kind: 'news', updates } }, now);
}

/** Let time pass, tick by tick; everything that comes out. */
function pass(swim: Swim, from: number, until: number, answer: (to: string, message: SwimMessage) => SwimMessage | undefined = () => undefined): SwimOutput[] {
  const outs: SwimOutput[] = [];
  for (let now = from; now <= until; now = Math.max(now + 1, Math.min(swim.wakeAt, until + 1))) {
    const out = swim.step({ kind: 'tick' }, now);
    outs.push(out);
    for (const { to, message } of out.send) {
      const back = answer(to, message);
      if (back !== undefined) outs.push(swim.step({ kind: 'receive', from: to, message: back }, now + 1));
    }
  }
  return outs;
}

const all = <T>(outs: readonly SwimOutput[], pick: (out: SwimOutput) => readonly T[]): T[] => outs.flatMap(pick);

describe('probing', () => {
  it('M-1 every member of the view is asked once in each round, in another order each time', () => {
    const prober = new Prober(createRng('1'), 0);
    const view = ids(8);
    prober.viewChanged(view);
    const asked: string[] = [];
    for (let now = 1_000; asked.length < 24; now += LIMITS.probePeriodMs)
      for (const { target } of prober.tick(now, view, () => true, 1).steps) {
        asked.push(target);
        prober.heard(target);
      }
    const rounds = [asked.slice(0, 8), asked.slice(8, 16), asked.slice(16, 24)];
    for (const round of rounds) expect([...round].sort()).toEqual(view);
    expect(rounds[1]).not.toEqual(rounds[0]);
    expect(rounds[2]).not.toEqual(rounds[1]);
  });

  it('M-2 who does not answer is asked twice directly and then through helpers; a helper that gets an answer saves it', () => {
    const swim = machine(6);
    const outs = pass(swim, 10, 8_000, (to, message) => {
      if (message.kind === 'probe' && to !== 'n0005') return { kind: 'ack', number: message.number, updates: [] };
      return message.kind === 'ask' ? { kind: 'ack', number: message.number, updates: [] } : undefined;
    });
    const sent = all(outs, (out) => out.send);
    expect(sent.filter(({ message }) => message.kind === 'ask').length).toBeGreaterThanOrEqual(LIMITS.helpersMax);
    expect(sent.filter(({ to, message }) => to === 'n0005' && message.kind === 'probe').length).toBeGreaterThanOrEqual(3);
    expect(swim.state('n0005')).toBe('up');
  });

  it('M-2 nobody but the target and the helpers that were asked can answer a probe', () => {
    const prober = new Prober(createRng('1'), 0);
    prober.begin('a', 0);
    const [step] = prober.tick(0, ['a'], () => false, 1).steps;
    prober.asked('a', 'helper');
    expect(prober.answered(step!.number, 'liar')).toBeUndefined();
    expect(prober.answered(step!.number, 'helper')).toBe('a');
  });

  it('M-2 a helper says early that it gets no answer either, and never helps without end', () => {
    const relays = new Relays();
    const own = relays.add('asker', 8, 'target', 0, 1);
    expect(own).toBeDefined();
    expect(relays.tick(LIMITS.probeStepMs / 2)).toEqual([{ asker: 'asker', number: 8 }]);
    expect(relays.answered('target', undefined)).toEqual([{ asker: 'asker', number: 8 }]);
    for (let number = 0; number < LIMITS.relaysMax; number += 1) relays.add('asker', number, 'target', 0, 1);
    expect(relays.add('asker', 9_999, 'target', 0, 1)).toBeUndefined();
    relays.tick(LIMITS.probeStepMs * 2);
    expect(relays.add('asker', 9_999, 'target', 0, 1)).toBeDefined();
  });

  it('M-3 a connection that broke and is refused, and that helpers cannot make either, means down at once', () => {
    const swim = machine(6);
    const broken = swim.step({ kind: 'unlinked', id: 'n0003', how: 'broken' }, 100);
    expect(broken.dial).toContain('n0003');
    const refused = swim.step({ kind: 'dial-failed', id: 'n0003', refused: true }, 101);
    const asks = [...broken.send, ...refused.send].filter(({ message }) => message.kind === 'ask');
    expect(asks.length).toBeGreaterThanOrEqual(LIMITS.helpersMax);
    for (const { to, message } of asks)
      if (message.kind === 'ask') swim.step({ kind: 'receive', from: to, message: { kind: 'nack', number: message.number, updates: [] } }, 102);
    expect(swim.state('n0003')).toBe('suspect');
    pass(swim, 103, 103 + LIMITS.refusedMs, (_, message) => (message.kind === 'probe' ? { kind: 'ack', number: message.number, updates: [] } : undefined));
    expect(swim.state('n0003')).toBe('down');
  });

  it('M-3 a refused connection alone says nothing about a member whom a helper still reaches', () => {
    const swim = machine(6);
    const broken = swim.step({ kind: 'unlinked', id: 'n0003', how: 'broken' }, 100);
    const refused = swim.step({ kind: 'dial-failed', id: 'n0003', refused: true }, 101);
    const [ask] = [...broken.send, ...refused.send].filter(({ message }) => message.kind === 'ask');
    expect(ask?.message.kind).toBe('ask');
    if (ask?.message.kind === 'ask') swim.step({ kind: 'receive', from: ask.to, message: { kind: 'ack', number: ask.message.number, updates: [] } }, 102);
    expect(swim.state('n0003')).toBe('up');
  });
});

describe('suspicion', () => {
  it('M-4 each independent accuser shortens it, down to a time that grows with the logarithm of the mesh', () => {
    const of = (others: number): number => suspicionMs({ others, own: 'silent', unstable: false }, 1_000);
    expect(of(0)).toBe(of(3) * LIMITS.suspicionSpread);
    expect([of(0), of(1), of(2), of(3)]).toEqual([of(0), of(1), of(2), of(3)].toSorted((a, b) => b - a));
    expect(new Set([of(0), of(1), of(2), of(3)]).size).toBe(4);
    expect(of(9)).toBe(of(3));
    const least = (members: number): number => suspicionMs({ others: 3, own: 'silent', unstable: false }, members);
    expect(least(5)).toBe(LIMITS.suspicionMsMin);
    expect(least(10_000) - least(5_000)).toBe(LIMITS.suspicionMsPerDoubling);
  });

  it('M-5 poor local health slows probing down, and answers restore it', () => {
    const health = new LocalHealth();
    for (let index = 0; index < 20; index += 1) health.bad();
    expect(health.score).toBe(LIMITS.healthMax);
    const prober = new Prober(createRng('1'), 0);
    prober.begin('a', 0);
    prober.tick(0, [], () => true, health.multiplier);
    expect(prober.wakeAt).toBeLessThanOrEqual(LIMITS.probePeriodMs);
    prober.tick(LIMITS.probePeriodMs, [], () => true, health.multiplier);
    expect(prober.wakeAt).toBe(LIMITS.probeStepMs * (1 + LIMITS.healthMax));
    for (let index = 0; index < LIMITS.healthMax; index += 1) health.good();
    expect(health.multiplier).toBe(1);
  });

  it('M-5 when nobody answers at all it may be us; a helper that says "nor me" shows that it is not', () => {
    const ill = machine(6);
    pass(ill, 10, 6_000);
    expect(ill.health).toBeGreaterThan(1);
    const well = machine(6);
    pass(well, 10, 6_000, (to, message) => {
      if (message.kind === 'ask') return { kind: 'nack', number: message.number, updates: [] };
      return message.kind === 'probe' && to !== 'n0005' ? { kind: 'ack', number: message.number, updates: [] } : undefined;
    });
    expect(well.health).toBe(0);
  });

  it('M-6 who is suspected hears of it first, and says the next counter of its incarnation', () => {
    const swim = machine(6);
    const out = receive(swim, 'n0002', [{ kind: 'accuse', id: 'n0000', version: V1, by: 'n0004' }], 1_000);
    const said = out.send.flatMap(({ message }) => ('updates' in message ? message.updates : []));
    expect(said).toContainEqual({ kind: 'alive', id: 'n0000', version: { incarnation: 1, counter: 1 } });
    const news = new News();
    for (let index = 0; index < 40; index += 1) news.add({ kind: 'alive', id: `x${index}`, version: V1 }, null);
    news.add({ kind: 'accuse', id: 'target', version: V1, by: 'n0001' }, null);
    expect(news.take('target', 9)[0]).toMatchObject({ kind: 'accuse', id: 'target' });
  });

  it('M-6 a contradiction of the member ends the suspicion; the old accusation does not bring it back', () => {
    const swim = machine(40, { linked: false });
    const target = ids(40).findLast((id) => !swim.view.includes(id))!;
    const accuse = (by: string): Update => ({ kind: 'accuse', id: target, version: V1, by });
    receive(swim, 'n0001', [accuse('n0002'), accuse('n0003')], 1_000);
    expect(swim.state(target)).toBe('suspect');
    receive(swim, 'n0001', [{ kind: 'alive', id: target, version: { incarnation: 1, counter: 1 } }], 1_100);
    expect(swim.state(target)).toBe('up');
    receive(swim, 'n0001', [accuse('n0004'), accuse('n0005'), accuse('n0006')], 1_200);
    expect(swim.state(target)).toBe('up');
  });

  it('M-7 a lone voice suspects nobody, however often it speaks; nor do the accused, the absent or strangers', () => {
    const swim = machine(40, { linked: false });
    const target = ids(40).findLast((id) => !swim.view.includes(id))!;
    const by = (who: string): Update => ({ kind: 'accuse', id: target, version: V1, by: who });
    for (let now = 1_000; now < 3_000; now += 100) receive(swim, 'n0001', [by('n0001'), by(target), by('stranger'), by('n0000')], now);
    expect(swim.state(target)).toBe('up');
    expect(isSuspicious({ others: 1, own: 'nothing' })).toBe(false);
    receive(swim, 'n0002', [by('n0002')], 3_000);
    expect(swim.state(target)).toBe('suspect');
  });

  it('M-8 what a node hears itself outweighs what others say', () => {
    const swim = machine(6);
    for (let now = 0; now < 20_000; now += 500) {
      swim.step({ kind: 'heard', from: 'n0003' }, now);
      receive(
        swim,
        'n0001',
        ['n0001', 'n0002', 'n0004'].map((by) => ({ kind: 'accuse', id: 'n0003', version: V1, by })),
        now,
      );
      swim.step({ kind: 'tick' }, now);
      expect(swim.state('n0003')).toBe('up');
    }
  });
});

it('M-8 what was said before a node heard a member itself counts no longer', () => {
  const swim = machine(40, { linked: false });
  const target = ids(40).findLast((id) => !swim.view.includes(id))!;
  receive(
    swim,
    'n0001',
    ['n0001', 'n0002'].map((by) => ({ kind: 'accuse', id: target, version: V1, by })),
    1_000,
  );
  expect(swim.state(target)).toBe('suspect');
  swim.step({ kind: 'heard', from: target }, 1_100);
  receive(swim, 'n0003', [{ kind: 'accuse', id: target, version: V1, by: 'n0003' }], 1_200 + LIMITS.heardMs);
  expect(swim.state(target)).toBe('up');
});

describe('telling', () => {
  it('M-9 a word goes over each link once, a bounded number of times, the least told first, in bounded messages', () => {
    const news = new News();
    news.add({ kind: 'alive', id: 'old', version: V1 }, 'source');
    expect(news.hasFor('source')).toBe(false);
    expect(news.take('a', 3)).toHaveLength(1);
    expect(news.take('a', 3)).toHaveLength(0);
    news.add({ kind: 'alive', id: 'new', version: V1 }, null);
    expect(news.take('b', 3).map(({ id }) => id)).toEqual(['new', 'old']);
    expect(news.take('c', 3).map(({ id }) => id)).toEqual(['new', 'old']);
    expect(news.take('d', 3).map(({ id }) => id)).toEqual(['new']);
    for (let index = 0; index < 1_000; index += 1) news.add({ kind: 'alive', id: `x${index}`, version: V1 }, null);
    expect(news.size).toBeLessThanOrEqual(LIMITS.newsMax);
    expect(news.take('e', 9)).toHaveLength(LIMITS.newsPerMessageMax);
  });

  it('M-9 what supersedes a word takes its place', () => {
    const news = new News();
    news.add({ kind: 'accuse', id: 'x', version: V1, by: 'a' }, null);
    news.add({ kind: 'accuse', id: 'x', version: V1, by: 'b' }, null);
    news.add({ kind: 'alive', id: 'x', version: { incarnation: 1, counter: 1 } }, null);
    expect(news.take('z', 9)).toEqual([{ kind: 'alive', id: 'x', version: { incarnation: 1, counter: 1 } }]);
  });

  it('M-10 tables that agree cost one message; where they differ, a bounded number of rows goes over', () => {
    const [a, b] = [machine(400), machine(400)];
    const digest = (swim: Swim): SwimMessage => {
      const found = all(pass(swim, 1, 60_000), (out) => out.send).find(({ message }) => message.kind === 'digest');
      return found!.message;
    };
    const from = a.view[0]!;
    expect(b.step({ kind: 'receive', from, message: digest(machine(400)) }, 1).send.filter(({ message }) => message.kind === 'rows')).toEqual([]);
    for (const id of ids(400).slice(1)) receive(a, from, [{ kind: 'alive', id, version: { incarnation: 1, counter: 1 } }], 1);
    const rows = b.step({ kind: 'receive', from, message: digest(a) }, 100_000).send.filter(({ message }) => message.kind === 'rows');
    expect(rows).toHaveLength(1);
    const [answer] = rows;
    if (answer?.message.kind === 'rows') expect(answer.message.rows.length).toBeLessThanOrEqual(LIMITS.syncRowsMax);
    const directory = Directory.of(ids(400));
    const sync = new Sync(new MemberTable(directory, SETTLED), createRng('1'), 0);
    expect(directory.bucket(0).length + directory.bucket(1).length + directory.bucket(2).length + directory.bucket(3).length).toBeGreaterThan(
      LIMITS.syncRowsMax,
    );
    expect(sync.rowsOf([0, 1, 2, 3], directory)).toHaveLength(LIMITS.syncRowsMax);
  });

  it('M-11 a farewell is believed at once from the member itself, and from two others, not from one', () => {
    const swim = machine(40, { linked: false });
    const [first, second] = ids(40)
      .toReversed()
      .filter((id) => !swim.view.includes(id));
    const direct = swim.step({ kind: 'unlinked', id: first!, how: 'left' }, 1_000);
    expect(direct.changes).toMatchObject([{ id: first, to: 'left' }]);
    receive(swim, 'n0001', [{ kind: 'farewell', id: second!, version: V1, forGood: false }], 1_000);
    expect(swim.state(second!)).toBe('up');
    receive(swim, 'n0002', [{ kind: 'farewell', id: second!, version: V1, forGood: false }], 1_001);
    expect(swim.state(second!)).toBe('stopped');
  });

  it('M-12 nothing about strangers and forgotten members is taken up or passed on', () => {
    const swim = machine(6);
    swim.step({ kind: 'members', directory: Directory.of(ids(5)) }, 1_000);
    const out = receive(swim, 'n0001', [{ kind: 'alive', id: 'n0005', version: { incarnation: 9, counter: 0 } }], 2_000);
    const told = out.send.flatMap(({ message }) => ('updates' in message ? message.updates : []));
    expect(told.filter(({ id }) => id === 'n0005')).toEqual([]);
    expect(out.changes).toEqual([]);
    expect(swim.view).not.toContain('n0005');
    expect(receive(swim, 'n0005', [{ kind: 'accuse', id: 'n0001', version: V1, by: 'n0005' }], 3_000).changes).toEqual([]);
  });

  it('M-13 who contradicts again and again is unstable for a minute, and its suspicions last longer', () => {
    const swim = machine(40, { linked: false });
    const target = ids(40).findLast((id) => !swim.view.includes(id))!;
    const flips: boolean[] = [];
    for (let counter = 1; counter <= LIMITS.unstableRefutations; counter += 1)
      flips.push(
        ...receive(swim, 'n0001', [{ kind: 'alive', id: target, version: { incarnation: 1, counter } }], counter * 1_000).unstable.map((flip) => flip.unstable),
      );
    expect(flips).toEqual([true]);
    expect(swim.isUnstable(target, 10_000)).toBe(true);
    expect(swim.isUnstable(target, 10_000 + LIMITS.unstableMs)).toBe(false);
    const lasts = (unstable: boolean): number => suspicionMs({ others: 3, own: 'silent', unstable }, 30);
    expect(lasts(true)).toBe(lasts(false) * LIMITS.unstablePatience);
  });

  it('M-14 no liar can use a number up: hearsay rises in steps, and a member overtakes what is said of it', () => {
    expect(isPlausibleRise(V1, { incarnation: 1 + LIMITS.riseMax, counter: 0 })).toBe(true);
    expect(isPlausibleRise(V1, { incarnation: 2 + LIMITS.riseMax, counter: 0 })).toBe(false);
    expect(isPlausibleRise(V1, { incarnation: 1, counter: LIMITS.riseMax + 1 })).toBe(false);
    const swim = machine(6);
    const out = receive(swim, 'n0002', [{ kind: 'alive', id: 'n0000', version: { incarnation: 7, counter: 3 } }], 1_000);
    const said = out.send.flatMap(({ message }) => ('updates' in message ? message.updates : []));
    expect(said).toContainEqual({ kind: 'alive', id: 'n0000', version: { incarnation: 7, counter: 4 } });
    const last = { incarnation: 7, counter: LIMITS.counterMax };
    const lie = receive(swim, 'n0002', [{ kind: 'alive', id: 'n0000', version: last }], 2_000);
    expect(lie.send.flatMap(({ message }) => ('updates' in message ? message.updates : [])).filter(({ version }) => version.counter > 4)).toEqual([]);
  });

  it('M-15 small meshes are full; in large ones both ends want the same links, few of them, and replace the dead', () => {
    const small = Directory.of(ids(LIMITS.fullViewMembersMax));
    expect(small.view('n0000', () => false)).toHaveLength(LIMITS.fullViewMembersMax - 1);
    const large = Directory.of(ids(1_000));
    for (const id of ids(1_000)) {
      const view = large.view(id, () => false);
      expect(view.length).toBeLessThanOrEqual(2 * LIMITS.rings);
      for (const other of view) expect(large.view(other, () => false)).toContain(id);
    }
    const [dead] = large.view('n0000', () => false);
    const living = large.view('n0000', (id) => id === dead).filter((id) => id !== dead);
    expect(living.length).toBeGreaterThanOrEqual(large.view('n0000', () => false).length);
  });
});
