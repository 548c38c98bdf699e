/**
 * Staged machines for tests and demonstrations: a copy of a board's fact tree, and the files that make something happen to it.
 * Only tests import it. It writes nowhere but into the folder it is given.
 */
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Files to write into a staged tree; `null` removes one. */
export type FactChanges = Readonly<Record<string, string | null>>;

/** Where the fact trees of the boards are. */
export const fixturesDirectory = fileURLToPath(new URL('./fixtures/', import.meta.url));

/** Copy the fact tree of a board (the identifier of its profile) to `directory`, which must not exist or be empty. */
export function stageBoard(directory: string, board: string): void {
  mkdirSync(directory, { recursive: true });
  cpSync(join(fixturesDirectory, board), directory, { recursive: true, verbatimSymlinks: true });
}

/** Change facts of a staged tree. */
export function stageFacts(directory: string, changes: FactChanges): void {
  for (const [path, text] of Object.entries(changes)) {
    const file = join(directory, path);
    if (text === null) {
      rmSync(file, { recursive: true, force: true });
      continue;
    }
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

const CARD_ROOT = '/dev/mmcblk0p2 / ext4';

/** Things that happen to a Raspberry Pi with a card; each is undone by the entry named after it with `-over`. */
export const stagings = {
  'under-voltage': { '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '1\n', '/robonet-facts/get_throttled': 'throttled=0x50005\n' },
  'under-voltage-over': { '/sys/class/hwmon/hwmon1/in0_lcrit_alarm': '0\n', '/robonet-facts/get_throttled': 'throttled=0x50000\n' },
  heat: { '/sys/class/thermal/thermal_zone0/temp': '83200\n' },
  'heat-over': { '/sys/class/thermal/thermal_zone0/temp': '55100\n' },
  'read-only-root': { '/proc/mounts': `${CARD_ROOT} ro,noatime 0 0\nproc /proc proc rw,relatime 0 0\n` },
  'read-only-root-over': { '/proc/mounts': `${CARD_ROOT} rw,noatime 0 0\nproc /proc proc rw,relatime 0 0\n` },
  'worn-card': { '/sys/fs/ext4/mmcblk0p2/errors_count': '7\n' },
  'worn-card-over': { '/sys/fs/ext4/mmcblk0p2/errors_count': '0\n' },
  'worn-emmc': { '/sys/block/mmcblk0/device/life_time': '0x0b 0x09\n', '/sys/block/mmcblk0/device/pre_eol_info': '0x03\n' },
  'worn-emmc-over': { '/sys/block/mmcblk0/device/life_time': '0x01 0x01\n', '/sys/block/mmcblk0/device/pre_eol_info': '0x01\n' },
  'storage-full': { '/robonet-facts/space': '31268536320 600000000\n' },
  'storage-full-over': { '/robonet-facts/space': '31268536320 21887975424\n' },
  'less-memory': { '/proc/meminfo': 'MemTotal:        1896000 kB\nMemFree:          900000 kB\nMemAvailable:    1400000 kB\n' },
  'other-card': {
    '/sys/block/mmcblk0/device/cid': '1b534d4542315154308899aabbcc0171\n',
    '/sys/block/mmcblk0/device/name': 'EB1QT\n',
    '/sys/block/mmcblk0/size': '125042688\n',
  },
  'other-serial': { '/proc/device-tree/serial-number': '10000000c0ffee42\0' },
} as const satisfies Record<string, FactChanges>;
