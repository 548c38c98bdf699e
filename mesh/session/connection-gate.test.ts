import { describe, expect, it } from 'vitest';
import { type Caller, ConnectionGate } from './connection-gate.ts';
import { GATE_LIMITS } from './limits.ts';
import { TokenBucket } from './token-bucket.ts';

/** Somebody at an address; behind a hardware address where one is given. */
const from = (source: string, known = false, mac?: string): Caller => ({ source, machine: mac ?? source, known });

describe('connection gate', () => {
  it('counts one machine behind many addresses as one', () => {
    const gate = new ConnectionGate(20, 0);
    let halfOpen = 0;
    for (let index = 0; index < 60; index += 1) if (gate.arrive(from(`s${index}`, false, 'aa:bb'), 0) === undefined) halfOpen += 1;
    expect(halfOpen).toBe(GATE_LIMITS.halfOpenPerMachineMax);
    expect(gate.arrive(from('s99', false, 'aa:bb'), 0)).toBe('half-open-machine');
    expect(gate.arrive(from('honest', false, 'cc:dd'), 0)).toBeUndefined();
    for (let index = 0; index < halfOpen; index += 1) gate.abandoned(from(`s${index}`, false, 'aa:bb'));
    for (let index = halfOpen; index < GATE_LIMITS.connectionBurst * GATE_LIMITS.connectionsPerMachineFactor; index += 1) {
      expect(gate.arrive(from(`t${index}`, false, 'aa:bb'), 0)).toBeUndefined();
      gate.abandoned(from(`t${index}`, false, 'aa:bb'));
    }
    expect(gate.arrive(from('s100', false, 'aa:bb'), 0)).toBe('connection-rate-machine');
    expect(gate.arrive(from('member', true, 'aa:bb'), 0)).toBeUndefined();
  });

  it('lets fifty lines per second through of all sources together', () => {
    const gate = new ConnectionGate(20, 0);
    let lines = 0;
    for (let index = 0; index < 500; index += 1) if (gate.mayLog(`s${index}`, 0) !== undefined) lines += 1;
    expect(lines).toBe(GATE_LIMITS.logLinesPerSecondTotal);
  });

  it('admits four half-open connections per source and counts them down again', () => {
    const gate = new ConnectionGate(20, 0);
    for (let index = 0; index < GATE_LIMITS.halfOpenPerSourceMax; index += 1) expect(gate.arrive(from('a', false), 0)).toBeUndefined();
    expect(gate.arrive(from('a', false), 0)).toBe('half-open-source');
    expect(gate.arrive(from('b', false), 0)).toBeUndefined();
    gate.abandoned(from('a'));
    expect(gate.arrive(from('a', false), 0)).toBeUndefined();
  });

  it('admits 64 half-open connections altogether; addresses of members are let in beyond', () => {
    const gate = new ConnectionGate(20, 0);
    for (let index = 0; index < GATE_LIMITS.halfOpenMax; index += 1) expect(gate.arrive(from(`s${index}`, false), 0)).toBeUndefined();
    expect(gate.arrive(from('one more', false), 0)).toBe('half-open');
    expect(gate.arrive(from('member', true), 0)).toBeUndefined();
  });

  it('admits ten new connections per source and minute, burst ten', () => {
    const gate = new ConnectionGate(20, 0);
    for (let index = 0; index < 10; index += 1) {
      expect(gate.arrive(from('a', false), 0)).toBeUndefined();
      gate.abandoned(from('a'));
    }
    expect(gate.arrive(from('a', false), 0)).toBe('connection-rate');
    expect(gate.arrive(from('a', true), 0)).toBeUndefined();
    expect(gate.arrive(from('a', false), 6_000)).toBeUndefined();
  });

  it('keeps half of the handshake budget for addresses of members', () => {
    const gate = new ConnectionGate(20, 0);
    let strangers = 0;
    while (gate.spend(false, 0)) strangers += 1;
    let members = 0;
    while (gate.spend(true, 0)) members += 1;
    expect([strangers, members]).toEqual([10, 10]);
    expect(gate.spend(false, 100)).toBe(true);
  });

  it('never holds more than 256 established connections', () => {
    const gate = new ConnectionGate(20, 0);
    for (let index = 0; index < GATE_LIMITS.connectionsMax; index += 1) {
      expect(gate.arrive(from(`s${index}`, true), 0)).toBeUndefined();
      gate.opened(from(`s${index}`));
    }
    expect(gate.arrive(from('late', true), 0)).toBe('connections');
    gate.closed();
    expect(gate.arrive(from('late', true), 0)).toBeUndefined();
  });

  it('remembers a bounded number of sources', () => {
    const gate = new ConnectionGate(20, 0);
    for (let index = 0; index < GATE_LIMITS.sourcesMax * 2; index += 1) gate.mayLog(`s${index}`, index);
    expect(gate.sourceCount).toBeLessThanOrEqual(GATE_LIMITS.sourcesMax);
  });

  it('lets ten lines per second through and says how many it swallowed', () => {
    const gate = new ConnectionGate(20, 0);
    let lines = 0;
    for (let index = 0; index < 100; index += 1) if (gate.mayLog('a', 0) !== undefined) lines += 1;
    expect(lines).toBe(GATE_LIMITS.logLinesPerSecond);
    expect(gate.mayLog('a', 1_000)).toBe(90);
  });
});

describe('token bucket', () => {
  it('fills with time up to its burst', () => {
    const bucket = new TokenBucket(2, 4, 0);
    expect([bucket.take(4, 0), bucket.take(1, 0), bucket.take(1, 500), bucket.take(1, 500)]).toEqual([true, false, true, false]);
    expect(bucket.take(4, 60_000)).toBe(true);
    expect(bucket.take(1, 60_000)).toBe(false);
  });

  it('can be overdrawn, and tells how long the debt lasts', () => {
    const bucket = new TokenBucket(2, 4, 0);
    bucket.charge(10, 0);
    expect(bucket.waitMs(0)).toBe(3_000);
    expect(bucket.waitMs(3_000)).toBe(0);
  });

  it('a raised rate gives the difference in burst at once', () => {
    const bucket = new TokenBucket(2, 4, 0);
    bucket.take(4, 0);
    bucket.resize(20, 40, 0);
    expect(bucket.take(36, 0)).toBe(true);
  });
});
