/**
 * Runs the agent where there is no systemd: starts it, starts it again with back-off when it ends, keeps its log within
 * bounds, and ends with it when told to. The small part of a service manager that is needed, and no more.
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { STATE_DIRECTORY } from '#agent/paths.ts';
import { PID_PATH, supervisorPid } from '#agent/service/supervisor-pid.ts';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';

const RESTART_MS_MIN = 1_000;
const RESTART_MS_MAX = 60_000;
/** An agent that ran this long is started again without delay growing. */
const STABLE_MS = 60_000;
/** agent.log is moved to agent.log.1 at this size; older lines are gone. */
const LOG_BYTES_MAX = 1024 * 1024;
const KILL_MS = 15_000;

export interface SuperviseOptions {
  /** How the agent is started. */
  readonly command: readonly string[];
  readonly pidPath: string;
  /** Where agent.log is kept. */
  readonly logDirectory: string;
  readonly signal: AbortSignal;
}

/** The usual places. */
export function superviseDefaults(command: readonly string[], signal: AbortSignal): SuperviseOptions {
  return { command: [...command, 'agent'], pidPath: PID_PATH, logDirectory: STATE_DIRECTORY, signal };
}

/** Supervise until the signal. */
export async function supervise({ command, pidPath, logDirectory, signal }: SuperviseOptions): Promise<ExitCode> {
  const log = (text: string | Buffer): void => {
    appendLog(join(logDirectory, 'agent.log'), text);
  };
  const running = supervisorPid(pidPath);
  if (running !== undefined && running !== process.pid) throw new Fault('RN-AGENT-004', `process ${String(running)} already supervises an agent`);
  mkdirSync(dirname(pidPath), { recursive: true, mode: 0o750 });
  mkdirSync(logDirectory, { recursive: true, mode: 0o700 });
  writeFileSync(pidPath, `${String(process.pid)}\n`, { mode: 0o644 });
  let delayMs = RESTART_MS_MIN;
  try {
    while (!signal.aborted) {
      const began = performance.now();
      const code = await runOnce(command, signal, log);
      if (signal.aborted) break;
      if (code === EXIT.badConfiguration) {
        log(`{"level":"error","text":"the agent ended because its configuration is wrong; not started again"}\n`);
        return EXIT.badConfiguration;
      }
      delayMs = performance.now() - began > STABLE_MS ? RESTART_MS_MIN : Math.min(RESTART_MS_MAX, delayMs * 2);
      log(`{"level":"warning","text":"the agent ended with code ${String(code)}; starting it again in ${String(delayMs)} ms"}\n`);
      await sleep(delayMs, signal);
    }
    return EXIT.ok;
  } finally {
    rmSync(pidPath, { force: true });
  }
}

function runOnce(command: readonly string[], signal: AbortSignal, log: (text: Buffer) => void): Promise<number | null> {
  const [program = '', ...words] = command;
  return new Promise((resolve) => {
    const child = spawn(program, [...words], { stdio: ['ignore', 'ignore', 'pipe'] });
    const stop = (): void => {
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), KILL_MS).unref();
    };
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    child.stderr.on('data', (part: Buffer) => {
      log(part);
    });
    child.on('error', () => {
      resolve(null);
    });
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop);
      resolve(code);
    });
  });
}

function appendLog(path: string, text: string | Buffer): void {
  try {
    if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > LOG_BYTES_MAX) renameSync(path, `${path}.1`);
    appendFileSync(path, text, { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error)) throw error; // a full or read-only disk must not end the supervision
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
