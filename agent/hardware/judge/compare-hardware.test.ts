/** A machine before and after, in plain words (PHYS-08). */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openFacts } from '../facts/facts-root.ts';
import { readHardware } from '../hardware.ts';
import { stageBoard, stageFacts, stagings, type FactChanges } from '../stage-facts.ts';
import { compareHardware, hardwareChangedCondition, type HardwareDifference } from './compare-hardware.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-facts-'));
  stageBoard(directory, 'raspberry-pi-4b');
});
afterEach(() => rmSync(directory, { recursive: true }));

function after(changes: FactChanges): HardwareDifference {
  const root = openFacts(directory);
  const before = readHardware(root);
  stageFacts(directory, changes);
  return compareHardware(before, readHardware(root));
}

test('the same machine differs in nothing', () => {
  const difference = after({});
  expect(difference).toEqual({ changes: [], identityChanged: false, text: '' });
  expect(hardwareChangedCondition(difference, 0)).toBeNull();
});

test('less memory is a change of what the node can do, not of who it is', () => {
  const difference = after(stagings['less-memory']);
  expect(difference.identityChanged).toBe(false);
  expect(difference.text).toBe('memory: 3.7 GiB → 1.8 GiB (work that needs more than this no longer comes here; a module may be loose or broken)');
  expect(hardwareChangedCondition(difference, 7)).toMatchObject({ kind: 'hardware-changed', severity: 'warning', since: 7, value: 1 });
});

test('a kernel that reserves a little more memory is no change', () => {
  expect(after({ '/proc/meminfo': 'MemTotal: 3850000 kB\n' }).changes).toEqual([]);
});

test('another card is shown before and after, and the identity stays', () => {
  const difference = after(stagings['other-card']);
  expect(difference.identityChanged).toBe(false);
  expect(difference.changes).toHaveLength(1);
  expect(difference.text).toMatch(/^disk mmcblk0: SC32G 29\.1 GiB.* → EB1QT 59\.6 GiB.*another disk/);
});

test('another board serial concerns the identity', () => {
  const difference = after(stagings['other-serial']);
  expect(difference.identityChanged).toBe(true);
  expect(difference.changes).toHaveLength(1);
  expect(difference.text).toContain('board serial 100000003d1e6c5f → board serial 10000000c0ffee42');
  expect(hardwareChangedCondition(difference, 0)?.severity).toBe('critical');
});

test('a device that is gone takes its skill along, a USB network card does not touch the identity', () => {
  const difference = after({
    '/sys/bus/gpio/devices/gpiochip0': null,
    '/sys/class/net/eth1/address': 'a0:ce:c8:11:22:33\n',
    '/sys/class/net/eth1/type': '1\n',
    '/sys/class/net/eth1/addr_assign_type': '0\n',
    '/sys/class/net/eth1/device/uevent': 'DRIVER=ax88179\n',
  });
  expect(difference.identityChanged).toBe(false);
  expect(difference.changes.map((change) => change.what)).toEqual(['network card eth1', 'gpio']);
});
