/**
 * Shell completion: `completion SHELL` prints the script, the hidden `complete -- words…` answers it. Built from the same
 * table as the parser; values such as node names are asked for only when their place on the line is being completed.
 */
import tab from '@bomb.sh/tab/commander';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { bashCompletion } from '#core/node/command-line/bash-completion.ts';
import { buildCommand } from '#core/node/command-line/build.ts';
import type { ProgramIo } from '#core/node/command-line/program-io.ts';
import { usageFault } from '#core/node/command-line/usage.ts';
import type { ArgumentSpec, ProgramSpec, VerbSpec } from '#core/node/command-line/verb.ts';

/** Shells a script can be printed for. */
export const completionShells = ['bash', 'zsh', 'fish', 'powershell'] as const;

/** The verb as help shows it; {@link runCompletion} does the work before ordinary parsing. */
export function completionVerb(program: string): VerbSpec {
  return {
    name: 'completion',
    summary: 'print a script that teaches a shell to complete this program',
    arguments: [{ form: '<shell>', text: 'which shell', choices: completionShells }],
    examples: [
      [`source <(${program} completion bash)`, 'complete in this shell, now'],
      [`${program} completion fish > ~/.config/fish/completions/${program}.fish`, 'complete in every fish from now on'],
    ],
    run: () => EXIT.ok,
  };
}

/** Answer `completion …` or `complete …`. */
export async function runCompletion(spec: ProgramSpec, io: ProgramIo): Promise<ExitCode> {
  if (io.argv.length === 2 && io.argv[1] === 'bash' && io.argv[0] === 'completion') {
    io.stdout.write(bashCompletion(spec.name));
    return EXIT.ok;
  }
  const withoutOwn: ProgramSpec = { ...spec, verbs: (spec.verbs ?? []).filter((verb) => verb.name !== 'completion').map(oneLine) };
  let help = '';
  const command = buildCommand(
    withoutOwn,
    () => undefined,
    (text) => (help += text),
  );
  const root = tab(command, { completionCommandName: 'completion' });
  if (io.argv[0] === 'complete') {
    for (const [path, argument] of dynamicArguments(withoutOwn, io.argv.slice(2))) {
      const values = (await argument.complete?.()) ?? [];
      const known = root.commands.get(path)?.arguments.get(argumentName(argument));
      if (known !== undefined)
        known.handler = (add) => {
          for (const value of values) add(value, '');
        };
    }
  }
  try {
    await command.parseAsync(io.argv, { from: 'user' });
  } catch (error) {
    const fault = usageFault(error, spec, io.argv);
    if (fault !== undefined) throw fault;
    io.stdout.write(help);
  }
  return EXIT.ok;
}

// A shell takes every line for a candidate, so the long descriptions of `--help` stay out.
function oneLine({ description: _long, ...spec }: VerbSpec): VerbSpec {
  return spec.verbs === undefined ? spec : { ...spec, verbs: spec.verbs.map(oneLine) };
}

// Only the verb being completed is asked for its values: each may cost a question to the agent.
function dynamicArguments(spec: VerbSpec, words: readonly string[], path = ''): readonly (readonly [path: string, argument: ArgumentSpec])[] {
  const [word] = words;
  const verb = spec.verbs?.find((candidate) => candidate.name === word);
  if (verb === undefined)
    return path === '' ? [] : (spec.arguments ?? []).filter((argument) => argument.complete !== undefined).map((argument) => [path, argument] as const);
  return dynamicArguments(verb, words.slice(1), path === '' ? verb.name : `${path} ${verb.name}`);
}

function argumentName(argument: ArgumentSpec): string {
  return argument.form.replace(/[<>[\].]/g, '');
}
