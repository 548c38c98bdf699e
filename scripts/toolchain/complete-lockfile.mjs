/**
 * Run by hand after a change of dependencies: `node scripts/toolchain/complete-lockfile.mjs`. A registry mirror need not carry the builds of a tool for
 * systems we do not support; npm then leaves them out of package-lock.json, and `npm ci` on a complete registry calls the lockfile out of step. This
 * adds an entry for each, marked for its own system only, so that npm never fetches it here. It must never add a package for a system we support.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const systems = ['android', 'darwin', 'freebsd', 'openharmony', 'win32', 'linux'];
const processors = ['arm64', 'arm', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x'];

/** The optional packages that lock entries ask for and the lockfile does not have: path, version, and who asks. */
export function absentOptionalPackages(packages) {
  const absent = [];
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
      if (path !== '' && !isResolvable(packages, path, name)) absent.push({ path: `node_modules/${name}`, name, version, dev: entry.dev === true });
    }
  }
  return absent;
}

/** A lock entry that npm installs nowhere but on the package's own system. */
export function foreignEntry({ name, version, dev }) {
  const words = name.split('/').at(-1).split('-');
  const os = systems.filter((system) => words.includes(system));
  const cpu = processors.filter((processor) => words.includes(processor));
  const isMusl = words.some((word) => word.startsWith('musl'));
  const isSupported = os.includes('linux') && (cpu.includes('x64') || cpu.includes('arm64')) && !isMusl;
  if (os.length !== 1 || cpu.length !== 1 || isSupported) throw new Error(`${name} is not plainly for a system we do not support; nothing was written`);
  return { version, cpu, ...(dev ? { dev } : {}), ...(isMusl ? { libc: ['musl'] } : {}), optional: true, os };
}

function isResolvable(packages, from, name) {
  for (let folder = from; ;) {
    if (packages[folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`]) return true;
    if (folder === '') return false;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')));
  }
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const path = join(import.meta.dirname, '..', '..', 'package-lock.json');
  const lock = JSON.parse(readFileSync(path, 'utf8'));
  const absent = absentOptionalPackages(lock.packages);
  for (const wanted of absent) lock.packages[wanted.path] = foreignEntry(wanted);
  const sorted = Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1));
  writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(sorted) }, undefined, 2)}\n`);
  process.stderr.write(`package-lock.json: ${absent.length} entries added for systems we do not support\n`);
}
