import { describe, expect, it } from 'vitest';
import { createRng } from '#core/random/random.ts';
import { DialPlan } from './dial-plan.ts';
import { MEMBERSHIP_LIMITS } from './limits.ts';

const there = { host: '10.0.0.2', port: 7411 };

describe('dial plan', () => {
  it('the lower identity dials at once, the higher one after 1 s', () => {
    const low = new DialPlan('a', createRng('1'));
    low.addMember('b', 0);
    low.addressOf('b', there, 0);
    expect(low.due(0)).toEqual([{ target: { kind: 'member', id: 'b' }, address: there }]);
    const high = new DialPlan('b', createRng('1'));
    high.addMember('a', 0);
    high.addressOf('a', there, 0);
    expect(high.due(0)).toEqual([]);
    expect(high.wakeAt()).toBe(1_000);
    expect(high.due(1_000)).toHaveLength(1);
  });

  it('a broken link is probed at once by both sides', () => {
    const high = new DialPlan('b', createRng('1'));
    high.addMember('a', 0);
    high.addressOf('a', there, 0);
    high.linked('a');
    high.broken('a', 500);
    expect(high.due(500)).toHaveLength(1);
  });

  it('failed dials back off with jitter up to the limit', () => {
    const plan = new DialPlan('a', createRng('1'));
    plan.addMember('b', 0);
    plan.addressOf('b', there, 0);
    let now = 0;
    const waits: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      expect(plan.due(now)).toHaveLength(1);
      plan.failed({ kind: 'member', id: 'b' }, now);
      waits.push(plan.wakeAt() - now);
      now = plan.wakeAt();
    }
    expect(waits[0]).toBeGreaterThanOrEqual(750);
    expect(Math.max(...waits)).toBeLessThanOrEqual(MEMBERSHIP_LIMITS.backoffMsMax * 1.25);
    expect(new Set(waits).size).toBeGreaterThan(6);
  });

  it('a hint that nobody answers is given up', () => {
    const plan = new DialPlan('a', createRng('1'));
    plan.addHint(there, 0);
    let now = 0;
    let given = false;
    for (let round = 0; round < MEMBERSHIP_LIMITS.hintFailuresMax; round += 1) {
      now = plan.wakeAt();
      for (const dial of plan.due(now)) given = plan.failed(dial.target, now);
    }
    expect(given).toBe(true);
    expect(plan.due(now + 60_000)).toEqual([]);
  });

  it('with as many dials under way as there may be, nobody is due until one of them ends', () => {
    const plan = new DialPlan('a', createRng('1'));
    for (let index = 0; index < MEMBERSHIP_LIMITS.dialsMax + 3; index += 1) {
      plan.addMember(`b${index}`, 0);
      plan.addressOf(`b${index}`, { host: '10.0.0.2', port: 1_000 + index }, 0);
    }
    const under = plan.due(0);
    expect(under).toHaveLength(MEMBERSHIP_LIMITS.dialsMax);
    expect(plan.wakeAt()).toBe(Number.POSITIVE_INFINITY);
    plan.failed(under[0]!.target, 10);
    expect(plan.wakeAt()).toBeLessThanOrEqual(10);
    expect(plan.due(10)).toHaveLength(1);
  });

  it('hints are bounded, the oldest goes first', () => {
    const plan = new DialPlan('a', createRng('1'));
    for (let index = 0; index <= MEMBERSHIP_LIMITS.hintsMax; index += 1) plan.addHint({ host: '10.0.0.1', port: 1_000 + index }, index);
    const ports = plan.due(10_000).map((dial) => dial.address.port);
    expect(ports).toHaveLength(MEMBERSHIP_LIMITS.dialsMax);
    expect(ports).not.toContain(1_000);
  });
});
