/** Whatever code a source gives to an event or a problem, `robonet explain` knows it. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { isRefusalCode } from '#mesh/wire/refusal.ts';
import { isTest, readTree } from '#scripts/tidy/source-tree.ts';
import { eventCodes } from './event-codes.ts';

const sources = [...readTree(resolve(import.meta.dirname, '../..'))].filter(([path]) => /^(mesh|agent)\/.*\.ts$/.test(path) && !isTest(path));

/** Codes in calls that record an event or name a problem. */
const USES = /(?:\b(?:event|incident|problem)\(\s*|#event\(\s*|\.record\(\{\s*code: )'([A-Z][A-Z_]+)'/g;

test('every code of an event or a problem is explained', () => {
  const used = new Set(sources.flatMap(([, text]) => [...text.matchAll(USES)].map((match) => match[1]!)));
  expect(used.size).toBeGreaterThan(30);
  expect([...used].filter((code) => !eventCodes.has(code) && !isRefusalCode(code))).toEqual([]);
});
