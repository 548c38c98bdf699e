/**
 * A few lines at the bottom of the terminal that are redrawn in place, with ordinary lines scrolling above them. Where
 * there is no terminal it draws nothing and lets the caller print plain lines instead.
 */
import { visibleWidth } from '#core/terminal/table.ts';

export interface LiveSink {
  write(text: string): unknown;
  readonly columns?: number | undefined;
  /** Height of the terminal; what does not fit cannot be erased again. */
  readonly rows?: number | undefined;
}

export class LiveLines {
  readonly #sink: LiveSink;
  readonly #enabled: boolean;
  #drawn = 0;
  #lines: readonly string[] = [];
  #paused = 0;

  constructor(sink: LiveSink, enabled: boolean) {
    this.#sink = sink;
    this.#enabled = enabled;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Show these lines instead of the ones before. */
  show(lines: readonly string[]): void {
    this.#lines = lines;
    if (!this.#enabled || this.#paused > 0) return;
    const width = Math.max(8, (this.#sink.columns ?? 80) - 1);
    const room = Math.max(2, (this.#sink.rows ?? 24) - 1);
    const fitting = lines.length <= room ? lines : [...lines.slice(0, room - 1), `… and ${lines.length - room + 1} more`];
    this.#sink.write(`${this.#eraser()}${fitting.map((line) => `${clip(line, width)}\n`).join('')}`);
    this.#drawn = fitting.length;
  }

  /** An ordinary line that stays, above the live ones. */
  above(text: string): void {
    if (this.#enabled && this.#paused === 0) this.#sink.write(this.#eraser());
    this.#drawn = 0;
    this.#sink.write(`${text}\n`);
    this.show(this.#lines);
  }

  /** Take the live lines away while somebody else uses the terminal. */
  async paused<Value>(act: () => Promise<Value>): Promise<Value> {
    if (this.#enabled && this.#paused === 0) this.#sink.write(this.#eraser());
    this.#drawn = 0;
    this.#paused += 1;
    try {
      return await act();
    } finally {
      this.#paused -= 1;
      this.show(this.#lines);
    }
  }

  /** Take them away for good. */
  clear(): void {
    this.show([]);
  }

  #eraser(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\u001b[0J`;
  }
}

/** Cut a line to the width of the terminal; colours are closed, since what is cut off may contain the closing code. */
function clip(line: string, width: number): string {
  if (visibleWidth(line) <= width) return line;
  let kept = '';
  let used = 0;
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    if (part.startsWith('\u001b')) kept += part;
    else
      for (const character of part) {
        const next = used + visibleWidth(character);
        if (next > width - 1) return `${kept}…\u001b[0m`;
        kept += character;
        used = next;
      }
  }
  return kept;
}
