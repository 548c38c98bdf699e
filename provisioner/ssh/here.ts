/**
 * A session on this very machine: the sponsor's local agent, and the executor's tests. Programs are started from argv
 * directly; no shell is involved unless the command says so itself.
 */
import { spawn } from 'node:child_process';
import { Fault } from '#core/errors/fault.ts';
import { pipeInput, OutputCollector } from './streams.ts';
import type { Command, CommandResult, Session } from './session.ts';
import { commandTimeoutMsDefault, outputBytesMaxDefault } from './limits.ts';

/** Run commands on this machine. */
export function sessionHere(environment: NodeJS.ProcessEnv = process.env): Session {
  return {
    where: 'this machine',
    run: (command) => runHere(command, environment),
    close: () => Promise.resolve(),
  };
}

function runHere(command: Command, environment: NodeJS.ProcessEnv): Promise<CommandResult> {
  const [program, ...rest] = command.argv;
  if (program === undefined) return Promise.resolve({ exitCode: 127, signal: null, stdout: '', stderr: 'no program given' });
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { env: environment, stdio: ['pipe', 'pipe', 'pipe'] });
    const bytesMax = command.outputBytesMax ?? outputBytesMaxDefault;
    const stdout = new OutputCollector(bytesMax);
    const stderr = new OutputCollector(bytesMax);
    const timeoutMs = command.timeoutMs ?? commandTimeoutMsDefault;
    let stopped: Fault | null = null;
    const stop = (fault: Fault): void => {
      stopped ??= fault;
      child.kill('SIGKILL');
    };
    const timer = setTimeout(() => stop(new Fault('RN-PROV-009', `"${program}" on this machine did not end within ${timeoutMs / 1000} s`)), timeoutMs);
    const onAbort = (): void => stop(new Fault('RN-PROV-031', `"${program}" on this machine was interrupted`));
    command.signal?.addEventListener('abort', onAbort, { once: true });
    if (command.signal?.aborted === true) onAbort();
    const finish = (): void => {
      clearTimeout(timer);
      command.signal?.removeEventListener('abort', onAbort);
    };
    child.on('error', (error) => {
      finish();
      if ('code' in error && (error.code === 'ENOENT' || error.code === 'EACCES'))
        resolve({ exitCode: 127, signal: null, stdout: '', stderr: `${program}: not found` });
      else reject(error);
    });
    child.stdout.on('data', (chunk: Buffer) => stdout.add(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.add(chunk));
    child.on('close', (exitCode, signal) => {
      finish();
      if (stopped !== null) reject(stopped);
      else resolve({ exitCode, signal, stdout: stdout.text(), stderr: stderr.text() });
    });
    pipeInput(command.stdin, child.stdin, (error) => stop(error));
  });
}
