import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AfterMark, beginMark, remoteLine } from './remote-line.ts';

describe('the line that SSH carries', () => {
  it('arrives as exactly the arguments given, whatever they contain, in every shell of this machine', { timeout: 180_000 }, () => {
    const word = fc.oneof(
      fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
      fc.constantFrom('', '$(reboot)', '`id`', "it's", '"', '\\', '\\n', "\\'", '\n', '-n', '*', '~root', '; rm -rf /', '!!', '%s', '\t x', 'ä ö'),
    );
    const shells = ['/bin/sh', '/bin/bash', '/bin/dash'];
    let seen = 0;
    fc.assert(
      fc.property(fc.array(word, { minLength: 1, maxLength: 5 }), fc.constantFrom(...shells), (words, shell) => {
        // Lone surrogates cannot be passed to any process; they become U+FFFD on the way.
        const clean = words.map((text) => Buffer.from(text, 'utf8').toString('utf8'));
        const out = execFileSync(shell, ['-c', remoteLine(['printf', '%s\\0', ...clean])]).toString('utf8');
        seen += 1;
        expect(out).toBe(`${beginMark}\n${clean.map((text) => `${text}\0`).join('')}`);
      }),
      { numRuns: 60 },
    );
    expect(seen).toBeGreaterThan(0);
  });

  it('holds nothing that fish, csh or zsh would read differently from sh, even for a script of many lines', () => {
    const line = remoteLine(['sh', '-c', `for x in "$@"; do\n  printf '%s\\n' "!$x" \\\n done`, 'x', 'a"b']);
    expect(line).not.toMatch(/[!\n]/);
    // A backslash stands only in front of 0 and three digits: fish changes \\ and \' between quotes, csh a backslash at the end of a line.
    expect(line.replaceAll(/\\0[0-7]{3}/g, '')).not.toContain('\\');
  });
});

describe('what comes back over SSH', () => {
  it('is the command’s output from the mark on, however it is cut into pieces; the login’s noise is kept apart', () => {
    let withNoise = 0;
    fc.assert(
      fc.property(
        fc.string({ maxLength: 60 }),
        fc.string({ maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1 }),
        (noise, output, cuts) => {
          const bytes = Buffer.from(`${noise}${beginMark}\n${output}`);
          const got: Buffer[] = [];
          const answer = new AfterMark((chunk) => got.push(chunk));
          for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
            const size = cuts[turn % cuts.length] ?? 1;
            answer.add(bytes.subarray(at, at + size));
            at += size;
          }
          if (noise !== '') withNoise += 1;
          expect(answer.begun).toBe(true);
          expect(Buffer.concat(got).toString()).toBe(Buffer.from(output).toString());
          expect(answer.noise).toBe(Buffer.from(noise).toString().trim());
        },
      ),
    );
    expect(withNoise).toBeGreaterThan(10);
  });

  it('a login that prints for ever and starts nothing fills no memory', () => {
    const answer = new AfterMark(() => expect.unreachable());
    for (let turn = 0; turn < 1_000; turn += 1) answer.add(Buffer.alloc(1_000, 'x'));
    expect(answer.begun).toBe(false);
    expect(answer.noise.length).toBeLessThan(500);
  });
});
