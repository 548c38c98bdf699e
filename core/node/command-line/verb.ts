/**
 * A command line as data: verbs, their arguments, options, examples and exit codes. One table feeds the parser, the help
 * text and shell completion, so that they cannot disagree.
 */
import type { ExitCode } from '#core/errors/exit-codes.ts';
import type { Invocation } from '#core/node/command-line/invocation.ts';
import type { Output } from '#core/node/command-line/output.ts';
import type { Parsed } from '#core/terminal/parsed.ts';

/** What a verb may be given on the command line after its name. */
export interface ArgumentSpec {
  /** `<name>` for required, `[name]` for optional, `[name...]` for several. */
  readonly form: string;
  readonly text: string;
  readonly choices?: readonly string[];
  /** Values for shell completion, for example node names; must return quickly and never throw. */
  readonly complete?: () => Promise<readonly string[]>;
}

export interface OptionSpec {
  /** As shown in help: `-p, --port <number>`, `--dry-run`, `--no-start`. */
  readonly flags: string;
  readonly text: string;
  /** May be given several times; the values are kept in order. */
  readonly repeatable?: boolean;
  readonly choices?: readonly string[];
  /** Read the text into a value; its problem becomes a usage error. */
  readonly parse?: (text: string) => Parsed<unknown>;
  readonly default?: string | number | boolean;
  /** How help shows the default where the value itself says little. */
  readonly defaultText?: string;
  readonly env?: string;
  readonly hidden?: boolean;
  /** Camel-case names of options that may not be given together with this one. */
  readonly conflicts?: readonly string[];
}

/** A verb, a group of verbs, or the whole program. */
export interface VerbSpec {
  readonly name: string;
  readonly summary: string;
  /** Further paragraphs for `--help`. */
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  /** Command line and what it does. */
  readonly examples?: readonly (readonly [command: string, effect: string])[];
  /** Exit codes worth knowing besides 0 and 64. */
  readonly exits?: readonly (readonly [code: ExitCode, meaning: string])[];
  readonly hidden?: boolean;
  /** Being told to stop is how this verb ends in good order (a service): its own exit code counts, not 130. */
  readonly endsOnSignal?: boolean;
  readonly verbs?: readonly VerbSpec[];
  /** Absent for a pure group of verbs. Heavy modules are imported inside. */
  readonly run?: (invocation: Invocation, context: VerbContext) => Promise<ExitCode | undefined> | ExitCode | undefined;
}

/** What the program gives a running verb. */
export interface VerbContext {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C, SIGTERM and a closed stdout: stop, clean up, return. */
  readonly signal: AbortSignal;
}

export interface ProgramSpec extends VerbSpec {
  readonly version: string;
  /** How long verbs may clean up after Ctrl-C before the program ends anyway; 2 s by default. */
  readonly cleanUpMsMax?: number;
}

/** `--dry-run`, the same words everywhere. */
export const dryRunOption: OptionSpec = { flags: '--dry-run', text: 'say what would be done, and do nothing' };
