import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteArgv, quoteWord } from './quoting.ts';

describe('quoting', () => {
  it('a real shell splits a quoted line into exactly the arguments given', () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
      fc.constantFrom('', '$(reboot)', '`id`', "it's", '"', '\\', '\n', '-n', '*', '~root', '; rm -rf /', '!!', '\t x', 'ä ö'),
    );
    let seen = 0;
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), (words) => {
        // Lone surrogates cannot be passed to any process; they become U+FFFD on the way.
        const clean = words.map((text) => Buffer.from(text, 'utf8').toString('utf8'));
        const out = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${clean.map(quoteWord).join(' ')}`]).toString('utf8');
        seen += 1;
        expect(out.split('\0').slice(0, -1)).toEqual(clean);
      }),
      { numRuns: 60 },
    );
    expect(seen).toBeGreaterThan(0);
  });

  it('leaves harmless words readable and quotes everything else', () => {
    expect(quoteArgv(['ls', '-l', '/tmp/a b', "it's"])).toBe("ls -l '/tmp/a b' 'it'\\''s'");
  });
});
