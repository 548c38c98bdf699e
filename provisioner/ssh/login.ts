/**
 * The order in which a login is tried, as ssh does it: keys the person named, the agent's keys, default key files, then
 * password and keyboard-interactive. Secrets are asked for only when the server would take them, and are kept in memory
 * for this run only.
 */
import { readFile, stat } from 'node:fs/promises';
import ssh2, { type AnyAuthMethod, type AuthenticationType, type AuthHandlerMiddleware, type KeyboardInteractiveAuthMethod, type NextAuthHandler } from 'ssh2';
import { Fault } from '#core/errors/fault.ts';
import type { Route } from './client-config.ts';
import { passwordAttemptCountMax, secretFileBytesMax } from './limits.ts';

/** Where secrets come from; null means "nobody can say". */
export interface SecretSource {
  /** The login password; called again with `attempt` 2, 3 … when the one before was refused. */
  readonly password: (route: Route, attempt: number) => Promise<string | null>;
  readonly passphrase: (file: string) => Promise<string | null>;
}

/** What was tried, for the message when nothing worked. */
export interface LoginRecord {
  readonly tried: string[];
  readonly remarks: string[];
}

/** The handler ssh2 asks for the next attempt. Faults it meets are put into `failed`, since it cannot throw. */
export function loginHandler(route: Route, secrets: SecretSource, record: LoginRecord, failed: (fault: Fault) => void): AuthHandlerMiddleware {
  const attempts = loginAttempts(route, secrets, record);
  return (methodsLeft: AuthenticationType[] | null, _partial: boolean | null, next: NextAuthHandler): void => {
    attempts
      .next(methodsLeft ?? [])
      .then((step) => {
        if (step.done === true) giveUp(next);
        else next(step.value);
      })
      .catch((error: unknown) => {
        failed(error instanceof Fault ? error : new Fault('RN-PROV-006', `the login at ${route.name} could not be tried: ${String(error)}`, { cause: error }));
        giveUp(next);
      });
  };
}

/** ssh2 takes `false` for "no more methods"; its type declarations do not know that. */
function giveUp(next: NextAuthHandler): void {
  (next as unknown as (method: false) => void)(false);
}

async function* loginAttempts(route: Route, secrets: SecretSource, record: LoginRecord): AsyncGenerator<AnyAuthMethod, void, readonly string[]> {
  const username = route.user;
  let allowed: readonly string[] = yield { type: 'none', username };
  const files = keyFiles(route, secrets, record);
  if (allowed.includes('publickey')) {
    if (route.identitiesNamed) for await (const key of files) allowed = yield* offer({ type: 'publickey', username, ...key.offer }, key.label, record);
    if (route.agentSocket !== null && !route.identitiesOnly && (await isReachable(route.agentSocket, record)))
      allowed = yield* offer({ type: 'agent', username, agent: route.agentSocket }, 'the keys of the SSH agent', record);
    if (!route.identitiesNamed) for await (const key of files) allowed = yield* offer({ type: 'publickey', username, ...key.offer }, key.label, record);
  }
  for (let attempt = 1; attempt <= passwordAttemptCountMax; attempt += 1) {
    const interactive = !allowed.includes('password') && allowed.includes('keyboard-interactive');
    if (!interactive && !allowed.includes('password')) return;
    const password = await secrets.password(route, attempt);
    if (password === null) return;
    if (interactive) allowed = yield* offer(keyboard(username, password), 'the password (keyboard-interactive)', record);
    else allowed = yield* offer({ type: 'password', username, password }, 'the password', record);
  }
}

async function* offer(method: AnyAuthMethod, label: string, record: LoginRecord): AsyncGenerator<AnyAuthMethod, readonly string[], readonly string[]> {
  if (!record.tried.includes(label)) record.tried.push(label);
  return yield method;
}

/** Servers that ask PAM questions get the password for the one hidden question; anything else is left unanswered. */
function keyboard(username: string, password: string): KeyboardInteractiveAuthMethod {
  return {
    type: 'keyboard-interactive',
    username,
    prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map((prompt) => (prompt.echo === true ? '' : password))),
  };
}

async function* keyFiles(
  route: Route,
  secrets: SecretSource,
  record: LoginRecord,
): AsyncGenerator<{ offer: { key: Buffer; passphrase?: string }; label: string }> {
  for (const file of route.identityFiles) {
    const text = await readKey(file, route.identitiesNamed);
    if (text === null) continue;
    const label = `the key ${file}`;
    if (!(ssh2.utils.parseKey(text) instanceof Error)) {
      yield { offer: { key: text }, label };
      continue;
    }
    if (!isEncrypted(text)) {
      if (route.identitiesNamed) throw new Fault('RN-PROV-007', `${file} is not a private key that can be used`);
      record.remarks.push(`${file} is not a usable private key`);
      continue;
    }
    const passphrase = await secrets.passphrase(file);
    if (passphrase === null) record.remarks.push(`${file} is locked by a passphrase and nobody could be asked`);
    else if (ssh2.utils.parseKey(text, passphrase) instanceof Error) record.remarks.push(`the passphrase for ${file} is wrong`);
    else yield { offer: { key: text, passphrase }, label };
  }
}

async function readKey(file: string, named: boolean): Promise<Buffer | null> {
  try {
    if ((await stat(file)).size > secretFileBytesMax) throw new Fault('RN-PROV-007', `${file} is larger than any private key`);
    return await readFile(file);
  } catch (error) {
    if (error instanceof Fault) throw error;
    if (!named && error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw new Fault('RN-PROV-007', `the key ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** Old PEM says so in a header; the OpenSSH form names its cipher after the magic and a length. */
function isEncrypted(text: Buffer): boolean {
  const pem = text.toString('latin1');
  if (pem.includes('ENCRYPTED')) return true;
  const body = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]+?)-----END/.exec(pem)?.[1];
  if (body === undefined) return false;
  const blob = Buffer.from(body, 'base64');
  return blob.length > 23 && blob.subarray(19, 19 + blob.readUInt32BE(15)).toString('latin1') !== 'none';
}

async function isReachable(socket: string, record: LoginRecord): Promise<boolean> {
  try {
    return (await stat(socket)).isSocket();
  } catch {
    // A socket that is gone is what a forgotten SSH_AUTH_SOCK looks like; the login goes on without it.
    record.remarks.push(`the SSH agent at ${socket} is not there`);
    return false;
  }
}
