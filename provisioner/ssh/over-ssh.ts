/**
 * A session over SSH. The order is fixed: TCP, key exchange, host key judged (`host-keys.ts`), only then a login. No
 * agent is forwarded, no terminal is requested, and the one string SSH carries is made by `quoting.ts`.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { NodeSSH } from 'node-ssh';
import type { Client, ClientChannel } from 'ssh2';
import type { Duplex } from 'node:stream';
import { Fault } from '#core/errors/fault.ts';
import type { Route } from './client-config.ts';
import { checkHostKey, preferredKeyTypes, readKnownHosts, type HostKeyPolicy } from './host-keys.ts';
import { knownHostsName } from './known-hosts.ts';
import { commandTimeoutMsDefault, connectTimeoutMs, handshakeTimeoutMs, keepaliveCountMax, keepaliveIntervalMs, outputBytesMaxDefault } from './limits.ts';
import { loginHandler, type LoginRecord, type SecretSource } from './login.ts';
import { AfterMark, remoteLine } from './remote-line.ts';
import type { Command, CommandResult, Session } from './session.ts';
import { OutputCollector, pipeInput } from './streams.ts';

export interface SshOptions {
  readonly secrets: SecretSource;
  readonly hostKeys: Omit<HostKeyPolicy, 'files'>;
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
}

/** A session that also knows which address it really reached. */
export interface SshSession extends Session {
  readonly address: string;
  /** Our own address as the target sees it; null behind a jump host. */
  readonly ownAddress: string | null;
  readonly route: Route;
}

/** Connect and log in; every way this can fail is a fault of its own. */
export async function openSsh(route: Route, options: SshOptions): Promise<SshSession> {
  const opened: SshConnection[] = [];
  try {
    let through: Duplex | null = null;
    for (const [index, hop] of [...route.jumps, route].entries()) {
      const connection = await openHop(hop, through, options);
      opened.push(connection);
      const following = [...route.jumps, route][index + 1];
      through = following === undefined ? null : await connection.forward(following.address, following.port);
    }
  } catch (error) {
    for (const connection of opened.reverse()) connection.end();
    throw error;
  }
  const target = opened.pop();
  if (target === undefined) throw new Fault('RN-PROV-001', `${route.name} has no route`);
  return {
    where: `${route.user}@${route.name}`,
    address: target.address,
    ownAddress: target.ownAddress,
    route,
    run: (command) => target.run(command),
    close: () => {
      target.end();
      for (const connection of opened.reverse()) connection.end();
      return Promise.resolve();
    },
  };
}

/** One logged-in connection. */
class SshConnection {
  readonly address: string;
  readonly ownAddress: string | null;
  readonly #name: string;
  readonly #client: Client;
  readonly #ssh: NodeSSH;
  #lost: string | null = null;
  readonly #onLost = new Set<() => void>();

  constructor(name: string, address: string, ownAddress: string | null, ssh: NodeSSH, client: Client) {
    this.#name = name;
    this.address = address;
    this.ownAddress = ownAddress;
    this.#ssh = ssh;
    this.#client = client;
    const lose = (why: string): void => {
      this.#lost ??= why;
      for (const listener of this.#onLost) listener();
    };
    client.on('error', (error) => lose(error.message));
    client.on('close', () => lose('closed by the other side'));
  }

  end(): void {
    this.#ssh.dispose();
  }

  forward(host: string, port: number): Promise<Duplex> {
    return new Promise((resolve, reject) => {
      this.#client.forwardOut('127.0.0.1', 0, host, port, (error, channel) => {
        if (error === undefined) resolve(channel);
        else reject(new Fault('RN-PROV-001', `${host}:${port} cannot be reached through ${this.#name}: ${error.message}`, { cause: error }));
      });
    });
  }

  #lostFault(what: string): Fault {
    return new Fault('RN-PROV-008', `the connection to ${this.#name} was lost during ${what}: ${this.#lost ?? 'unknown reason'}`);
  }

  run(command: Command): Promise<CommandResult> {
    const what = `"${command.argv[0] ?? ''}"`;
    if (this.#lost !== null) return Promise.reject(this.#lostFault(what));
    return new Promise((resolve, reject) => {
      const bytesMax = command.outputBytesMax ?? outputBytesMaxDefault;
      const timeoutMs = command.timeoutMs ?? commandTimeoutMsDefault;
      const stdout = new OutputCollector(bytesMax);
      const stderr = new OutputCollector(bytesMax);
      const answer = new AfterMark((chunk) => stdout.add(chunk));
      let channel: ClientChannel | null = null;
      let settled = false;
      const settle = (act: () => void): void => {
        if (settled) return;
        settled = true;
        clearTimeout(timer);
        command.signal?.removeEventListener('abort', onAbort);
        this.#onLost.delete(onLost);
        act();
      };
      const stop = (fault: Fault): void => {
        settle(() => {
          channel?.signal('KILL');
          channel?.close();
          reject(fault);
        });
      };
      const timer = setTimeout(() => stop(new Fault('RN-PROV-009', `${what} on ${this.#name} did not end within ${timeoutMs / 1000} s`)), timeoutMs);
      const onAbort = (): void => stop(new Fault('RN-PROV-031', `${what} on ${this.#name} was interrupted`));
      const onLost = (): void => stop(this.#lostFault(what));
      this.#onLost.add(onLost);
      command.signal?.addEventListener('abort', onAbort, { once: true });
      if (command.signal?.aborted === true) return onAbort();
      const started = (error: Error | undefined, stream: ClientChannel): void => {
        if (error !== undefined)
          return stop(
            this.#lost === null
              ? new Fault('RN-PROV-021', `${what} could not be started on ${this.#name}: ${error.message}`, { cause: error })
              : this.#lostFault(what),
          );
        channel = stream;
        if (settled) return stream.close();
        let ended: { code: number | null; signal: string | null } | null = null;
        stream.on('data', (chunk: Buffer) => answer.add(chunk));
        stream.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
        stream.on('exit', (code: number | null, signal?: string) => {
          ended = { code, signal: signal ?? null };
        });
        stream.on('close', () => {
          const end = ended;
          if (end === null) stop(this.#lost === null ? new Fault('RN-PROV-008', `${what} on ${this.#name} ended without saying how`) : this.#lostFault(what));
          else if (!answer.begun) stop(notBegun(this.#name, what, `${answer.noise} ${stderr.text()}`.trim(), end.code ?? end.signal));
          else settle(() => resolve({ exitCode: end.code, signal: end.signal, stdout: stdout.text(), stderr: stderr.text() }));
        });
        pipeInput(command.stdin, stream, stop);
      };
      this.#client.exec(remoteLine(command.argv), started);
    });
  }
}

/** The login shell, or whatever stands in its place, ended without starting what it was given. */
function notBegun(name: string, what: string, said: string, end: number | string | null): Fault {
  const words = said === '' ? 'it said nothing' : `it said "${said.replaceAll(/\s+/g, ' ').slice(0, 200)}"`;
  return new Fault('RN-PROV-038', `the login at ${name} does not run commands: ${what} was not started; ${words} (exit ${end ?? 'unknown'})`);
}

async function openHop(route: Route, through: Duplex | null, options: SshOptions): Promise<SshConnection> {
  const entries = await readKnownHosts(route.knownHostsFiles);
  const socket = through ?? (await dial(route, options));
  const address = 'remoteAddress' in socket && typeof socket.remoteAddress === 'string' ? socket.remoteAddress.replace(/^::ffff:/, '') : route.address;
  const ssh = new NodeSSH();
  const record: LoginRecord = { tried: [], remarks: [] };
  let stopped: Fault | null = null;
  const fail = (fault: Fault): void => {
    stopped ??= fault;
  };
  let keySeen = false;
  // A person may think as long as they like about a key or a password; the clock runs only while the host is working.
  const watch = new Stopwatch(handshakeTimeoutMs, () => {
    fail(
      new Fault(
        keySeen ? 'RN-PROV-006' : 'RN-PROV-033',
        `${route.name} did not finish the ${keySeen ? 'login' : 'key exchange'} within ${handshakeTimeoutMs / 1000} s`,
      ),
    );
    socket.destroy();
  });
  const onAbort = (): void => {
    fail(new Fault('RN-PROV-031', `the connection to ${route.name} was interrupted`));
    socket.destroy();
  };
  options.signal?.addEventListener('abort', onAbort, { once: true });
  const secrets: SecretSource = {
    password: (about, attempt) => watch.paused(() => options.secrets.password(about, attempt)),
    passphrase: (file) => watch.paused(() => options.secrets.passphrase(file)),
  };
  const policy: HostKeyPolicy = { ...options.hostKeys, files: route.knownHostsFiles, confirm: (key) => watch.paused(() => options.hostKeys.confirm(key)) };
  try {
    await ssh.connect({
      sock: socket as Socket,
      username: route.user,
      readyTimeout: 0,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax,
      algorithms: { serverHostKey: [...preferredKeyTypes(entries, [knownHostsName(route.name, route.port), knownHostsName(address, route.port)])] as never },
      hostVerifier: (key: Buffer, verify: (valid: boolean) => void): void => {
        keySeen = true;
        checkHostKey(policy, { host: route.name, address, port: route.port }, key).then(
          () => verify(true),
          (error: unknown) => {
            fail(
              error instanceof Fault
                ? error
                : new Fault('RN-PROV-003', `the host key of ${route.name} could not be checked: ${String(error)}`, { cause: error }),
            );
            verify(false);
          },
        );
      },
      authHandler: loginHandler(route, secrets, record, fail),
    });
  } catch (error) {
    ssh.dispose();
    socket.destroy();
    throw stopped ?? loginFault(route, error, keySeen, record);
  } finally {
    watch.stop();
    options.signal?.removeEventListener('abort', onAbort);
  }
  const client = ssh.connection;
  if (client === null) throw new Fault('RN-PROV-008', `${route.name} closed the connection right after the login`);
  return new SshConnection(
    route.name,
    address,
    'localAddress' in socket && typeof socket.localAddress === 'string' ? socket.localAddress.replace(/^::ffff:/, '') : null,
    ssh,
    client,
  );
}

function loginFault(route: Route, error: unknown, keySeen: boolean, record: LoginRecord): Fault {
  const text = error instanceof Error ? error.message : String(error);
  const level = error instanceof Error && 'level' in error ? error.level : null;
  if (level === 'client-authentication' || (keySeen && /too many authentication failures/i.test(text))) {
    const tried = record.tried.length === 0 ? 'no key, agent or password was at hand' : `tried ${record.tried.join(', ')}`;
    const remarks = record.remarks.length === 0 ? '' : `; ${record.remarks.join('; ')}`;
    return new Fault('RN-PROV-006', `${route.name} refused the login of "${route.user}": ${tried}${remarks}`, { cause: error });
  }
  if (!keySeen) return new Fault('RN-PROV-033', `${route.name} (port ${route.port}) did not complete the SSH key exchange: ${text}`, { cause: error });
  return new Fault('RN-PROV-008', `the connection to ${route.name} was lost during the login: ${text}`, { cause: error });
}

function dial(route: Route, options: SshOptions): Promise<Socket> {
  const timeoutMs = options.connectTimeoutMs ?? connectTimeoutMs;
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ host: route.address, port: route.port, noDelay: true });
    const settle = (): void => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    const refuse = (why: string, cause?: unknown): void => {
      settle();
      socket.destroy();
      const where = route.address === route.name ? `${route.name} port ${route.port}` : `${route.name} (${route.address} port ${route.port})`;
      reject(new Fault('RN-PROV-001', `${where} ${why}`, { cause }));
    };
    // Removed as soon as the connection stands: taking back after an interruption needs it.
    const onAbort = (): void => {
      settle();
      socket.destroy();
      reject(new Fault('RN-PROV-031', `the connection to ${route.name} was interrupted`));
    };
    const timer = setTimeout(() => refuse(`did not answer within ${timeoutMs / 1000} s`), timeoutMs);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => refuse(dialProblem(error), error));
    socket.once('connect', () => {
      settle();
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}

function dialProblem(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return 'refuses connections: no SSH server listens there';
    case 'EHOSTUNREACH':
      return 'is unreachable: nothing at this address answers on the LAN';
    case 'ENETUNREACH':
      return 'is in a network this machine has no route to';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'is a name nobody knows (no DNS, mDNS or ~/.ssh/config entry)';
    default:
      return `cannot be reached: ${error.message}`;
  }
}

/** A time limit that stands still while a person is being asked. */
class Stopwatch {
  #remainingMs: number;
  #since = 0;
  #timer: NodeJS.Timeout | null = null;
  #pauses = 0;
  readonly #onEnd: () => void;

  constructor(limitMs: number, onEnd: () => void) {
    this.#remainingMs = limitMs;
    this.#onEnd = onEnd;
    this.#go();
  }

  async paused<T>(act: () => Promise<T>): Promise<T> {
    this.#pauses += 1;
    this.stop();
    try {
      return await act();
    } finally {
      this.#pauses -= 1;
      if (this.#pauses === 0) this.#go();
    }
  }

  stop(): void {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#remainingMs -= performance.now() - this.#since;
  }

  #go(): void {
    this.#since = performance.now();
    this.#timer = setTimeout(this.#onEnd, Math.max(1, this.#remainingMs));
  }
}
