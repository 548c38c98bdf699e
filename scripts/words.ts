/** The words behind a script's name: its options, or what is wrong with them, with what was probably meant. */
import { parseArgs, type ParseArgsOptionsConfig } from 'node:util';
import { nearest } from '#core/terminal/suggest.ts';

/** What is wrong, for a line on stderr; the script says it and exits with 64. */
export interface Wrong {
  readonly wrong: string;
}

type Values<Flags extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: Flags }>>['values'];

/** The values of the options. */
export function readFlags<const Flags extends ParseArgsOptionsConfig>(words: readonly string[], flags: Flags): Values<Flags> | Wrong {
  try {
    return parseArgs({ args: [...words], options: flags }).values;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    const flag = /'--([a-z-]+)/.exec(error.message)?.[1] ?? '';
    const meant = nearest(flag, Object.keys(flags));
    return { wrong: `${error.message.split('. ')[0] ?? ''}${meant === undefined || meant === flag ? '' : `; did you mean --${meant}?`}` };
  }
}

/** Whether reading came to nothing. */
export function isWrong(read: object): read is Wrong {
  return 'wrong' in read && typeof read.wrong === 'string';
}

/** A whole number from 1. */
export function count(text: string): number | undefined {
  return /^[1-9][0-9]{0,8}$/.test(text) ? Number(text) : undefined;
}

/** A word that is none of those there are. */
export function unknownWord(what: string, word: string, known: readonly string[]): Wrong {
  const meant = nearest(word, known);
  return { wrong: `there is no ${what} "${word}"; ${meant === undefined ? `there are ${known.join(', ')}` : `did you mean ${meant}?`}` };
}
