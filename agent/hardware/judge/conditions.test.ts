/** Conditions begin, worsen, end and are remembered; staged on facts folders (PHYS-09). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Condition, ConditionKind } from '#mesh/swarm/views.ts';
import { openFacts, type FactsRoot } from '../facts/facts-root.ts';
import { readConditions, readHardware } from '../hardware.ts';
import { limits } from '../limits.ts';
import { identifyProfile } from '../profiles/identify-profile.ts';
import { stageBoard, stageFacts, stagings, type FactChanges } from '../stage-facts.ts';
import { conditionChanges } from './conditions.ts';

let directory: string;
let root: FactsRoot;
let now = 1_800_000_000_000;
let conditions: readonly Condition[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-facts-'));
  stageBoard(directory, 'raspberry-pi-4b');
  root = openFacts(directory);
  conditions = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

function poll(changes: FactChanges = {}, afterMs = 5_000): readonly Condition[] {
  stageFacts(directory, changes);
  now += afterMs;
  conditions = readConditions(root, identifyProfile(readHardware(root)).profile, conditions, now);
  return conditions;
}

function kind(name: ConditionKind): Condition | undefined {
  return conditions.find((condition) => condition.kind === name);
}

test('a healthy board has no conditions', () => {
  expect(poll()).toEqual([]);
});

test('under-voltage is told with its cause and the right supply, and clears with start and end', () => {
  poll(stagings['under-voltage']);
  const started = now;
  expect(kind('under-voltage')).toMatchObject({ severity: 'warning', since: started, until: null });
  expect(kind('under-voltage')?.text).toMatch(/sags below 4\.63 V.*3 A USB-C supply/);
  expect(kind('throttled')?.text).toContain('because the power supply sags');
  poll();
  expect(kind('under-voltage')?.since).toBe(started);
  poll(stagings['under-voltage-over']);
  expect(conditions.every((condition) => condition.until === now)).toBe(true);
  expect(kind('under-voltage')).toMatchObject({ since: started, until: now, severity: 'warning' });
  expect(kind('throttled')).toMatchObject({ since: started, until: now });
  const afterwards = poll();
  expect(poll()).toEqual(afterwards);
});

test('heat keeps its worst value, and clears only below the threshold less the hysteresis', () => {
  poll({ '/sys/class/thermal/thermal_zone0/temp': '81000\n' });
  const started = now;
  poll({ '/sys/class/thermal/thermal_zone0/temp': '88400\n' });
  expect(kind('hot')).toMatchObject({ severity: 'critical', value: 88.4, worst: 88.4, unit: '°C' });
  poll({ '/sys/class/thermal/thermal_zone0/temp': '76000\n' });
  expect(kind('hot')).toMatchObject({ severity: 'warning', value: 76, worst: 88.4, until: null });
  poll(stagings['heat-over']);
  expect(kind('hot')).toMatchObject({ since: started, until: now, worst: 88.4 });
});

test('a condition that returns within a minute continues its episode; later it is a new one', () => {
  poll(stagings.heat);
  const started = now;
  poll(stagings['heat-over']);
  poll(stagings.heat, 20_000);
  expect(conditions.filter((condition) => condition.kind === 'hot')).toHaveLength(1);
  expect(kind('hot')).toMatchObject({ since: started, until: null });
  poll(stagings['heat-over']);
  poll(stagings.heat, limits.sameEpisodeMs + 1);
  expect(conditions.filter((condition) => condition.kind === 'hot').map((condition) => condition.until === null)).toEqual([true, false]);
});

test('a read-only root is critical; a read-only view of a writable file system is none', () => {
  poll(stagings['read-only-root']);
  expect(kind('storage-read-only')).toMatchObject({ severity: 'critical', until: null });
  poll({ '/proc/self/mountinfo': '22 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 rw,discard\n' });
  expect(kind('storage-read-only')).toMatchObject({ until: now });
  poll({ '/proc/self/mountinfo': '22 1 179:2 / / ro,noatime - ext4 /dev/mmcblk0p2 ro,discard\n' });
  expect(kind('storage-read-only')).toMatchObject({ until: null });
});

test('a worn eMMC and a card with recorded errors are told, by their own measure', () => {
  poll(stagings['worn-card']);
  expect(kind('storage-worn')).toMatchObject({ severity: 'warning', value: 7, unit: 'errors' });
  poll({ ...stagings['worn-card-over'], ...stagings['worn-emmc'] });
  expect(kind('storage-worn')).toMatchObject({ severity: 'critical', value: 110, unit: '%' });
  poll({ ...stagings['worn-emmc-over'], '/sys/block/mmcblk0/device/life_time': '0x09 0x02\n' });
  expect(kind('storage-worn')).toMatchObject({ severity: 'warning', value: 90 });
});

test('storage that fills keeps the lowest value', () => {
  poll({ '/robonet-facts/space': '1000000000 80000000' });
  poll({ '/robonet-facts/space': '1000000000 20000000' });
  expect(kind('storage-filling')).toMatchObject({ severity: 'critical', value: 2, worst: 2, unit: '% free' });
  poll({ '/robonet-facts/space': '1000000000 120000000' });
  expect(kind('storage-filling')).toMatchObject({ severity: 'warning', worst: 2, until: null });
  poll({ '/robonet-facts/space': '1000000000 140000000' });
  expect(kind('storage-filling')).toMatchObject({ until: now });
});

test('low memory and stalls for memory are told', () => {
  poll({ '/proc/meminfo': 'MemTotal: 1000000 kB\nMemAvailable: 60000 kB\n' });
  expect(kind('memory-low')).toMatchObject({ severity: 'warning', value: 6 });
  poll({ '/proc/pressure/memory': 'some avg10=80.00 avg60=0 avg300=0 total=0\nfull avg10=35.00 avg60=0 avg300=0 total=0\n' });
  expect(kind('memory-low')).toMatchObject({ severity: 'critical' });
});

test('an unsynchronised clock is told after the grace time, an unknown one never', () => {
  poll({ '/run/systemd/timesync/synchronized': null, '/proc/uptime': '60.00 1.0' });
  expect(conditions).toEqual([]);
  poll({ '/proc/uptime': '600.00 1.0' });
  expect(kind('clock-unsynchronised')).toMatchObject({ severity: 'notice' });
  poll({ '/run/systemd/timesync': null });
  expect(kind('clock-unsynchronised')).toMatchObject({ until: now });
});

test('what the board remembers since boot is told once, as over', () => {
  poll({ '/robonet-facts/get_throttled': 'throttled=0x50000\n' });
  expect(conditions.map(({ kind: name, severity, until }) => [name, severity, until !== null])).toEqual([
    ['under-voltage', 'notice', true],
    ['throttled', 'notice', true],
  ]);
  const first = conditions;
  poll();
  expect(conditions).toEqual(first);
});

test('a sensor that disappears or answers nonsense keeps nothing raised', () => {
  poll(stagings.heat);
  poll({ '/sys/class/thermal/thermal_zone0/temp': '-127000\n' });
  expect(kind('hot')).toMatchObject({ until: now });
});

test('conditions no sensor sees pass through, and cleared ones are bounded in number and age', () => {
  const changed: Condition = {
    kind: 'hardware-changed',
    severity: 'warning',
    text: 'memory: 4 GiB → 2 GiB',
    value: 1,
    worst: 1,
    unit: 'changes',
    since: now,
    until: null,
  };
  conditions = [changed];
  expect(poll()).toEqual([changed]);
  for (let round = 0; round < limits.clearedConditionsMax + 4; round += 1) {
    poll(stagings.heat, limits.sameEpisodeMs + 1);
    poll(stagings['heat-over'], limits.sameEpisodeMs + 1);
  }
  expect(conditions.filter((condition) => condition.until !== null)).toHaveLength(limits.clearedConditionsMax);
  poll({}, limits.clearedConditionMs);
  expect(conditions).toEqual([changed]);
});

test('what began, worsened and ended between two polls is told apart', () => {
  const before = poll();
  const hot = poll(stagings.heat);
  const hotter = poll({ '/sys/class/thermal/thermal_zone0/temp': '90000\n' });
  const over = poll(stagings['heat-over']);
  expect(conditionChanges(before, hot).started.map((condition) => condition.kind)).toEqual(['hot']);
  expect(conditionChanges(hot, hotter)).toMatchObject({ started: [], ended: [], worsened: [{ kind: 'hot', severity: 'critical' }] });
  expect(conditionChanges(hotter, over)).toMatchObject({ started: [], worsened: [], ended: [{ kind: 'hot', worst: 90 }] });
  expect(conditionChanges(over, poll())).toEqual({ started: [], ended: [], worsened: [] });
});
