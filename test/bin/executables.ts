/**
 * The built executables and how tests run them: as a person would, in folders of their own, and never for longer than a limit.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/** The repository. */
export const root = resolve(import.meta.dirname, '..', '..');

/** Where `npm run build` puts its output. */
export const dist = join(root, 'dist');

/** The architecture of this machine and the other one. */
export const native = process.arch === 'arm64' ? 'arm64' : 'x64';

/** The agent for this machine. */
export const agent = join(dist, `robonet-linux-${native}`);

/** The provisioner for this machine. */
export const provision = join(dist, `provision-linux-${native}`);

const runTimeoutMs = 60_000;
const waitTimeoutMs = 60_000;
const pollMs = 20;
const startMark = 'starting';

/** An agent announces itself on every interface it finds; in a namespace of its own that is the loopback alone. */
const aloneOnTheNetwork: readonly string[] = process.getuid?.() === 0 ? ['--net'] : ['--map-root-user', '--net'];

/** How a run ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Run a program to its end. */
export async function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const [program = '', ...words] = command;
  const child = spawn(program, words, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...plainEnvironment(), ...environment },
    timeout: runTimeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return await new Promise((settle, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      settle({ code, stdout, stderr });
    });
  });
}

/** A running agent in a folder of its own. */
export interface RunningAgent {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly socket: string;
  /** Milliseconds from start to the first line of its log. */
  readonly firstLineMs: number;
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

/** Start an agent in the foreground, alone on a network of its own, and wait until its local socket is there. */
export async function startAgent(command: readonly string[]): Promise<RunningAgent> {
  const folder = await mkdtemp(join(tmpdir(), 'robonet-bin-'));
  await mkdir(join(folder, 'run'));
  const socket = join(folder, 'run', 'agent.sock');
  const words = [...command, 'agent', '--state-dir', join(folder, 'state'), '--run-dir', join(folder, 'run')];
  const child = spawn('unshare', [...aloneOnTheNetwork, 'sh', '-c', `ip link set lo up && echo ${startMark} && exec "$@"`, 'sh', ...words], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: plainEnvironment(),
  });
  let log = '';
  let startedAt = Number.NaN;
  let firstLineMs = Number.NaN;
  const onText = (text: string): void => {
    if (Number.isNaN(startedAt) && text.startsWith(startMark)) startedAt = performance.now();
    else if (Number.isNaN(firstLineMs)) firstLineMs = performance.now() - startedAt;
    log += text;
  };
  child.stdout.setEncoding('utf8').on('data', onText);
  child.stderr.setEncoding('utf8').on('data', onText);
  const ended = new Promise<void>((settle) => {
    child.on('error', (error) => {
      log += error.message;
      settle();
    });
    child.on('close', () => {
      settle();
    });
  });
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(killer);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until(
      () => existsSync(socket) || child.exitCode !== null,
      `the agent's socket ${socket}`,
      () => log,
    );
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode} before its socket was there:\n${log}`);
  } catch (error) {
    await stop();
    throw error;
  }
  return { child, folder, socket, firstLineMs, log: () => log, stop };
}

/** Wait for a condition, with a deadline. */
export async function until(isTrue: () => boolean, what: string, context: () => string = () => ''): Promise<void> {
  const deadline = performance.now() + waitTimeoutMs;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`waited ${waitTimeoutMs / 1000} s in vain for ${what}\n${context()}`);
    await new Promise((settle) => setTimeout(settle, pollMs));
  }
}

// What the test runner puts into its environment must not reach the program under test.
function plainEnvironment(): Record<string, string> {
  return { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/nonexistent', LANG: 'C.UTF-8', NO_COLOR: '1' };
}
