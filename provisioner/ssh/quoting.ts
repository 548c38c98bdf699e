/**
 * POSIX shell quoting. SSH carries one string that the login shell of the target parses again; this is the only place
 * where such a string is made. Every word is quoted unless it consists of characters no shell treats specially.
 */
import { assert } from '#core/errors/assert.ts';

const plain = /^[A-Za-z0-9_@%+:,./-]+$/;

/** One argument as one shell word, whatever it contains (except NUL, which no argument can contain). */
export function quoteWord(word: string): string {
  assert(!word.includes('\0'), 'an argument contains no NUL');
  if (plain.test(word)) return word;
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** An argv array as one command line that the shell splits into exactly these arguments. */
export function quoteArgv(argv: readonly string[]): string {
  assert(argv.length > 0, 'a command has a program');
  return argv.map(quoteWord).join(' ');
}
