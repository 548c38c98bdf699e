/**
 * Runs a command of this machine and collects what it said. The lab is built from other people's commands (`ip`, `nft`,
 * `nsenter`), so every failure must carry the command line and both outputs. It never uses a shell.
 */
import { type ChildProcess, spawn } from 'node:child_process';

/** How a command ended. */
export interface CommandResult {
  readonly argv: readonly string[];
  /** Exit code; 128 + signal number is not invented: null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

/** What a command is given. */
export interface CommandOptions {
  readonly stdin?: string | Uint8Array;
  /** Leave standard input open after `stdin`, for somebody who goes on typing. */
  readonly keepInputOpen?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** After this the command is killed and the result has `signal: 'SIGKILL'`. Default 120 s. */
  readonly timeoutMs?: number;
}

/** A command that was started and not yet waited for. */
export interface RunningCommand {
  readonly child: ChildProcess;
  /** What it has said so far. */
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<CommandResult>;
}

const TIMEOUT_MS_DEFAULT = 120_000;

/** Starts a command; it is killed when its time is up. */
export function startCommand(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
  const [program, ...rest] = argv;
  if (program === undefined) throw new Error('no command given');
  const startedAt = performance.now();
  const child = spawn(program, rest, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: options.env === undefined ? process.env : { ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  // A command that ends before reading its input is not a failure of the lab: its exit code tells the story.
  child.stdin.on('error', () => undefined);
  if (options.stdin !== undefined) child.stdin.write(options.stdin);
  if (options.keepInputOpen !== true) child.stdin.end();
  const timer = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs ?? TIMEOUT_MS_DEFAULT);
  const stdout = (): string => Buffer.concat(out).toString('utf8');
  const stderr = (): string => Buffer.concat(err).toString('utf8');
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`cannot run ${argv.join(' ')}: ${cause.message}`, { cause }));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ argv, code, signal, stdout: stdout(), stderr: stderr(), elapsedMs: Math.round(performance.now() - startedAt) });
    });
  });
  return { child, stdout, stderr, ended };
}

/** Runs a command to its end, whatever its exit code. */
export async function runCommand(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return startCommand(argv, options).ended;
}

/** Runs a command that must succeed. */
export async function runChecked(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const result = await runCommand(argv, options);
  if (result.code !== 0) throw new Error(describeResult(result));
  return result;
}

/** Everything a person needs to understand a failed command. */
export function describeResult(result: CommandResult): string {
  const ending = result.signal === null ? `exit ${result.code}` : `killed by ${result.signal}`;
  return [`${result.argv.join(' ')}: ${ending} after ${result.elapsedMs} ms`, indent('stdout', result.stdout), indent('stderr', result.stderr)]
    .filter((part) => part !== '')
    .join('\n');
}

function indent(title: string, text: string): string {
  const trimmed = text.trimEnd();
  if (trimmed === '') return '';
  return `  ${title}:\n${trimmed
    .split('\n')
    .map((line) => `    ${line}`)
    .join('\n')}`;
}
