/**
 * What a verb needs of the machine, and what of that is missing. Plain JavaScript: it runs before anything is installed, on any Node from 20.
 * It only looks; installing is `install.mjs`.
 */
import { accessSync, constants } from 'node:fs';

/** Folders that hold system commands even when the PATH of an ordinary user leaves them out. */
const commandFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Why this machine cannot run the project at all; undefined when it can. */
export function unfitMachine({ platform, architecture, nodeVersion, glibc }) {
  if (platform !== 'linux') return `this system is ${platform}; the agent, its tests and the demo need Linux (a virtual machine will do)`;
  if (architecture !== 'x64' && architecture !== 'arm64') return `this processor is ${architecture}; robonet is built on x64 and arm64`;
  const major = Number(nodeVersion.split('.')[0]);
  if (!(major >= 20)) return `Node ${nodeVersion} runs this script; version 20 or newer is needed (for this first step only: the project brings its own Node)`;
  if (!glibc) return 'this system has no GNU C library (Alpine and other musl systems); the Node that the project brings needs glibc 2.28 or newer';
  return undefined;
}

/** The packages of a verb that are not there, as names for apt-get. */
export function missingPackages({ needs, verb, words, architecture, isThere }) {
  return wantedGroups({ needs, verb, words, architecture })
    .flatMap((group) => needs[group])
    .filter((entry) => !isThere(entry.proof) && !(entry.orProof && isThere(entry.orProof)));
}

/** Whether the verb, with these arguments, needs root (it makes network namespaces). */
export function needsRoot({ needs, verb, words }) {
  return needs.verbs[verb].root && (verb !== 'test' || selectedStages(words).includes('lan'));
}

/** True when a command is in a system folder or an absolute path exists. */
export function isThere(proof) {
  const candidates = proof.startsWith('/') ? [proof] : [...commandFolders, ...(process.env.PATH ?? '').split(':')].map((folder) => `${folder}/${proof}`);
  return candidates.some((path) => {
    try {
      accessSync(path, constants.F_OK);
      return true;
    } catch {
      // Not there, or not readable: the same to us.
      return false;
    }
  });
}

/** The part of the lockfile that is installed differently or not at all; an empty list means node_modules is up to date. */
export function staleModules({ lock, installed, architecture }) {
  const stale = [];
  for (const [path, entry] of Object.entries(lock.packages)) {
    if (path === '' || entry.link) continue;
    const there = installed?.packages?.[path];
    const isToolchain = path === `node_modules/node-linux-${architecture}`;
    if (!there && entry.optional && !isToolchain) continue;
    if (!there || there.version !== entry.version || there.integrity !== entry.integrity) stale.push(path);
  }
  return stale;
}

function wantedGroups({ needs, verb, words, architecture }) {
  return needs.verbs[verb].groups.filter((group) => {
    if (group === 'arm64-on-x64') return architecture === 'x64' && (verb !== 'test' || selectedStages(words).includes('bin'));
    if ((group === 'lab' || group === 'unit') && verb === 'test') return selectedStages(words).includes('lan');
    return true;
  });
}

/** The stages named by `--only a,b`; all of them without it. */
export function selectedStages(words) {
  const at = words.findIndex((word) => word === '--only' || word.startsWith('--only='));
  if (at === -1) return ['check', 'unit', 'fuzz', 'build', 'bin', 'lan'];
  const list = words[at].includes('=') ? words[at].slice('--only='.length) : (words[at + 1] ?? '');
  return list.split(',');
}
