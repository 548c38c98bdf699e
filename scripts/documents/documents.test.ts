import { describe, expect, test } from 'vitest';
import { errorsPage } from '#scripts/documents/errors-page.ts';
import { limitsOf, withLimitsTable } from '#scripts/documents/limits-table.ts';

describe('the errors page', () => {
  test('has a heading, the effect and the next step of every fault', () => {
    const page = errorsPage({
      'RN-TEST-001': { title: 'the disk is full', why: 'Why.', effect: 'Nothing was written.', next: 'Make room.', retry: 'later', exit: 75 },
    });
    expect(page).toContain('### RN-TEST-001: the disk is full');
    expect(page).toContain('**Effect:** Nothing was written.');
    expect(page).toContain('**Next:** Make room.');
    expect(page).toContain('`TOKEN_EXPIRED`');
    expect(page).toContain('| 69 |');
  });
});

describe('the table of limits', () => {
  const source = [
    '/** Header. */',
    '/** Frames in flight;',
    ' *  above it the peer waits. */',
    'export const framesMax = 1_024;',
    '/** All the rest. */',
    'export const REST = {',
    '  /** Links. */',
    '  linksMax: 8,',
    '  linksMin: 2,',
    '} as const;',
    '',
    'export const silent = 3;',
  ].join('\n');
  const limits = limitsOf(new Map([['mesh/wire/limits.ts', source]]));

  test('names every constant and every field of a group, with value and meaning', () => {
    expect(limits.map(({ name, value, meaning }) => [name, value, meaning])).toEqual([
      ['framesMax', '1_024', 'Frames in flight; above it the peer waits.'],
      ['REST', 'the group below', 'All the rest.'],
      ['REST.linksMax', '8', 'Links.'],
      ['REST.linksMin', '2', 'with the one above'],
      ['silent', '3', ''],
    ]);
  });

  test('replaces what is between the marks and nothing else', () => {
    const page = withLimitsTable('# Limits\n<!-- limits -->\nold\n<!-- /limits -->\nafter\n', limits);
    expect(page).toContain('| `framesMax` | 1_024 | Frames in flight; above it the peer waits. |');
    expect(page).not.toContain('old');
    expect(page).toMatch(/^# Limits\n[\s\S]*\nafter\n$/);
  });

  test('a page without marks is left alone, with an error', () => {
    expect(() => withLimitsTable('# Limits\n', limits)).toThrow('lacks the marks');
  });
});
