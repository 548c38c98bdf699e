/**
 * Installs what is missing: Debian packages through apt-get (as root), npm packages through `npm ci`. Everything it prints goes to stderr, and
 * nothing it runs asks a question.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { staleModules } from './needs.mjs';

const attemptsMax = 3;
const policyPath = '/usr/sbin/policy-rc.d';

/** Install Debian packages; returns undefined, or what to tell the person. */
export function installDebianPackages(entries, say) {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
  const apt = (...words) =>
    spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-q', ...words], { stdio: ['ignore', 2, 2], env: environment })
      .status === 0;
  say('apt-get update');
  if (!retried(() => apt('update'))) return 'apt-get update failed (its messages are above); check the network and /etc/apt/sources.list';
  const names = entries.map((entry) => (entry.or && !isKnown(entry.package) ? entry.or : entry.package));
  say(`apt-get install ${names.join(' ')}`);
  const installed = withoutStartingServices(() => retried(() => apt('install', '-y', '--no-install-recommends', ...names)), entries);
  if (!installed) return `apt-get could not install ${names.join(' ')} (its messages are above)`;
  return undefined;
}

/**
 * Debian starts a service when its package is installed. We want the programs only: opening an SSH server on somebody's machine is not ours to do.
 */
function withoutStartingServices(install, entries) {
  const hadPolicy = existsSync(policyPath);
  if (!hadPolicy) writeFileSync(policyPath, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    if (!hadPolicy) rmSync(policyPath, { force: true });
    const services = entries.map((entry) => entry.service).filter(Boolean);
    if (existsSync('/run/systemd/system') && services.length > 0) spawnSync('systemctl', ['disable', '--quiet', ...services], { stdio: ['ignore', 2, 2] });
  }
}

/** Bring node_modules in line with the lockfile; returns undefined, or what to tell the person. */
export function installNodeModules(root, architecture, say) {
  const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
  const stampPath = join(root, 'node_modules', '.robonet-stamp');
  const stamp = `${createHash('sha256').update(lockText).digest('hex')} ${architecture}\n`;
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === stamp) return undefined;
  const lock = JSON.parse(lockText);
  const stale = staleModules({ lock, installed: installedLock(root), architecture });
  if (stale.length > 0) {
    say(`npm ci (${stale.length} of ${Object.keys(lock.packages).length - 1} packages are missing or of another version)`);
    if (!retried(() => runNpmCi(root))) return 'npm ci failed (its messages are above); check the network and the registry that npm is configured for';
    const left = staleModules({ lock, installed: installedLock(root), architecture });
    if (left.length > 0) return `npm ci ended well but did not install ${left.slice(0, 5).join(', ')}; is npm told to omit optional packages?`;
  }
  writeFileSync(stampPath, stamp);
  return undefined;
}

// What the environment asks npm to leave out is put back in: the toolchain's Node is an optional package, the tools are development packages.
function runNpmCi(root) {
  const words = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const npm = process.env.npm_execpath;
  const options = { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, CI: 'true' } };
  const result = npm && /npm-cli\.c?js$/.test(npm) ? spawnSync(process.execPath, [npm, ...words], options) : spawnSync('npm', words, options);
  return result.status === 0;
}

function installedLock(root) {
  const path = join(root, 'node_modules', '.package-lock.json');
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

function isKnown(name) {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C.UTF-8' } });
  return /Candidate: (?!\(none\))/.test(stdout ?? '');
}

function retried(attempt) {
  for (let tried = 0; tried < attemptsMax; tried++) if (attempt()) return true;
  return false;
}
