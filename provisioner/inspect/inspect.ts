/** Ask a host what it is: how its user becomes root, then the facts, in one question each. Changes nothing there. */
import { Fault } from '#core/errors/fault.ts';
import { asRoot, checkRoot, type RootAccess } from '#provisioner/ssh/as-root.ts';
import type { Session } from '#provisioner/ssh/session.ts';
import { parseFacts, type Facts } from './facts.ts';
import { inspectScript } from './script.ts';

/** Find out how to become root; `sudoPassword` is asked for only when sudo wants one. */
export async function findRootAccess(session: Session, sudoPassword: () => Promise<string | null>, signal?: AbortSignal): Promise<RootAccess> {
  const question = 'id -u; if command -v sudo >/dev/null 2>&1; then LC_ALL=C sudo -k -n true 2>&1 && echo sudo-free; else echo no-sudo; fi';
  const result = await session.run({ argv: ['sh', '-c', question], timeoutMs: 30_000, signal });
  const [uid, ...rest] = result.stdout.trim().split('\n');
  if (uid === '0') return { kind: 'is-root' };
  if (uid === undefined || !/^\d+$/.test(uid))
    throw new Fault('RN-PROV-019', `${session.where} answered "${result.stdout.trim().slice(0, 80)}" where a user number was expected`);
  const answer = rest.join('\n');
  if (answer.includes('sudo-free')) return { kind: 'sudo-free' };
  if (answer.includes('no-sudo')) throw new Fault('RN-PROV-010', `${session.where} is not root, and there is no sudo on the host`);
  if (/not in the sudoers file|may not run sudo|not allowed/.test(answer))
    throw new Fault('RN-PROV-010', `the user of ${session.where} may not use sudo there`);
  const password = await sudoPassword();
  if (password === null) throw new Fault('RN-PROV-011', `sudo on ${session.where} asks for a password, and none was given`);
  const access: RootAccess = { kind: 'sudo-password', password };
  await checkRoot(session, access);
  return access;
}

/** The facts of the host. */
export async function inspect(session: Session, access: RootAccess, signal?: AbortSignal): Promise<Facts> {
  const before = Date.now();
  const result = await asRoot(session, access).run({ argv: ['sh', '-s'], stdin: inspectScript, timeoutMs: 60_000, signal });
  const parsed = parseFacts(result.stdout, Math.round((before + Date.now()) / 2000));
  if (parsed.kind === 'problem')
    throw new Fault('RN-PROV-019', `${session.where}: ${parsed.why}${result.stderr.trim() === '' ? '' : ` (${result.stderr.trim().slice(0, 200)})`}`);
  return parsed.facts;
}
