/**
 * A session whose commands run as root: unchanged for a root login, through sudo otherwise. The sudo password travels on
 * stdin only, and never into the program behind sudo: sudo may not ask at all (NOPASSWD, a fresh time stamp), so the
 * program starts behind a gate that throws lines away until it reads the opening word.
 */
import { PassThrough, Readable } from 'node:stream';
import { Fault } from '#core/errors/fault.ts';
import type { Command, CommandResult, Session } from './session.ts';

/** How this user becomes root on a host; found out by the inspection. */
export type RootAccess = { readonly kind: 'is-root' } | { readonly kind: 'sudo-free' } | { readonly kind: 'sudo-password'; readonly password: string };

const opening = 'robonet-gate-open';
/** Reads byte by byte from a pipe (POSIX `read`), so that what follows the opening word reaches the program untouched. */
const gate = `while IFS= read -r line; do [ "$line" = "$1" ] && break; done; shift; exec "$@"`;

/** The same place, as root. */
export function asRoot(session: Session, access: RootAccess): Session {
  if (access.kind === 'is-root') return session;
  return {
    where: session.where,
    close: () => session.close(),
    run: async (command) => {
      const result = await session.run(throughSudo(command, access));
      if (result.exitCode !== 0) refuseSudo(result, session.where);
      return result;
    },
  };
}

/** Try whether root can be had this way; the fault says why not. */
export async function checkRoot(session: Session, access: RootAccess): Promise<void> {
  const result = await asRoot(session, access).run({ argv: ['id', '-u'], timeoutMs: 20_000 });
  if (result.stdout.trim() !== '0')
    throw new Fault('RN-PROV-010', `sudo on ${session.where} did not give root: ${(result.stderr.trim() || 'no reason given').slice(0, 300)}`);
}

function throughSudo(command: Command, access: Exclude<RootAccess, { kind: 'is-root' }>): Command {
  // `env` and a fixed PATH: sudo's secure_path may be missing, and a login shell's PATH often lacks the sbin folders.
  const program = ['env', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', ...command.argv];
  if (access.kind === 'sudo-free') return { ...command, argv: ['env', 'LC_ALL=C', 'sudo', '-n', '--', ...program] };
  const head = `${access.password}\n${opening}\n`;
  return {
    ...command,
    argv: ['env', 'LC_ALL=C', 'sudo', '-S', '-p', '', '--', 'sh', '-c', gate, 'sh', opening, ...program],
    stdin: withHead(head, command.stdin),
  };
}

function withHead(head: string, stdin: Command['stdin']): Uint8Array | Readable {
  if (stdin === undefined) return Buffer.from(head, 'utf8');
  if (stdin instanceof Readable) {
    const joined = new PassThrough();
    joined.write(head);
    stdin.on('error', (error) => joined.destroy(error));
    joined.on('close', () => stdin.destroy());
    stdin.pipe(joined);
    return joined;
  }
  return Buffer.concat([Buffer.from(head, 'utf8'), Buffer.from(stdin)]);
}

/** sudo's own refusals, told apart from the failures of the program behind it by their fixed beginnings. */
function refuseSudo(result: CommandResult, where: string): void {
  const text = result.stderr;
  if (/^sudo: (a password is required|no password was provided|\d+ incorrect password attempt)/m.test(text) || /^Sorry, try again\./m.test(text))
    throw new Fault('RN-PROV-011', `sudo on ${where} did not accept the password`);
  if (/is not in the sudoers file|may not run sudo|is not allowed to (run sudo|execute)/.test(text))
    throw new Fault('RN-PROV-010', `the user of ${where} may not use sudo there`);
  if (result.exitCode === 127 && /sudo: (command )?not found|sudo: not found/.test(text))
    throw new Fault('RN-PROV-010', `${where} has no sudo, and the login is not root`);
  if (/^sudo: (a terminal is required|sorry, you must have a tty)/m.test(text))
    throw new Fault('RN-PROV-010', `sudo on ${where} insists on a terminal (requiretty)`);
}
