/** One parsed command line: typed access to its arguments and options. Asking for what the verb does not declare is our bug. */
import { assert } from '#core/errors/assert.ts';

/** Option names are the camel-case form of the long flag: `--dry-run` is `dryRun`, `--no-start` is `start` (true by default). */
export class Invocation {
  /** All positional arguments in order, a variadic one flattened. */
  readonly arguments: readonly string[];
  readonly #options: ReadonlyMap<string, unknown>;

  constructor(positional: readonly unknown[], options: Readonly<Record<string, unknown>>) {
    this.arguments = positional.flat().filter((value) => typeof value === 'string');
    this.#options = new Map(Object.entries(options));
  }

  /** The positional argument at `index`, where given. */
  argument(index: number): string | undefined {
    return this.arguments[index];
  }

  /** Whether the flag is set. */
  flag(name: string): boolean {
    return this.#options.get(name) === true;
  }

  text(name: string): string | undefined {
    const value = this.#options.get(name);
    assert(value === undefined || typeof value === 'string', `option ${name} holds a text`);
    return value;
  }

  number(name: string): number | undefined {
    const value = this.#options.get(name);
    assert(value === undefined || typeof value === 'number', `option ${name} holds a number`);
    return value;
  }

  /** Values of a repeatable or variadic option. */
  texts(name: string): readonly string[] {
    const value = this.#options.get(name);
    if (value === undefined) return [];
    assert(Array.isArray(value), `option ${name} holds a list`);
    return value.map(String);
  }

  /** The value an option's `parse` produced; the verb knows its type and checks it. */
  value(name: string): unknown {
    return this.#options.get(name);
  }
}
