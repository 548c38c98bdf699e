/**
 * `npm start`: the product's main job on this one machine. Builds the executables, lays out a virtual LAN of blank
 * machines in a throw-away namespace, and colonizes it with the real programs and their real screens. Whatever happens,
 * nothing is left behind: the namespace takes the whole LAN with it.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { EXIT } from '#core/errors/exit-codes.ts';
import { nearest } from '#core/terminal/suggest.ts';
import { runOuterNamespace } from '#test/lan/lab/outer-namespace.ts';

const USAGE = `usage: npm start [-- --keep] [-- --choose]

Builds robonet and provision, lays out a virtual LAN of blank machines on this
computer, founds a mesh, colonizes the LAN and shows the mesh from two nodes.

  --keep     leave the LAN up afterwards, with a shell on its laptop
  --choose   choose the machines yourself on provision's screen (arrows, space, Enter)
  --help     this text

Example: npm start -- --keep
`;

const FLAGS = ['--keep', '--choose', '--help'];

async function main(words: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...words],
    options: { keep: { type: 'boolean', default: false }, choose: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
  });
  if (values.help) {
    process.stdout.write(USAGE);
    return EXIT.ok;
  }
  const startedAt = performance.now();
  const build = await buildExecutables();
  if (build !== EXIT.ok) return build;
  process.stdout.write(`  built in ${((performance.now() - startedAt) / 1000).toFixed(1)} s\n`);
  const demonstration = join(import.meta.dirname, 'start', 'demonstration.ts');
  const flags = [...(values.keep ? ['--keep'] : []), ...(values.choose ? ['--choose'] : [])];
  const code = await runOuterNamespace([process.execPath, demonstration, ...flags], spawn);
  if (code === EXIT.interrupted) process.stdout.write('\nInterrupted. The virtual LAN is gone; nothing was left on this machine.\n');
  return code;
}

/** Runs the project's build for what the demonstration needs; quick when nothing changed. */
async function buildExecutables(): Promise<number> {
  process.stdout.write(
    'roboNet: from blank machines to a mesh, on this one computer\n\n1  Building the executables (a minute the first time, seconds later)\n',
  );
  const unit = `provision-${process.arch}`;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'build.ts'), '--only', unit], { stdio: ['ignore', 'inherit', 'inherit'] });
    process.once('SIGINT', () => child.kill('SIGINT'));
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(signal === 'SIGINT' ? EXIT.interrupted : (code ?? EXIT.failed)));
  });
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`start: ${error instanceof Error ? error.message : String(error)}\n`);
  const isUsage = error instanceof TypeError && 'code' in error;
  if (isUsage) {
    const meant = process.argv.slice(2).flatMap((word) => (FLAGS.includes(word) ? [] : (nearest(word, FLAGS) ?? [])));
    process.stderr.write(`  ${meant.length === 0 ? '' : `did you mean ${meant.join(', ')}? `}nothing was started; try npm start -- --help\n`);
  }
  process.exitCode = isUsage ? EXIT.usage : EXIT.failed;
}
