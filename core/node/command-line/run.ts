/**
 * Runs a program from its table of verbs: parse, run the verb, turn every ending into an exit code. Never exits the
 * process itself; `main` does, after flushing.
 */
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Fault } from '#core/errors/fault.ts';
import { buildCommand, type Chosen, ParseStop } from '#core/node/command-line/build.ts';
import { Output } from '#core/node/command-line/output.ts';
import type { ProgramIo } from '#core/node/command-line/program-io.ts';
import { reportError } from '#core/node/command-line/report.ts';
import { usageFault } from '#core/node/command-line/usage.ts';
import type { ProgramSpec } from '#core/node/command-line/verb.ts';

const CLEAN_UP_MS_MAX = 2_000;

/** The exit code of one run of the program; everything it had to say has been written. */
export async function runProgram(spec: ProgramSpec, io: ProgramIo): Promise<ExitCode> {
  let output = outputFor(io, flagsSeen(io.argv));
  const chosen: Chosen[] = [];
  let help = '';
  try {
    if (io.argv[0] === 'complete' || io.argv[0] === 'completion') {
      const { runCompletion } = await import('#core/node/command-line/completion.ts');
      return await runCompletion(spec, io);
    }
    const command = buildCommand(
      spec,
      (choice) => chosen.push(choice),
      (text) => (help += text),
    );
    try {
      await command.parseAsync(io.argv, { from: 'user' });
    } catch (error) {
      const fault = usageFault(error, spec, io.argv);
      if (fault !== undefined) throw fault;
      if (error instanceof ParseStop && error.stop.code === 'commander.help') {
        // A group of verbs was called without one of them.
        return withoutVerb(spec, help === '' ? command.helpInformation() : help, output, io);
      }
      io.stdout.write(help);
      return EXIT.ok;
    }
    const [choice] = chosen;
    if (choice?.verb.run === undefined) {
      return withoutVerb(spec, help === '' ? command.helpInformation() : help, output, io);
    }
    const { invocation } = choice;
    output = outputFor(io, {
      json: invocation.flag('json'),
      quiet: invocation.flag('quiet'),
      verbose: invocation.flag('verbose'),
      colour: invocation.flag('color'),
    });
    const running = Promise.resolve(choice.verb.run(invocation, { output, env: io.env, signal: io.signal }));
    const ended = await Promise.race([running.then((code) => code ?? EXIT.ok), interruption(io.signal, spec.cleanUpMsMax ?? CLEAN_UP_MS_MAX)]);
    return interrupted(io.signal) && choice.verb.endsOnSignal !== true ? EXIT.interrupted : ended;
  } catch (error) {
    if (io.signal.aborted) {
      if (!interrupted(io.signal)) return EXIT.ok;
      return output.json ? reportError(new Fault('RN-CLI-003', 'interrupted'), output, spec.name) : EXIT.interrupted;
    }
    return reportError(error, output, spec.name);
  }
}

/** A program or a group of verbs was called without one of its verbs: people get the help, scripts an error. */
function withoutVerb(spec: ProgramSpec, help: string, output: Output, io: ProgramIo): ExitCode {
  if (output.json) return reportError(new Fault('RN-CLI-001', 'a verb is missing'), output, spec.name);
  io.stderr.write(help);
  return EXIT.usage;
}

function interrupted(signal: AbortSignal): boolean {
  return signal.aborted && signal.reason !== 'output-closed';
}

/** Settles a while after the interruption, for verbs that do not come back by themselves. */
function interruption(signal: AbortSignal, graceMs: number): Promise<ExitCode> {
  return new Promise((resolve) => {
    const end = (): void => {
      const timer = setTimeout(() => {
        resolve(interrupted(signal) ? EXIT.interrupted : EXIT.ok);
      }, graceMs);
      timer.unref();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

// Before parsing has succeeded the global flags are looked for by hand, so that usage errors honour them too.
function flagsSeen(argv: readonly string[]): { json: boolean; quiet: boolean; verbose: boolean; colour: boolean } {
  const end = argv.indexOf('--');
  const words = end < 0 ? argv : argv.slice(0, end);
  const has = (...flags: readonly string[]): boolean => words.some((word) => flags.includes(word));
  return { json: has('--json'), quiet: has('-q', '--quiet'), verbose: has('-v', '--verbose'), colour: !has('--no-color') };
}

function outputFor(io: ProgramIo, flags: { json: boolean; quiet: boolean; verbose: boolean; colour: boolean }): Output {
  return new Output(io.stdout, io.stderr, flags, io.env);
}
