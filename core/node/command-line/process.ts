/**
 * The real process behind {@link ProgramIo}: signals, a stdout whose reader may leave, and the one place that ends the
 * process. Only `main` files import this.
 */
import { Fault } from '#core/errors/fault.ts';
import { Output } from '#core/node/command-line/output.ts';
import type { ProgramIo } from '#core/node/command-line/program-io.ts';
import { reportError } from '#core/node/command-line/report.ts';
import { runProgram } from '#core/node/command-line/run.ts';
import type { ProgramSpec } from '#core/node/command-line/verb.ts';

/** Words after the program's name, in a single executable as well as under plain Node (both put two words in front). */
export function processArguments(): readonly string[] {
  return process.argv.slice(2);
}

/** Run the program on this process and end it with the program's exit code. */
export async function runProcess(spec: ProgramSpec): Promise<void> {
  const ending = new AbortController();
  const io: ProgramIo = { argv: processArguments(), env: process.env, stdout: process.stdout, stderr: process.stderr, signal: ending.signal };
  const onSignal = (): void => {
    if (ending.signal.aborted) process.exit(130); // asked twice: no more patience
    ending.abort('interrupted');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.on('SIGHUP', onSignal);
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') ending.abort('output-closed');
      // Losing stderr loses no data, and there is nowhere left to say so.
      else if (stream === process.stdout) {
        const fault = new Fault('RN-CLI-004', `the output could not be written: ${error.message}`, { cause: error });
        process.exit(reportError(fault, new Output(io.stderr, io.stderr, flagsOf(io.argv), io.env), spec.name));
      }
    });
  }
  // A bug in a callback ends the program like any other error: a short message, exit code 1, the stack with -v.
  for (const surprise of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(surprise, (error: unknown) => {
      process.exit(reportError(error, new Output(io.stdout, io.stderr, flagsOf(io.argv), io.env), spec.name));
    });
  }
  const code = await runProgram(spec, io);
  // Pipes and files are written synchronously on Linux; elsewhere an empty write tells when everything before it is out.
  await new Promise<void>((resolve) => {
    if (process.stdout.writableLength === 0) resolve();
    else
      process.stdout.write('', () => {
        resolve();
      });
  });
  // A failed write is told of in the next turn only; leaving before that would end a lost answer with 0.
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(code);
}

function flagsOf(argv: readonly string[]): { json: boolean; quiet: boolean; verbose: boolean; colour: boolean } {
  return {
    json: argv.includes('--json'),
    quiet: false,
    verbose: argv.includes('-v') || argv.includes('--verbose'),
    colour: !argv.includes('--no-color'),
  };
}
