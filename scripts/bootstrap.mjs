/**
 * The first step of every npm verb: make the machine ready, then hand over to `scripts/<verb>.ts` under the Node that the project pins. It runs on
 * whatever Node the machine has (20 or newer), needs no package, asks nothing, and changes nothing when everything is there.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installDebianPackages, installNodeModules } from './toolchain/install.mjs';
import { isThere, missingPackages, needsRoot, unfitMachine } from './toolchain/needs.mjs';

const exitUsage = 64;
const exitUnavailable = 69;
const programs = { bench: 'bench/main.ts' };

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [verb = '', ...words] = process.argv.slice(2);
const needs = JSON.parse(readFileSync(join(root, 'scripts', 'toolchain', 'debian-packages.json'), 'utf8'));

const refusal = prepare();
if (refusal) {
  say(refusal.text);
  process.exitCode = refusal.exit;
} else {
  handOver();
}

function prepare() {
  if (!Object.hasOwn(needs.verbs, verb))
    return {
      exit: exitUsage,
      text: `there is no verb "${verb}"; use npm start, npm test, npm run check, npm run build, npm run fuzz, npm run sim or npm run bench`,
    };
  const unfit = unfitMachine({
    platform: process.platform,
    architecture: process.arch,
    nodeVersion: process.versions.node,
    glibc: process.report.getReport().header.glibcVersionRuntime,
  });
  if (unfit) return { exit: exitUnavailable, text: `${unfit}; nothing was changed` };
  return prepareSystem() ?? prepareModules();
}

function prepareSystem() {
  const missing = missingPackages({ needs, verb, words, architecture: process.arch, isThere });
  const isRoot = process.getuid() === 0;
  const names = missing.map((entry) => entry.package).join(' ');
  if (missing.length > 0 && !isThere('apt-get')) {
    const proofs = missing.map((entry) => `${entry.proof} (Debian package ${entry.package})`).join(', ');
    return {
      exit: exitUnavailable,
      text: `this is not a Debian or Ubuntu system and these are missing: ${proofs}. Install them with this system's package manager; nothing was changed`,
    };
  }
  if (!isRoot && (missing.length > 0 || needsRoot({ needs, verb, words }))) {
    const why = needsRoot({ needs, verb, words }) ? 'it builds a virtual LAN out of network namespaces' : 'packages have to be installed';
    const what = missing.length > 0 ? ` Missing Debian packages: ${names}; the same line installs them.` : '';
    const line = `sudo env "PATH=$PATH" npm ${verb === 'start' || verb === 'test' ? verb : `run ${verb}`}${words.length > 0 ? ` -- ${words.join(' ')}` : ''}`;
    return { exit: exitUnavailable, text: `this needs root, because ${why}.${what} Nothing was changed. Run:\n\n  ${line}\n` };
  }
  if (missing.length === 0) return undefined;
  const failure = installDebianPackages(missing, say);
  return failure && { exit: exitUnavailable, text: failure };
}

function prepareModules() {
  const failure = installNodeModules(root, process.arch, say);
  return failure && { exit: exitUnavailable, text: failure };
}

function handOver() {
  const node = join(root, 'node_modules', `node-linux-${process.arch}`, 'bin', 'node');
  const program = join(root, programs[verb] ?? `scripts/${verb}.ts`);
  if (!existsSync(program)) {
    say(`${program} does not exist in this version`);
    process.exitCode = exitUnavailable;
    return;
  }
  const child = spawn(node, [program, ...words], { cwd: root, stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; this process stays until the program has cleaned up. A signal to this process alone is passed on.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
  child.on('error', (error) => {
    say(`the project's Node did not start: ${error.message}`);
    process.exitCode = exitUnavailable;
  });
}

function say(text) {
  process.stderr.write(`robonet: ${text}\n`);
}
