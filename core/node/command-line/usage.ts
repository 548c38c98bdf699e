/** commander's complaints as faults of ours: the same sentence, a suggestion, and the help to read. */
import type { Command } from 'commander';
import { Fault } from '#core/errors/fault.ts';
import { knownWords, ParseStop } from '#core/node/command-line/build.ts';
import type { ProgramSpec } from '#core/node/command-line/verb.ts';
import { nearest } from '#core/terminal/suggest.ts';

/** The fault for a parse that failed; `undefined` when commander only stopped to show help or the version. */
export function usageFault(error: unknown, spec: ProgramSpec, argv: readonly string[]): Fault | undefined {
  if (!(error instanceof ParseStop)) {
    if (error instanceof Error) throw error;
    throw new Error(String(error));
  }
  const { stop, command } = error;
  if (stop.exitCode === 0 || stop.code === 'commander.help') return undefined;
  const [sentence = stop.message, own] = stop.message.replace(/^error: /, '').split('\n');
  // Completion has a parser of its own, below the program's name.
  const path = argv[0] === 'completion' ? `${pathOf(command)} completion` : pathOf(command);
  const suggestion = suggestionFor(stop.code, sentence, command, argv) ?? /\(Did you mean (?:one of )?([^?]+)\?\)/.exec(own ?? '')?.[1];
  const reading = `run \`${path} --help\``;
  const known =
    stop.code === 'commander.unknownCommand'
      ? `; verbs are: ${knownWords(command)
          .verbs.filter((verb) => verb !== 'help')
          .join(', ')}`
      : '';
  return new Fault('RN-CLI-001', `${sentence}${suggestion === undefined ? '' : ` (did you mean ${suggestion}?)`}`, {
    next: suggestion === undefined ? `${reading.replace(/^r/, 'R')} for what is understood${known}.` : `Try ${suggestion}, or ${reading}.`,
    cause: spec.name,
  });
}

function suggestionFor(code: string, sentence: string, command: Command, argv: readonly string[]): string | undefined {
  const word = /'([^']+)'/.exec(sentence)?.[1];
  if (word === undefined) return undefined;
  const { verbs, flags } = knownWords(command);
  if (code === 'commander.unknownCommand') return nearest(word, verbs);
  if (code === 'commander.unknownOption') {
    const [flag = word] = word.split('=');
    return nearest(flag, flags);
  }
  if (code !== 'commander.excessArguments') return undefined;
  // A misspelt verb in front of correct arguments shows up as "too many arguments" of a program that takes hosts, and a
  // misspelt verb of a verb (`invite lst`) as one argument too many of the latter.
  const [excess] = /got \d+: ([^,]+)/.exec(sentence)?.[1]?.replace(/\.$/, '').split(' ') ?? [];
  return [excess, argv[0]].flatMap((given) => (given === undefined ? [] : [nearest(given, verbs)])).find((verb) => verb !== undefined);
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
