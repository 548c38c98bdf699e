/**
 * From the table of verbs to a commander tree: global options everywhere, `--help` with examples and exit codes, and
 * usage errors thrown instead of printed.
 */
import { Argument, Command, type CommanderError, Help, InvalidArgumentError, Option } from 'commander';
import { EXIT, type ExitCode } from '#core/errors/exit-codes.ts';
import { Invocation } from '#core/node/command-line/invocation.ts';
import type { OptionSpec, ProgramSpec, VerbSpec } from '#core/node/command-line/verb.ts';

/** What a finished parse asks for. */
export interface Chosen {
  readonly verb: VerbSpec;
  readonly invocation: Invocation;
}

/** commander stopped: with an error, or because it has shown help. */
export class ParseStop extends Error {
  override readonly name = 'ParseStop';
  readonly stop: CommanderError;
  readonly command: Command;
  constructor(stop: CommanderError, command: Command) {
    super(stop.message);
    this.stop = stop;
    this.command = command;
  }
}

/** Options every verb of both programs understands. */
export const globalOptions: readonly OptionSpec[] = [
  { flags: '--json', text: 'one JSON document on stdout (a stream: one per line); errors too' },
  { flags: '--no-color', text: 'never colour (also: NO_COLOR=1)' },
  { flags: '-q, --quiet', text: 'only data and errors', conflicts: ['verbose'] },
  { flags: '-v, --verbose', text: 'say more on stderr, with stack traces on errors' },
];

const exitMeanings: ReadonlyMap<ExitCode, string> = new Map<ExitCode, string>([
  [EXIT.ok, 'done'],
  [EXIT.failed, 'failed'],
  [EXIT.partlyFailed, 'some failed, the others are done'],
  [EXIT.usage, 'the command line was not understood'],
  [EXIT.badInput, 'a file or value given was wrong'],
  [EXIT.unavailable, 'something needed is not there'],
  [EXIT.tryAgain, 'not now: try again'],
  [EXIT.notPermitted, 'not permitted'],
  [EXIT.badConfiguration, 'the configuration is wrong'],
  [EXIT.interrupted, 'interrupted'],
]);

/** A fresh commander tree; `choose` hears what a successful parse selected, `writeHelp` gets help text. */
export function buildCommand(spec: ProgramSpec, choose: (chosen: Chosen) => void, writeHelp: (text: string) => void): Command {
  const root = new Command(spec.name);
  root.configureOutput({ writeOut: writeHelp, writeErr: () => undefined });
  root.configureHelp({ showGlobalOptions: true, sortSubcommands: false, helpWidth: 110 });
  root.helpCommand('help [verb]', 'show help for a verb');
  root.helpOption('-h, --help', 'show this help');
  fill(root, spec, choose);
  for (const option of globalOptions) addOption(root, option);
  root.version(spec.version, '-V, --version', 'print the version');
  return root;
}

function fill(command: Command, spec: VerbSpec, choose: (chosen: Chosen) => void): void {
  command.description(spec.description === undefined ? spec.summary : `${spec.summary}\n\n${spec.description}`).summary(spec.summary);
  command.exitOverride((error) => {
    throw new ParseStop(error, command);
  });
  for (const item of spec.arguments ?? []) {
    const argument = new Argument(item.form, item.text);
    if (item.choices !== undefined) argument.choices(item.choices);
    command.addArgument(argument);
  }
  for (const option of spec.options ?? []) addOption(command, option);
  command.addHelpText('after', () => helpTail(spec));
  for (const verb of spec.verbs ?? []) fill(command.command(verb.name, { hidden: verb.hidden === true }), verb, choose);
  if (spec.run !== undefined) {
    command.allowExcessArguments(false);
    command.action((...given: readonly unknown[]) => {
      choose({ verb: spec, invocation: new Invocation(given.slice(0, -2), command.optsWithGlobals()) });
    });
  }
}

function addOption(command: Command, spec: OptionSpec): void {
  const option = new Option(spec.flags, spec.text);
  if (spec.choices !== undefined) option.choices(spec.choices);
  if (spec.default !== undefined) option.default(spec.default, spec.defaultText);
  if (spec.env !== undefined) option.env(spec.env);
  if (spec.hidden === true) option.hideHelp();
  if (spec.conflicts !== undefined) option.conflicts([...spec.conflicts]);
  const { parse } = spec;
  if (spec.repeatable === true) {
    option.argParser((text: string, previous: readonly unknown[] | undefined) => [...(previous ?? []), parse === undefined ? text : read(parse, text)]);
  } else if (parse !== undefined) option.argParser((text: string) => read(parse, text));
  command.addOption(option);
}

function read(parse: NonNullable<OptionSpec['parse']>, text: string): unknown {
  const outcome = parse(text);
  if (outcome.kind === 'problem') throw new InvalidArgumentError(outcome.problem);
  return outcome.value;
}

function helpTail(spec: VerbSpec): string {
  const examples = spec.examples ?? [];
  const width = Math.max(0, ...examples.map(([command]) => command.length));
  const exits = new Map<ExitCode, string>([[EXIT.ok, 'done'], ...(spec.exits ?? []), [EXIT.usage, 'the command line was not understood']]);
  const lines: string[] = [];
  if (examples.length > 0) lines.push('', 'Examples:', ...examples.map(([command, effect]) => `  ${command.padEnd(width)}  ${effect}`));
  if (spec.run !== undefined || spec.verbs === undefined) {
    lines.push(
      '',
      'Exit codes:',
      ...[...exits].sort(([a], [b]) => a - b).map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning || (exitMeanings.get(code) ?? '')}`),
    );
  } else lines.push('', 'Exit codes:', ...[...exitMeanings].map(([code, meaning]) => `  ${String(code).padStart(3)}  ${meaning}`));
  return lines.join('\n');
}

/** Names of the verbs and long flags that would have been understood here. */
export function knownWords(command: Command): { readonly verbs: readonly string[]; readonly flags: readonly string[] } {
  const help = new Help();
  help.showGlobalOptions = true;
  const flags = [...help.visibleOptions(command), ...help.visibleGlobalOptions(command)].flatMap((option) =>
    typeof option.long === 'string' ? [option.long] : [],
  );
  return { verbs: help.visibleCommands(command).map((verb) => verb.name()), flags };
}
