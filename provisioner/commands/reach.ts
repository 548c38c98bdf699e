/**
 * From what the command line says about logging in to hosts that can be connected to: options, ~/.ssh/config, secrets
 * from files or the person, host keys. Secrets live in this object only.
 */
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { Fault } from '#core/errors/fault.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import { readTextFile } from '#core/node/read-text-file.ts';
import type { FleetHost } from '#provisioner/fleet/colonize-host.ts';
import type { Asker } from '#provisioner/screens/asker.ts';
import { loadClientConfig, resolveRoute, type ClientEnvironment, type Route } from '#provisioner/ssh/client-config.ts';
import type { HostKeyMode, NewHostKey } from '#provisioner/ssh/host-keys.ts';
import type { HostTarget } from '#provisioner/ssh/host-name.ts';
import { passwordAttemptCountMax, secretFileBytesMax } from '#provisioner/ssh/limits.ts';
import { openSsh } from '#provisioner/ssh/over-ssh.ts';

/** A host as named on the command line, in an inventory, or chosen from a scan. */
export interface NamedHost extends HostTarget {
  readonly label: string;
  readonly passwordFile: string | null;
  readonly sudoPasswordFile: string | null;
}

export interface ReachOptions {
  readonly user: string | null;
  readonly port: number | null;
  readonly identityFiles: readonly string[];
  readonly passwordFile: string | null;
  readonly askPassword: boolean;
  readonly sudoPasswordFile: string | null;
  readonly askSudoPassword: boolean;
  readonly hostKeys: HostKeyMode;
}

/** Read the options that concern logging in. */
export function reachOptions(invocation: Invocation, personPresent: boolean): ReachOptions {
  const mode = invocation.flag('acceptNew') ? 'accept-new' : invocation.text('hostKeys');
  const port = invocation.value('port');
  return {
    user: invocation.text('user') ?? null,
    port: typeof port === 'number' ? port : null,
    identityFiles: invocation.texts('identity'),
    passwordFile: invocation.text('passwordFile') ?? null,
    askPassword: invocation.flag('askPassword'),
    sudoPasswordFile: invocation.text('sudoPasswordFile') ?? null,
    askSudoPassword: invocation.flag('askSudoPassword'),
    // Nobody to compare a fingerprint means that only known keys may pass.
    hostKeys: mode === 'accept-new' || mode === 'strict' || mode === 'ask' ? mode : personPresent ? 'ask' : 'strict',
  };
}

export class Reach {
  readonly #options: ReachOptions;
  readonly #asker: Asker;
  readonly #environment: ClientEnvironment;
  readonly #showKey: (key: NewHostKey, status: 'known' | 'accepted') => void;
  readonly #shared = new Map<string, Promise<string | null>>();
  #inputText: string | null = null;

  constructor(
    options: ReachOptions,
    asker: Asker,
    environment: Readonly<Record<string, string | undefined>>,
    showKey: (key: NewHostKey, status: 'known' | 'accepted') => void,
  ) {
    const home = environment['HOME'] ?? homedir();
    this.#options = options;
    this.#asker = asker;
    this.#showKey = showKey;
    this.#environment = {
      home,
      user: environment['USER'] ?? userInfo().username,
      agentSocket: environment['SSH_AUTH_SOCK'] ?? null,
      config: loadClientConfig(join(home, '.ssh', 'config'), home),
      override: {
        user: options.user,
        port: options.port,
        identityFiles: options.identityFiles.map((file) => file.replace(/^~(?=\/)/, home)),
        knownHostsFiles: [],
      },
    };
  }

  /** Where a host's connection would go; also for `doctor` and `--dry-run`. */
  route(host: HostTarget): Route {
    return resolveRoute(host, this.#environment);
  }

  /** The host with its secrets and its host-key policy bound. */
  bind(host: NamedHost): FleetHost {
    let loginPassword: string | null = null;
    const password = async (route: Route, attempt: number): Promise<string | null> => {
      loginPassword = await this.#password(host, route, attempt);
      return loginPassword;
    };
    return {
      label: host.label,
      sudoPassword: () => this.#sudoPassword(host, loginPassword),
      connect: (signal) =>
        openSsh(this.route(host), {
          signal,
          secrets: { password, passphrase: (file) => this.#once(`passphrase ${file}`, () => this.#asker.secret(`passphrase for ${file}`)) },
          hostKeys: {
            mode: this.#options.hostKeys,
            onKey: this.#showKey,
            confirm: (key) => this.#asker.confirm(`${key.host}: the ${key.keyType} host key is ${key.fingerprint}; is it the one the host shows?`),
          },
        }),
    };
  }

  async #password(host: NamedHost, route: Route, attempt: number): Promise<string | null> {
    const file = host.passwordFile ?? this.#options.passwordFile;
    if (file !== null) return attempt === 1 ? readSecret(file, () => this.#standardInput()) : null;
    if (this.#options.askPassword) return attempt === 1 ? this.#once('login password', () => this.#asker.secret('login password for the hosts')) : null;
    if (attempt > passwordAttemptCountMax) return null;
    return this.#asker.secret(`${attempt === 1 ? '' : 'that was refused; '}password of ${route.user}@${route.name}`);
  }

  async #sudoPassword(host: NamedHost, loginPassword: string | null): Promise<string | null> {
    const file = host.sudoPasswordFile ?? this.#options.sudoPasswordFile;
    if (file !== null) return readSecret(file, () => this.#standardInput());
    if (this.#options.askSudoPassword) return this.#once('sudo password', () => this.#asker.secret('sudo password for the hosts'));
    return loginPassword ?? this.#asker.secret(`sudo password on ${host.label}`);
  }

  /** It can be read once; a second host that needs it gets the same text. */
  #standardInput(): string {
    this.#inputText ??= readSecretText('-');
    return this.#inputText;
  }

  /** Ten hosts, one question. */
  #once(key: string, ask: () => Promise<string | null>): Promise<string | null> {
    const asked = this.#shared.get(key) ?? ask();
    this.#shared.set(key, asked);
    return asked;
  }
}

/** First line of a file, or of standard input for `-`; fewer surprises than "the whole file with its newline". */
function readSecret(file: string, standardInput: () => string): string {
  const [line = ''] = (file === '-' ? standardInput() : readSecretText(file)).split('\n');
  const secret = line.replace(/\r$/, '');
  if (secret === '') throw new Fault('RN-PROV-007', `${nameOf(file)} holds no password in its first line`);
  return secret;
}

function readSecretText(file: string): string {
  const read = readTextFile(file, secretFileBytesMax);
  if (read.kind === 'problem') throw new Fault('RN-PROV-007', `the password cannot be read from ${nameOf(file)}: ${read.why}`);
  return read.text;
}

function nameOf(file: string): string {
  return file === '-' ? 'standard input' : file;
}
