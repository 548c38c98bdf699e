/**
 * What the audience of the demonstration sees between the programs' own screens: numbered steps, the command lines as if
 * typed, and the programs on the real terminal when there is one.
 */
import { spawn } from 'node:child_process';
import type { Host } from '#test/lan/lab/host/host.ts';

const isPlain = !process.stdout.isTTY || process.env['NO_COLOR'] !== undefined;

/** Begins a numbered step. */
export function step(number: number, title: string): void {
  process.stdout.write(`\n${strong(`${number}  ${title}`)}\n`);
}

/** One line of explanation. */
export function note(text: string): void {
  process.stdout.write(`  ${text}\n`);
}

/** Shows a command as typed on a host's prompt and runs it there on this very terminal; resolves with its exit code. */
export async function perform(host: Host, argv: readonly string[], options: { readonly isSilent?: boolean } = {}): Promise<number> {
  if (options.isSilent !== true) process.stdout.write(`\n${strong(`${host.name}$`)} ${argv.map(shown).join(' ')}\n`);
  const [program = '', ...rest] = await host.commandInside(argv);
  const env = {
    ...(await host.environment('root')),
    TERM: process.env['TERM'] ?? 'dumb',
    ...(process.env['NO_COLOR'] === undefined ? {} : { NO_COLOR: '1' }),
    ...(process.env['COLUMNS'] === undefined ? {} : { COLUMNS: process.env['COLUMNS'] }),
  };
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: 'inherit', env });
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 1)));
  });
}

/** Bold on a terminal. */
export function strong(text: string): string {
  return isPlain ? text : `\u001b[1m${text}\u001b[22m`;
}

function shown(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`;
}
