import { describe, expect, it } from 'vitest';
import { visibleWidth } from '#core/terminal/table.ts';
import { LiveLines } from './live-lines.ts';

const escape = '\u001b';

function terminal(columns: number, rows: number) {
  let written = '';
  const sink = { write: (text: string) => (written += text), columns, rows };
  const take = (): string => {
    const text = written;
    written = '';
    return text;
  };
  return { sink, take };
}

describe('lines redrawn in place', () => {
  it.each([
    [20, 24],
    [10, 5],
    [1, 1],
    [200, 3],
  ])('never draw more than a terminal of %i columns and %i rows can take back', (columns, rows) => {
    const { sink, take } = terminal(columns, rows);
    const live = new LiveLines(sink, true);
    live.show(Array.from({ length: 40 }, (_each, index) => `host-${index}  sending ████████████░░░░░░░░ 12 MiB of 39 MiB`));
    const drawn = take().split('\n').slice(0, -1);
    // A terminal narrower than any text is given up on, but not drawn over more rows than it has.
    expect(drawn.length).toBeLessThanOrEqual(Math.max(2, rows - 1));
    expect(drawn.length).toBeGreaterThan(0);
    for (const line of drawn) expect(visibleWidth(line)).toBeLessThanOrEqual(Math.max(8, columns - 1));
    live.show(['done']);
    expect(take()).toBe(`${escape}[${drawn.length}A${escape}[0Jdone\n`);
  });

  it('says how many do not fit', () => {
    const { sink, take } = terminal(80, 4);
    new LiveLines(sink, true).show(['a', 'b', 'c', 'd', 'e']);
    expect(take()).toBe('a\nb\n… and 3 more\n');
  });

  it('without a terminal draws nothing and lets ordinary lines through', () => {
    const { sink, take } = terminal(80, 24);
    const live = new LiveLines(sink, false);
    live.show(['a']);
    live.above('a line');
    live.clear();
    expect(take()).toBe('a line\n');
  });
});
