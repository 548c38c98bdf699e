/** HB3 against a software TPM (Debian package swtpm) that speaks the real protocol. Needs the package; nothing else. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import type { HardwareBinding } from '#mesh/hcth/hardware-binding.ts';
import { openFacts } from '../facts/facts-root.ts';
import { fixturesDirectory } from '../stage-facts.ts';
import { chooseBinding } from './choose-binding.ts';
import { tpmBinding } from './tpm-binding.ts';
import { createHmacPrimary, parsePrimary, parseResponse } from './tpm-codec.ts';

const crypto = createNodeCrypto();
const hasSwtpm = spawnSync('swtpm', ['--version']).status === 0;

let directory: string;
const started: ChildProcess[] = [];
const servers: Server[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'robonet-tpm-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) await stop(child);
  for (const server of servers.splice(0)) server.close();
  rmSync(directory, { recursive: true });
});

/** A TPM whose seeds live in `name`; the same name later is the same TPM after a power cycle. */
async function softwareTpm(name: string): Promise<{ path: string; process: ChildProcess }> {
  const state = join(directory, name);
  const path = join(directory, `${name}-${started.length}.sock`);
  spawnSync('mkdir', ['-p', state]);
  const child = spawn(
    'swtpm',
    ['socket', '--tpm2', '--tpmstate', `dir=${state}`, '--server', `type=unixio,path=${path}`, '--flags', 'not-need-init,startup-clear'],
    {
      stdio: 'ignore',
    },
  );
  started.push(child);
  await expect.poll(() => existsSync(path), { timeout: 10_000, interval: 20 }).toBe(true);
  return { path, process: child };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await gone;
}

function bound(answer: Awaited<ReturnType<typeof tpmBinding>>): HardwareBinding {
  if ('unavailable' in answer) throw new Error(answer.unavailable);
  return answer;
}

// Without the Debian package swtpm there is no TPM to talk to; `npm test` installs it as root.
describe.skipIf(!hasSwtpm)('with a software TPM (skipped where the package swtpm is absent)', () => {
  test('the same TPM gives the same binding, call after call and after a power cycle', async () => {
    const first = await softwareTpm('a');
    const before = bound(await tpmBinding(crypto, first.path));
    expect(before.kind).toBe('tpm');
    expect(before.digest).toHaveLength(32);
    expect(before.secret).toHaveLength(32);
    await stop(first.process);
    const again = await softwareTpm('a');
    expect(bound(await tpmBinding(crypto, again.path))).toEqual(before);
  });

  test('another TPM gives another digest and another secret', async () => {
    const a = bound(await tpmBinding(crypto, (await softwareTpm('a')).path));
    const b = bound(await tpmBinding(crypto, (await softwareTpm('b')).path));
    expect(crypto.equal(a.digest, b.digest)).toBe(false);
    expect(crypto.equal(a.secret, b.secret)).toBe(false);
  });

  test('auto prefers the TPM, and the loaded key is flushed each time (a TPM has room for three)', async () => {
    const { path } = await softwareTpm('a');
    for (let round = 0; round < 3; round += 1) {
      const child = await chooseBinding('auto', { root: openFacts(`${fixturesDirectory}generic-x86-64-mini-pc`), crypto, tpmPath: path });
      expect(child.binding.kind).toBe('tpm');
      expect(child.reason).toContain('TPM');
      const { openTpm } = await import('./tpm-device.ts');
      const device = await openTpm(path);
      const loaded = parsePrimary(parseResponse(await device.exchange(createHmacPrimary(new Uint8Array(32))))?.body ?? new Uint8Array(0));
      await device.close();
      expect(loaded?.handle).toBe(0x8000_0000 + round); // only this test's own keys stay loaded
    }
  });
});

test('a TPM that is not there, hangs up, or answers garbage is unavailable with its reason', async () => {
  expect(await tpmBinding(crypto, join(directory, 'absent'))).toMatchObject({ unavailable: expect.stringContaining('cannot be opened') });
  const answers: (Buffer | null)[] = [Buffer.from('80010000000a00000101', 'hex'), Buffer.from('80010000000a00000000', 'hex'), null];
  for (const [index, answer] of answers.entries()) {
    const path = join(directory, `fake-${index}.sock`);
    const server = createServer((socket) => socket.once('data', () => (answer === null ? socket.destroy() : socket.write(answer))));
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(path, resolve));
    const expected = ['refused with code 0x101', 'malformed key', 'connection closed'][index];
    expect(await tpmBinding(crypto, path)).toMatchObject({ unavailable: expect.stringContaining(expected ?? '') });
  }
});
