/** Applies a parser to a value that did not come through an option: a list element, an environment variable. */
import { Fault } from '#core/errors/fault.ts';
import type { Parsed } from '#core/terminal/parsed.ts';

/** The value read, or a usage fault whose message begins with `place`. */
export function readWith<Value>(parse: (text: string) => Parsed<Value>, text: string, place: string): Value {
  const outcome = parse(text);
  if (outcome.kind === 'problem') throw new Fault('RN-CLI-001', `${place}: ${outcome.problem}`);
  return outcome.value;
}
