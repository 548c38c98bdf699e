/**
 * Where a verb's words go: data on stdout, everything else on stderr; with `--json` exactly one document (or NDJSON
 * lines for streams) on stdout and silence on stderr. Survives a reader that goes away (`| head -1`).
 */
import { createPalette, type Palette } from '#core/terminal/palette.ts';

/** The half of a stream that output needs; `process.stdout` and a test's collector both fit. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** False for `--no-color`. */
  readonly colour: boolean;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  /** Paints text for stdout. */
  readonly palette: Palette;
  /** Paints text for stderr. */
  readonly notePalette: Palette;
  readonly #stdout: TextSink;
  readonly #stderr: TextSink;

  constructor(stdout: TextSink, stderr: TextSink, options: OutputOptions, env: Readonly<Record<string, string | undefined>>) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.verbose = options.verbose;
    this.palette = createPalette(isColoured(stdout, options.colour, env));
    this.notePalette = createPalette(isColoured(stderr, options.colour, env));
    this.#stdout = stdout;
    this.#stderr = stderr;
  }

  /** Whether a person may be looking at stdout. */
  get interactive(): boolean {
    return this.#stdout.isTTY === true && !this.json;
  }

  /** Columns of the terminal on stdout, 80 where there is none. */
  get columns(): number {
    return this.#stdout.columns ?? 80;
  }

  /** Whether stderr is a terminal, so that a line may be rewritten in place. */
  get noteInteractive(): boolean {
    return this.#stderr.isTTY === true && !this.json && !this.quiet;
  }

  /** Data for people on stdout; nothing with `--json`. */
  line(...lines: readonly string[]): void {
    if (!this.json) for (const text of lines) this.#stdout.write(`${text}\n`);
  }

  /** Text exactly as it is on stdout, in every mode (completion scripts, a bare token). */
  raw(text: string): void {
    this.#stdout.write(text);
  }

  /** Progress, hints and warnings on stderr; nothing with `--json` or `-q`. */
  note(...lines: readonly string[]): void {
    if (!this.json && !this.quiet) for (const text of lines) this.#stderr.write(`${text}\n`);
  }

  /** Like {@link note}, without the newline: for lines that are rewritten in place. */
  noteRaw(text: string): void {
    if (!this.json && !this.quiet) this.#stderr.write(text);
  }

  /** Particulars on stderr, only with `-v`. */
  detail(...lines: readonly string[]): void {
    if (!this.json && this.verbose) for (const text of lines) this.#stderr.write(`${text}\n`);
  }

  /** Errors on stderr; also with `-q`. */
  complain(...lines: readonly string[]): void {
    for (const text of lines) this.#stderr.write(`${text}\n`);
  }

  /** The one document of a command (or one line of a stream) in `--json` mode; nothing otherwise. */
  document(type: string, fields: object): void {
    if (this.json) this.#stdout.write(`${harmless(JSON.stringify({ v: 1, type, ...fields }))}\n`);
  }
}

// JSON escapes the controls below 0x20 only; a terminal also obeys those from 0x7f on, and the marks that turn text around.
function harmless(json: string): string {
  return json.replace(/[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (mark) => `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function isColoured(sink: TextSink, wanted: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if (!wanted || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb') return false;
  return sink.isTTY === true || (env['FORCE_COLOR'] ?? '0') !== '0';
}
