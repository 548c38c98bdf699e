import { describe, expect, it } from 'vitest';
import { createLog } from '#core/node/log-sink.ts';

function lines(env: Record<string, string>, isTerminal: boolean): string {
  let out = '';
  const log = createLog({ threshold: 'notice', env, isTerminal, now: () => 0, write: (line) => (out += line) });
  log('warning', 'the card is worn', { lifeUsedPercent: 90 });
  log('debug', 'not wanted');
  return out;
}

describe('a log', () => {
  it('gives the journal a priority and one JSON object per line', () => {
    expect(lines({ JOURNAL_STREAM: '8:1' }, false)).toBe(
      '<4>{"at":"1970-01-01T00:00:00.000Z","level":"warning","text":"the card is worn","lifeUsedPercent":90}\n',
    );
  });
  it('gives a person text', () => {
    expect(lines({}, true)).toBe('00:00:00.000 warning the card is worn lifeUsedPercent=90\n');
  });
  it('keeps a peer’s control characters from the terminal', () => {
    let out = '';
    createLog({ threshold: 'notice', env: {}, isTerminal: true, now: () => 0, write: (line) => (out += line) })('warning', 'a\u001b[2Jb\nc');
    expect(out).toBe('00:00:00.000 warning a\ufffd[2Jb\ufffdc\n');
  });
  it('gives a file plain JSON lines', () => {
    expect(JSON.parse(lines({}, false))).toMatchObject({ level: 'warning' });
  });
});
