import { describe, expect, test } from 'vitest';
import { ADMISSION_LIMITS as LIMITS } from './limits.ts';
import { type Machine, StrangerWatch } from './stranger-watch.ts';

const at = (mono: number): { readonly mono: number; readonly wall: number } => ({ mono, wall: 1_800_000_000_000 + mono });
const from = (address: string, mac: string | null = null): Machine => ({ key: mac ?? address, mac, address });

describe('many identities of one machine', () => {
  test('A-27 are one alert, a little after the fifth, that names the machine and all its addresses', () => {
    const watch = new StrangerWatch();
    for (let index = 0; index < 50; index += 1) watch.identity(from(`10.0.0.${index % 4}`, '02:00:00:00:00:aa'), `rn1-${index}`, at(index * 10));
    watch.turnedAway(from('10.0.0.9', '02:00:00:00:00:aa'), at(600));
    expect(watch.wakeAt).toBe(40 + LIMITS.strangerAlertDelayMs);
    expect(watch.tick(at(700))).toEqual([]);
    expect(watch.tick(at(40 + LIMITS.strangerAlertDelayMs))).toEqual([
      {
        mac: '02:00:00:00:00:aa',
        addresses: ['10.0.0.0', '10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.9'],
        identities: 50,
        turnedAway: 1,
        firstAt: at(0).wall,
        lastAt: at(600).wall,
      },
    ]);
    watch.identity(from('10.0.0.1', '02:00:00:00:00:aa'), 'rn1-more', at(20_000));
    expect(watch.tick(at(60_000))).toEqual([]);
    expect(watch.alerts).toMatchObject([{ identities: 51 }]);
  });

  test('A-27 the same identity again, or a few machines with one each, are none', () => {
    const watch = new StrangerWatch();
    for (let index = 0; index < 50; index += 1) {
      watch.identity(from('10.0.0.1'), 'rn1-same', at(index));
      watch.identity(from(`10.0.1.${index}`), `rn1-${index}`, at(index));
    }
    expect(watch.tick(at(60_000))).toEqual([]);
    expect(watch.alerts).toEqual([]);
  });

  test('A-27 remembers a bounded number of machines, and an alert is the last to go', () => {
    const watch = new StrangerWatch();
    for (let index = 0; index < 6; index += 1) watch.identity(from('guilty'), `rn1-${index}`, at(index));
    for (let index = 0; index < LIMITS.strangerMachinesMax * 3; index += 1) watch.identity(from(`other ${index}`), 'rn1', at(100 + index));
    expect(watch.alerts).toHaveLength(1);
    for (let index = 0; index < LIMITS.strangerIdentitiesMax * 2; index += 1) watch.identity(from('guilty'), `rn1-x${index}`, at(1_000));
    expect(watch.alerts[0]?.identities).toBe(LIMITS.strangerIdentitiesMax);
  });

  test('A-27 is forgotten in the end', () => {
    const watch = new StrangerWatch();
    for (let index = 0; index < 6; index += 1) watch.identity(from('guilty'), `rn1-${index}`, at(0));
    watch.tick(at(LIMITS.strangerAlertKeptMs - 1));
    expect(watch.alerts).toHaveLength(1);
    watch.tick(at(LIMITS.strangerAlertKeptMs));
    expect(watch.alerts).toEqual([]);
  });
});
