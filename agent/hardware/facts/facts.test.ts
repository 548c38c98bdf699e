/** Reading: what counts as a machine's own card, disk, sensor, and what a missing or hostile file does. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { judgeCapabilities } from '../judge/capabilities.ts';
import { readCapabilities, readConditions, readHardware } from '../hardware.ts';
import { limits } from '../limits.ts';
import { identifyProfile } from '../profiles/identify-profile.ts';
import { fixturesDirectory, stageFacts, type FactChanges } from '../stage-facts.ts';
import { openFacts } from './facts-root.ts';
import { mountOf, readMounts } from './storage.ts';
import { Sensors, throttledFlags } from './sensors.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-facts-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function staged(changes: FactChanges) {
  stageFacts(directory, changes);
  return openFacts(directory);
}

function card(name: string, mac: string, more: FactChanges = {}): FactChanges {
  const at = `/sys/class/net/${name}`;
  return {
    [`${at}/address`]: `${mac}\n`,
    [`${at}/type`]: '1\n',
    [`${at}/addr_assign_type`]: '0\n',
    ...Object.fromEntries(Object.entries(more).map(([file, text]) => [`${at}/${file}`, text])),
  };
}

test('an empty folder is a machine without facts: nothing is guessed and nothing fails', async () => {
  const root = openFacts(directory);
  const record = readHardware(root);
  expect(record).toMatchObject({ model: null, serial: null, memoryBytes: 0, disks: [], interfaces: [], gpu: null, devices: [] });
  expect(await readCapabilities(root, '1.2.3')).toMatchObject({ agentVersion: '1.2.3', storage: { kind: 'unknown', bytes: 0 }, skills: ['code-execution'] });
  expect(readConditions(root, identifyProfile(record).profile, [], 0)).toEqual([]);
});

test('bridges, container pairs, tunnels and the loopback are no cards of the machine', () => {
  const root = openFacts(`${fixturesDirectory}generic-x86-64-mini-pc`);
  expect(readHardware(root).interfaces).toEqual([{ name: 'enp1s0', mac: '78:af:08:1f:2c:11', bus: 'built-in', permanent: true }]);
});

test('in a namespace the pair that leads to the LAN is the card, and stacked interfaces are not', () => {
  const root = staged({
    ...card('eth0', '02:00:00:00:00:05', { addr_assign_type: '3\n' }),
    ...card('eth0.20', '02:00:00:00:00:06', { uevent: 'DEVTYPE=macvlan\n' }),
    ...card('lan', '02:00:00:00:00:07', { uevent: 'DEVTYPE=bond\n' }),
    ...card('veth12ab', '02:00:00:00:00:08'),
    ...card('docker0', '02:00:00:00:00:09', { 'bridge/forward_delay': '0\n' }),
  });
  expect(readHardware(root).interfaces).toEqual([{ name: 'eth0', mac: '02:00:00:00:00:05', bus: 'virtual', permanent: false }]);
});

test('disks are told apart by what they are made of, and the root disk by its mount', () => {
  const root = staged({
    '/sys/block/sda/size': '1000000\n',
    '/sys/block/sda/queue/rotational': '1\n',
    '/sys/block/sdb/size': '2000000\n',
    '/sys/block/sdb/queue/rotational': '0\n',
    '/sys/block/sdaa/size': '5000\n',
    '/sys/block/sdaa/device/vendor': 'QEMU\n',
    '/sys/block/mmcblk1/size': '3000000\n',
    '/sys/block/mmcblk1/device/type': 'MMC\n',
    '/sys/block/mmcblk1boot0/size': '8192\n',
    '/sys/block/loop3/size': '4000\n',
    '/sys/block/sdz/size': '0\n',
    '/proc/mounts': '/dev/sdb2 / ext4 rw 0 0\n/dev/sda1 /data ext4 rw 0 0\n',
  });
  expect(readHardware(root).disks.map(({ name, kind, root: isRoot }) => [name, kind, isRoot])).toEqual([
    ['mmcblk1', 'emmc', false],
    ['sda', 'hdd', false],
    ['sdaa', 'virtual', false],
    ['sdb', 'ssd', true],
  ]);
});

test('/dev/root is resolved by the kernel command line', () => {
  const root = staged({
    '/sys/block/mmcblk0/size': '1000\n',
    '/sys/block/sda/size': '1000\n',
    '/proc/mounts': '/dev/root / ext4 rw 0 0\n',
    '/proc/cmdline': 'console=tty1 root=/dev/mmcblk0p2 rw\n',
  });
  expect(
    readHardware(root)
      .disks.filter((disk) => disk.root)
      .map((disk) => disk.name),
  ).toEqual(['mmcblk0']);
});

test('the innermost, latest mount holds a path', () => {
  const root = staged({ '/proc/mounts': 'rootfs / rootfs rw 0 0\n/dev/a / ext4 ro 0 0\n/dev/b /var ext4 rw 0 0\n/dev/c /var/lib/robonet2 ext4 ro 0 0\n' });
  expect(mountOf(readMounts(root), '/var/lib/robonet')).toMatchObject({ source: '/dev/b', readOnly: false });
  expect(mountOf(readMounts(root), '/etc')).toMatchObject({ source: '/dev/a', readOnly: true });
});

test.each([
  ['throttled=0x0', { underVoltage: false, throttled: false, underVoltageSinceBoot: false, throttledSinceBoot: false }],
  ['throttled=0x1', { underVoltage: true, throttled: false, underVoltageSinceBoot: false, throttledSinceBoot: false }],
  ['throttled=0x8', { underVoltage: false, throttled: true, underVoltageSinceBoot: false, throttledSinceBoot: false }],
  ['throttled=0x50005', { underVoltage: true, throttled: true, underVoltageSinceBoot: true, throttledSinceBoot: true }],
  ['error=1 error_msg="Command not registered"', null],
  ['', null],
])('the firmware report %j is read bit by bit', (report, expected) => {
  expect(throttledFlags(report)).toEqual(expected);
});

test('skills follow devices: an accelerator means inference, a codec is no camera', () => {
  const none = staged({ '/sys/class/video4linux/video10/name': 'bcm2835-codec-decode\n', '/sys/class/drm/card0/device/vendor': '0x8086\n' });
  const agent = { profile: 'x', agentVersion: '1', space: null, allowance: { memoryBytes: null, cores: null } };
  expect(judgeCapabilities(readHardware(none), agent).skills).toEqual(['code-execution']);
  const some = staged({
    '/sys/class/video4linux/video0/name': 'HD Webcam C270\n',
    '/sys/class/hailo_chardev/hailo0/uevent': 'DEVNAME=hailo0\n',
    '/sys/class/sound/pcmC1D0c/uevent': '\n',
    '/proc/meminfo': 'MemTotal: 4000000 kB\n',
    '/proc/cpuinfo': 'processor : 0\n\nprocessor : 1\n',
    ...card('eth0', '02:00:00:00:00:05', { 'device/uevent': '' }),
  });
  expect(judgeCapabilities(readHardware(some), agent).skills).toEqual([
    'ai-inference',
    'audio-input',
    'camera',
    'code-execution',
    'data-processing',
    'network-io',
  ]);
  expect(judgeCapabilities(readHardware(some), agent).gpu).toBe('Hailo');
});

test('a link that leaves a staged folder is no target, and an endless file is cut', () => {
  symlinkSync('/sys', join(directory, 'outside'));
  const root = openFacts(directory);
  expect(root.target('/outside')).toBeNull();
  mkdirSync(join(directory, 'proc'));
  writeFileSync(join(directory, 'proc/cpuinfo'), 'processor : 0\n'.repeat(100_000));
  expect(root.text('/proc/cpuinfo')?.length).toBeLessThanOrEqual(limits.factFileBytesMax);
  expect(readHardware(root).cpu.cores).toBeLessThanOrEqual(limits.processorsMax);
  symlinkSync('/dev/zero', join(directory, 'proc/meminfo'));
  expect(readHardware(root).memoryBytes).toBe(0);
});

test('a poll of a staged or real machine costs less than 2 ms', () => {
  for (const root of [openFacts(`${fixturesDirectory}raspberry-pi-4b`), openFacts(null)]) {
    const { profile } = identifyProfile(readHardware(root));
    const costs: number[] = [];
    for (let round = 0; round < 50; round += 1) {
      const start = performance.now();
      readConditions(root, profile, [], round);
      costs.push(performance.now() - start);
    }
    costs.sort((a, b) => a - b);
    expect(costs[25]).toBeLessThan(2); // the median: other work on the machine may hit single rounds
    expect(new Sensors(root).read()).toBeDefined();
  }
});

test('this machine can be read, whatever it is', async () => {
  const capabilities = await readCapabilities(openFacts(null), '1.0.0');
  expect(capabilities.cpu.cores).toBeGreaterThan(0);
  expect(capabilities.memoryBytes).toBeGreaterThan(0);
  expect(capabilities.storage.bytes).toBeGreaterThan(0);
  expect(['arm64', 'x64']).toContain(capabilities.arch);
});

test('names that firmware gives are made fit to print, and their number and length are bounded', () => {
  const many = Object.assign(
    {},
    ...Array.from({ length: 40 }, (_, index) => card(`eth${index}`, `02:00:00:00:01:${(index + 16).toString(16)}`, { 'device/uevent': '' })),
  );
  const root = staged({ ...many, '/proc/device-tree/model': `Evil\u001b[2J Board\n${'x'.repeat(500)}\0` });
  const record = readHardware(root);
  expect(record.model).toMatch(/^Evil \[2J Board x+$/);
  expect(record.model).toHaveLength(limits.nameCharactersMax);
  expect(record.interfaces).toHaveLength(limits.interfacesMax);
});
