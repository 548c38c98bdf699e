/** What an identity is bound to, and what may change without breaking it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { openFacts } from '../facts/facts-root.ts';
import { fixturesDirectory, stageBoard, stageFacts, stagings, type FactChanges } from '../stage-facts.ts';
import { chooseBinding, type BindingPolicy } from './choose-binding.ts';
import { parseMailbox } from './otp-binding.ts';

const crypto = createNodeCrypto();
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-facts-'));
  stageBoard(directory, 'raspberry-pi-4b');
});
afterEach(() => rmSync(directory, { recursive: true }));

async function bound(policy: BindingPolicy, changes: FactChanges = {}) {
  stageFacts(directory, changes);
  return (await chooseBinding(policy, { root: openFacts(directory), crypto })).binding;
}

async function anchorOf(board: string): Promise<[string, [string, string][]]> {
  const { binding } = await chooseBinding('auto', { root: openFacts(`${fixturesDirectory}${board}`), crypto });
  return [binding.kind, [...binding.facts]];
}

test('memory, card, USB adapter, kernel and machine-id may change without touching the binding', async () => {
  const before = await bound('auto');
  const changes: FactChanges = {
    ...stagings['less-memory'],
    ...stagings['other-card'],
    '/etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    '/proc/sys/kernel/osrelease': '7.0.0\n',
    '/sys/class/net/eth1/address': '00:00:5e:00:53:01\n',
    '/sys/class/net/eth1/type': '1\n',
    '/sys/class/net/eth1/addr_assign_type': '0\n',
    '/sys/class/net/eth1/device/uevent': 'DRIVER=ax88179\n',
  };
  expect(await bound('auto', changes)).toEqual(before);
});

test('another board serial is another binding, in digest and in secret', async () => {
  const before = await bound('auto');
  const after = await bound('auto', stagings['other-serial']);
  expect(before.kind).toBe('soft');
  expect(crypto.equal(before.digest, after.digest)).toBe(false);
  expect(crypto.equal(before.secret, after.secret)).toBe(false);
  expect([before.facts.get('board serial'), after.facts.get('board serial')]).toEqual(['100000003d1e6c5f', '10000000c0ffee42']);
});

test('each kind of machine has its anchor: board serial, product UUID, nothing for a container', async () => {
  expect(await anchorOf('raspberry-pi-3b')).toEqual(['soft', [['board serial', '00000000a1f3b21c']]]);
  expect(await anchorOf('generic-x86-64-mini-pc')).toEqual(['soft', [['product UUID', '4c3f9d02-51ae-11ee-9d41-78af081f2c00']]]);
  expect(await anchorOf('virtual-machine')).toEqual(['soft', [['product UUID', '9b1f6a52-7c0e-4e38-8b3d-5a2c91d40e77']]]);
  expect(await anchorOf('container')).toEqual(['none', []]);
});

test('without a serial the built-in network card is the anchor, without that the card, without that nothing', async () => {
  expect([...(await bound('auto', { '/proc/device-tree/serial-number': null })).facts]).toEqual([['built-in MAC address', 'dc:a6:32:1e:6c:50']]);
  stageFacts(directory, { '/sys/class/net/eth0': null, '/sys/class/net/wlan0/addr_assign_type': '1\n' });
  expect([...(await bound('auto')).facts.keys()]).toEqual(['identifier of the card']);
  expect(await bound('auto', { '/sys/block': null, '/sys/class/net': null })).toMatchObject({ kind: 'none', digest: new Uint8Array(32) });
});

test('factory defaults are not identities', async () => {
  stageFacts(directory, {
    '/proc/device-tree/serial-number': '0000000000000000\0',
    '/sys/class/dmi/id/product_uuid': '03000200-0400-0500-0006-000700080009\n',
  });
  stageFacts(directory, { '/sys/class/dmi/id/board_serial': 'Default string\n', '/sys/class/dmi/id/product_serial': 'To be filled by O.E.M.\n' });
  expect([...(await bound('soft')).facts.keys()]).toEqual(['built-in MAC address']);
});

test('a container that asks for it is bound to its address on the LAN', async () => {
  const { binding } = await chooseBinding('soft', { root: openFacts(`${fixturesDirectory}container`), crypto });
  expect([...binding.facts]).toEqual([['MAC address on the LAN', '0a:6f:33:b1:09:c4']]);
});

// Rows as the kernel stores them (little-endian words) and as vcmailbox prints them.
const ROWS = [0x11223344, 0x55667788, 0x99aabbcc, 0xddeeff00, 0x01020304, 0x05060708, 0x090a0b0c, 0x0d0e0f10];
const KEY = '112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f10';
const NVMEM = Buffer.alloc(64);
ROWS.forEach((row, index) => NVMEM.writeUInt32LE(row, index * 4));

test('an OTP device key binds where it is written, and auto prefers it to the serial', async () => {
  stageFacts(directory, { '/sys/bus/nvmem/devices/nvmem_priv0/nvmem': '' });
  const { writeFileSync } = await import('node:fs');
  writeFileSync(join(directory, 'sys/bus/nvmem/devices/nvmem_priv0/nvmem'), NVMEM);
  const binding = await bound('auto');
  expect(binding.kind).toBe('otp');
  expect(binding.digest).toHaveLength(32);
  expect(Buffer.from(binding.secret).toString('hex')).not.toContain(KEY.slice(0, 16));
  expect(await bound('otp', stagings['other-serial'])).toEqual(binding);
});

test('an OTP memory of zeros is no key, and asking for it names the cause', async () => {
  stageFacts(directory, { '/sys/bus/nvmem/devices/rpi-otp-private0/nvmem': '\0'.repeat(32) });
  expect((await bound('auto')).kind).toBe('soft');
  await expect(bound('otp')).rejects.toMatchObject({ name: 'Fault', code: 'RN-AGENT-060', message: expect.stringContaining('no device key has been written') });
});

test('what vcmailbox prints is the same key as in nvmem; anything else is none', () => {
  const words = [0x40, 0x80000000, 0x30081, 0x28, 0x80000028, 0, 8, ...ROWS, 0].map((word) => `0x${word.toString(16).padStart(8, '0')}`);
  expect(Buffer.from(parseMailbox(words.join(' ')) ?? []).toString('hex')).toBe(KEY);
  expect(parseMailbox(words.with(1, '0x80000001').join(' '))).toBeNull();
  expect(parseMailbox('')).toBeNull();
  expect(parseMailbox(words.slice(0, 10).join(' '))).toBeNull();
});

test('staged facts never reach for the TPM of the machine that runs the test', async () => {
  await expect(bound('tpm')).rejects.toMatchObject({ code: 'RN-AGENT-060', message: expect.stringContaining('there is no TPM 2.0') });
});
