/**
 * The host-key decision in front of every login (protocol.md §2.14, "SSH colonise"): known keys pass, unknown ones are
 * shown and accepted according to the mode, changed and revoked ones are a hard stop. There is no option that skips
 * this. Accepted keys are appended to the user's known_hosts; nothing is ever removed from it.
 */
import { appendFile, mkdir, open, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Fault } from '#core/errors/fault.ts';
import { judgeHostKey, keyFingerprint, keyTypeOf, knownHostsLine, knownHostsName, matchesHosts, parseKnownHosts, type KnownHost } from './known-hosts.ts';
import { knownHostsBytesMax } from './limits.ts';

/** `ask` needs a person; `accept-new` records unknown keys and says so; `strict` takes known keys only. */
export type HostKeyMode = 'strict' | 'accept-new' | 'ask';

/** A key nobody has confirmed yet, as it is shown to the person. */
export interface NewHostKey {
  /** What the person called the host. */
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly keyType: string;
  /** `SHA256:…`. */
  readonly fingerprint: string;
}

export interface HostKeyPolicy {
  readonly mode: HostKeyMode;
  /** Files read; the first is the one written to. */
  readonly files: readonly string[];
  /** Only called in mode `ask`. */
  readonly confirm: (key: NewHostKey) => Promise<boolean>;
  /** Called for every key before a login is tried, so that it can be shown. */
  readonly onKey?: (key: NewHostKey, status: 'known' | 'accepted') => void;
}

/** The entries of all files. A file that does not exist is empty; one that cannot be read is a fault. */
export async function readKnownHosts(files: readonly string[]): Promise<readonly KnownHost[]> {
  const all: KnownHost[] = [];
  for (const file of files) {
    try {
      const { size } = await stat(file);
      if (size > knownHostsBytesMax) throw new Fault('RN-PROV-004', `${file} has ${size} bytes, more than the ${knownHostsBytesMax} that are read`);
      all.push(...parseKnownHosts(await readFile(file, 'utf8'), file));
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') continue;
      if (error instanceof Fault) throw error;
      throw new Fault('RN-PROV-004', `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
  return all;
}

/** Resolves when the key may be trusted; throws the fault that ends the connection otherwise. */
export async function checkHostKey(policy: HostKeyPolicy, target: { host: string; address: string; port: number }, blob: Uint8Array): Promise<void> {
  const shown: NewHostKey = { ...target, keyType: keyTypeOf(blob) ?? 'unknown', fingerprint: keyFingerprint(blob) };
  const name = knownHostsName(target.host, target.port);
  const names = [...new Set([name, knownHostsName(target.address, target.port)])];
  const verdict = judgeHostKey(await readKnownHosts(policy.files), names, blob);
  switch (verdict.kind) {
    case 'known':
      policy.onKey?.(shown, 'known');
      return;
    case 'changed':
      throw new Fault(
        'RN-PROV-002',
        `the host key of ${target.host} has changed: it shows ${shown.keyType} ${shown.fingerprint}, but ${verdict.entry.file} line ${verdict.entry.line} records ${recorded(verdict.entry)}`,
        {
          next: `If you know why, remove line ${verdict.entry.line} of ${verdict.entry.file} (\`ssh-keygen -f ${verdict.entry.file} -R '${name}'\`) and run again; there is no option that skips this check.`,
        },
      );
    case 'revoked':
      throw new Fault(
        'RN-PROV-005',
        `the host key of ${target.host} (${shown.keyType} ${shown.fingerprint}) is revoked by ${verdict.entry.file} line ${verdict.entry.line}`,
      );
    case 'unknown':
      return await acceptNew(policy, shown, name, blob);
  }
}

async function acceptNew(policy: HostKeyPolicy, shown: NewHostKey, name: string, blob: Uint8Array): Promise<void> {
  const about = `the host key of ${shown.host} (${shown.keyType} ${shown.fingerprint})`;
  if (policy.mode === 'strict') throw new Fault('RN-PROV-003', `${about} is in none of the known_hosts files, and host keys are strict`);
  if (policy.mode === 'ask' && !(await policy.confirm(shown))) throw new Fault('RN-PROV-003', `${about} was not confirmed`);
  const [file] = policy.files;
  if (file !== undefined) await record(file, knownHostsLine(name, blob, false));
  policy.onKey?.(shown, 'accepted');
}

async function record(file: string, line: string): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await appendFile(file, (await endsOpen(file)) ? `\n${line}` : line, { mode: 0o600 });
  } catch (error) {
    throw new Fault('RN-PROV-004', `${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** A file whose last line lacks its newline would swallow what is appended. */
async function endsOpen(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'r');
    try {
      const { size } = await handle.stat();
      if (size === 0) return false;
      const last = Buffer.alloc(1);
      await handle.read(last, 0, 1, size - 1);
      return last[0] !== 0x0a;
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}

function recorded(entry: KnownHost): string {
  return `${entry.keyType} ${keyFingerprint(Buffer.from(entry.key, 'base64'))}`;
}

/** Host-key algorithms to ask for, those already recorded first, so that a known host is recognised whatever it prefers. */
export function preferredKeyTypes(entries: readonly KnownHost[], names: readonly string[]): readonly string[] {
  const recordedTypes = new Set(
    entries.filter((entry) => entry.marker === 'none' && names.some((name) => matchesHosts(entry.hosts, name))).map((entry) => entry.keyType),
  );
  const algorithms = ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'];
  const keyType = (algorithm: string): string => (algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm);
  return [...algorithms.filter((a) => recordedTypes.has(keyType(a))), ...algorithms.filter((a) => !recordedTypes.has(keyType(a)))];
}
