/**
 * The one string that SSH carries. The target's login shell parses it, and that may be bash, fish, tcsh or rbash; its
 * start-up files may print. So the line holds nothing any of them treats specially: a fixed start, and the command itself
 * with every other character as an octal escape, which the target's own `sh` turns back. A mark comes out before the
 * command starts; what was printed before it is the login's, not the command's.
 */
import { assert } from '#core/errors/assert.ts';
import { quoteArgv } from './quoting.ts';

/** Printed on a line of its own right before the command starts. */
export const beginMark = 'robonet-command-begins-here';
/** What a login printed is kept up to here, for the message when the command never began. */
const noiseBytesMax = 400;

// No "!" (csh's history), no backslash before a quote (fish), no line break (csh): each would be changed even between single quotes.
const start = `echo ${beginMark}; eval "exec $(printf %b "$1")"`;
const harmless = /^[A-Za-z0-9_@%+:,./= -]$/;

/** An argv array as one line that every login shell hands to `sh` unchanged. */
export function remoteLine(argv: readonly string[]): string {
  const escaped = Array.from(quoteArgv(argv), (character) =>
    harmless.test(character) ? character : Array.from(Buffer.from(character, 'utf8'), (byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join(''),
  ).join('');
  const line = `sh -c '${start}' sh '${escaped}'`;
  assert(!/[!\n\r]/.test(line) && line.split("'").length === 5, 'the line holds only what every shell keeps');
  return line;
}

/** Splits what came back into the login's noise and the command's output; feed it chunk by chunk. */
export class AfterMark {
  readonly #into: (chunk: Buffer) => void;
  #begun = false;
  #held = Buffer.alloc(0);
  #noise = Buffer.alloc(0);

  constructor(into: (chunk: Buffer) => void) {
    this.#into = into;
  }

  /** Whether the command was started. */
  get begun(): boolean {
    return this.#begun;
  }

  /** What the login printed, as far as it was kept. */
  get noise(): string {
    return Buffer.concat([this.#noise, this.#held]).toString('utf8').trim();
  }

  add(chunk: Buffer): void {
    if (this.#begun) return this.#into(chunk);
    const mark = Buffer.from(`${beginMark}\n`);
    const text = Buffer.concat([this.#held, chunk]);
    const at = text.indexOf(mark);
    if (at < 0) {
      // Only an unfinished mark at the end is worth holding back; a login that prints for ever fills nothing.
      const kept = Math.max(0, text.length - mark.length + 1);
      this.#noise = Buffer.concat([this.#noise, text.subarray(0, kept)]).subarray(0, noiseBytesMax);
      this.#held = text.subarray(kept);
      return;
    }
    this.#begun = true;
    this.#noise = Buffer.concat([this.#noise, text.subarray(0, at)]).subarray(0, noiseBytesMax);
    this.#held = Buffer.alloc(0);
    if (text.length > at + mark.length) this.#into(text.subarray(at + mark.length));
  }
}
