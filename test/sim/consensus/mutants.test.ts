import { describe, expect, it } from 'vitest';
import { breakRule, MUTANTS } from './mutants.ts';

describe('the simulator sees a broken machine', () => {
  it('the bundled machine with nothing broken passes', async () => {
    const whole = await breakRule(undefined, 'mixed');
    expect(whole.run(3).violations).toEqual([]);
  });

  for (const mutant of MUTANTS) {
    it(`${mutant.rule}: ${mutant.name}`, async () => {
      const broken = await breakRule(mutant, mutant.class);
      const { violations } = broken.run(mutant.seed);
      expect(violations.map(({ checker }) => checker)).toContainEqual(expect.stringMatching(new RegExp(`^(${mutant.checkers.join('|')})$`)));
    });
  }
});
