import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashName, judgeHostKey, keyFingerprint, knownHostsName, matchesHosts, parseKnownHosts } from './known-hosts.ts';
import { checkHostKey, preferredKeyTypes, type HostKeyPolicy } from './host-keys.ts';

let dir = '';
let keyA = '';
let keyB = '';
let printA = '';

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'known-hosts-'));
  for (const name of ['a', 'b']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, name)]);
  keyA = readFileSync(join(dir, 'a.pub'), 'utf8').split(' ')[1] ?? '';
  keyB = readFileSync(join(dir, 'b.pub'), 'utf8').split(' ')[1] ?? '';
  printA =
    execFileSync('ssh-keygen', ['-lf', join(dir, 'a.pub')])
      .toString()
      .split(' ')[1] ?? '';
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const blob = (key: string): Buffer => Buffer.from(key, 'base64');
const entries = (...lines: string[]) => parseKnownHosts(lines.join('\n'), 'file');

describe('known_hosts', () => {
  it('computes the fingerprint that ssh-keygen prints', () => {
    expect(keyFingerprint(blob(keyA))).toBe(printA);
  });

  it('knows plain, listed, wildcard and negated names', () => {
    expect(matchesHosts('pi,192.168.1.5', 'pi')).toBe(true);
    expect(matchesHosts('PI.local', 'pi.local')).toBe(true);
    expect(matchesHosts('*.lan,!bad.lan', 'good.lan')).toBe(true);
    expect(matchesHosts('*.lan,!bad.lan', 'bad.lan')).toBe(false);
    expect(matchesHosts('192.168.1.?', '192.168.1.55')).toBe(false);
    expect(matchesHosts('pi', 'pi2')).toBe(false);
  });

  it('matches names hashed by ssh-keygen -H, on the standard and on another port', () => {
    const file = join(dir, 'hashed');
    writeFileSync(file, `pi.local ssh-ed25519 ${keyA}\n[pi.local]:2222 ssh-ed25519 ${keyB}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const hashed = parseKnownHosts(readFileSync(file, 'utf8'), file);
    expect(hashed.every((entry) => entry.hosts.startsWith('|1|'))).toBe(true);
    expect(judgeHostKey(hashed, [knownHostsName('pi.local', 22)], blob(keyA)).kind).toBe('known');
    expect(judgeHostKey(hashed, [knownHostsName('pi.local', 2222)], blob(keyB)).kind).toBe('known');
    expect(judgeHostKey(hashed, [knownHostsName('other', 22)], blob(keyA)).kind).toBe('unknown');
  });

  it('hashes a name the way OpenSSH finds it again', () => {
    const file = join(dir, 'ours');
    writeFileSync(file, `${hashName('pi', Buffer.alloc(20, 7))} ssh-ed25519 ${keyA}\n`);
    expect(execFileSync('ssh-keygen', ['-F', 'pi', '-f', file]).toString()).toContain('found: line 1');
  });

  it('tells a changed key from an unknown one, with file and line', () => {
    const verdict = judgeHostKey(entries('# comment', `pi ssh-ed25519 ${keyA}`), ['pi'], blob(keyB));
    expect(verdict).toMatchObject({ kind: 'changed', entry: { file: 'file', line: 2 } });
    expect(judgeHostKey(entries(`pi ssh-rsa AAAAB3NzaC1yc2E=`), ['pi'], blob(keyB)).kind).toBe('unknown');
  });

  it('a revoked key is refused even when another line knows it', () => {
    const lines = entries(`pi ssh-ed25519 ${keyA}`, `@revoked * ssh-ed25519 ${keyA}`);
    expect(judgeHostKey(lines, ['pi'], blob(keyA))).toMatchObject({ kind: 'revoked', entry: { line: 2 } });
  });

  it('a certificate authority line is not a host key', () => {
    expect(judgeHostKey(entries(`@cert-authority * ssh-ed25519 ${keyA}`), ['pi'], blob(keyA)).kind).toBe('unknown');
  });

  it('asks for the recorded key type first', () => {
    expect(preferredKeyTypes(entries(`pi ssh-rsa AAAA`), ['pi'])[0]).toBe('rsa-sha2-512');
    expect(preferredKeyTypes([], ['pi'])[0]).toBe('ssh-ed25519');
  });
});

describe('the host key decision', () => {
  const target = { host: 'pi', address: '192.168.1.5', port: 22 };
  const policy = (file: string, mode: HostKeyPolicy['mode'], answer = true): HostKeyPolicy => ({ mode, files: [file], confirm: () => Promise.resolve(answer) });

  it('accept-new records an unknown key once and refuses another one later', async () => {
    const file = join(dir, 'tofu', 'known_hosts');
    await checkHostKey(policy(file, 'accept-new'), target, blob(keyA));
    expect(readFileSync(file, 'utf8')).toBe(`pi ssh-ed25519 ${keyA}\n`);
    await checkHostKey(policy(file, 'accept-new'), target, blob(keyA));
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(2);
    await expect(checkHostKey(policy(file, 'accept-new'), target, blob(keyB))).rejects.toMatchObject({
      code: 'RN-PROV-002',
      message: expect.stringContaining(`${file} line 1`),
    });
  });

  it('strict refuses, ask refuses without a yes, and neither records anything', async () => {
    const file = join(dir, 'none');
    await expect(checkHostKey(policy(file, 'strict'), target, blob(keyA))).rejects.toMatchObject({ code: 'RN-PROV-003' });
    await expect(checkHostKey(policy(file, 'ask', false), target, blob(keyA))).rejects.toMatchObject({ code: 'RN-PROV-003' });
    expect(() => readFileSync(file)).toThrow();
  });

  it('a file that cannot be read refuses instead of forgetting', async () => {
    await expect(checkHostKey(policy(dir, 'accept-new'), target, blob(keyA))).rejects.toMatchObject({ code: 'RN-PROV-004' });
  });

  it('appends on a line of its own after a file without a final newline', async () => {
    const file = join(dir, 'open-end');
    writeFileSync(file, `other ssh-ed25519 ${keyB}`);
    await checkHostKey(policy(file, 'accept-new'), target, blob(keyA));
    expect(parseKnownHosts(readFileSync(file, 'utf8'), file)).toHaveLength(2);
  });
});
