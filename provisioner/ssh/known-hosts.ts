/**
 * OpenSSH's known_hosts format, read and judged (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): plain, wildcard, negated and
 * hashed (`|1|`) names, `[host]:port`, `@revoked` and `@cert-authority`. Pure: text in, verdict out. It never writes,
 * and it never says "fine" about a key it has not found.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

/** One usable line. */
export interface KnownHost {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly marker: 'none' | 'revoked' | 'cert-authority';
  /** The host field as written. */
  readonly hosts: string;
  readonly keyType: string;
  /** Key blob in base64, as written. */
  readonly key: string;
}

/** What known_hosts says about a key shown by a host. */
export type HostKeyVerdict =
  | { readonly kind: 'known'; readonly entry: KnownHost }
  /** Nothing is recorded for this host, or only keys of other types (then `others` is not empty). */
  | { readonly kind: 'unknown'; readonly others: readonly KnownHost[] }
  | { readonly kind: 'changed'; readonly entry: KnownHost }
  | { readonly kind: 'revoked'; readonly entry: KnownHost };

/** Parse one file; lines that mean nothing are skipped, as ssh does. */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  const found: KnownHost[] = [];
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const fields = line.split(/\s+/);
    const marker = fields[0] === '@revoked' ? 'revoked' : fields[0] === '@cert-authority' ? 'cert-authority' : 'none';
    const [hosts, keyType, key] = marker === 'none' ? fields : fields.slice(1);
    if (hosts === undefined || keyType === undefined || key === undefined || hosts.startsWith('@')) continue;
    found.push({ file, line: index + 1, marker, hosts, keyType, key });
  }
  return found;
}

/** The name under which ssh records a host: bare on port 22, `[host]:port` elsewhere; always lower case. */
export function knownHostsName(host: string, port: number): string {
  const lower = host.toLowerCase();
  return port === 22 ? lower : `[${lower}]:${port}`;
}

/** Does the host field of a line speak of `name` (as made by {@link knownHostsName})? */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHashed(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (matchesPattern(pattern.slice(1), name)) return false;
    } else if (matchesPattern(pattern, name)) matched = true;
  }
  return matched;
}

/** The type name inside a key blob, e.g. `ssh-ed25519`; null for a blob that is no key. */
export function keyTypeOf(blob: Uint8Array): string | null {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.length < 4) return null;
  const length = view.getUint32(0);
  if (length === 0 || length > 64 || blob.length < 4 + length) return null;
  return Buffer.from(blob.subarray(4, 4 + length)).toString('latin1');
}

/** `SHA256:…`, the form `ssh-keygen -l` prints. */
export function keyFingerprint(blob: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** Judge the key a host shows. Any of `names` (alias, address) may be the one recorded. */
export function judgeHostKey(entries: readonly KnownHost[], names: readonly string[], blob: Uint8Array): HostKeyVerdict {
  const key = Buffer.from(blob).toString('base64');
  const type = keyTypeOf(blob);
  const about = entries.filter((entry) => names.some((name) => matchesHosts(entry.hosts, name)));
  // A revoked key is refused wherever it is met, whatever name the line carries it under matches here.
  const revoked = about.find((entry) => entry.marker === 'revoked' && entry.key === key);
  if (revoked !== undefined) return { kind: 'revoked', entry: revoked };
  const plain = about.filter((entry) => entry.marker === 'none');
  const same = plain.find((entry) => entry.key === key);
  if (same !== undefined) return { kind: 'known', entry: same };
  const sameType = plain.find((entry) => entry.keyType === type);
  if (sameType !== undefined) return { kind: 'changed', entry: sameType };
  return { kind: 'unknown', others: plain };
}

/** The line to append when a person (or accept-new) has accepted a key. */
export function knownHostsLine(name: string, blob: Uint8Array, hashed: boolean): string {
  const hosts = hashed ? hashName(name, randomBytes(20)) : name;
  return `${hosts} ${keyTypeOf(blob) ?? 'unknown'} ${Buffer.from(blob).toString('base64')}\n`;
}

/** `|1|salt|hmac`, as `HashKnownHosts yes` writes it. */
export function hashName(name: string, salt: Uint8Array): string {
  return `|1|${Buffer.from(salt).toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

function matchesHashed(hosts: string, name: string): boolean {
  const [, version, salt, digest] = hosts.split('|');
  if (version !== '1' || salt === undefined || digest === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === digest;
}

/** `*` any run, `?` one character; without backtracking surprises (patterns come from the user's own file). */
function matchesPattern(pattern: string, name: string): boolean {
  let star = -1;
  let resume = 0;
  let p = 0;
  let n = 0;
  while (n < name.length) {
    const wanted = pattern[p];
    if (wanted === '*') {
      star = p++;
      resume = n;
    } else if (wanted === '?' || wanted === name[n]) {
      p += 1;
      n += 1;
    } else if (star >= 0) {
      p = star + 1;
      n = ++resume;
    } else return false;
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
