/** Every profile file is valid, embedded, and chosen by exactly its own board's facts. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { openFacts } from '../facts/facts-root.ts';
import { readHardware } from '../hardware.ts';
import { fixturesDirectory } from '../stage-facts.ts';
import { embeddedModule } from './embed-profiles.ts';
import { profiles } from './embedded.ts';
import { identifyProfile, matchingProfiles } from './identify-profile.ts';
import { profileSchema } from './profile-schema.ts';

const folder = fileURLToPath(new URL('../../../hw-profiles/', import.meta.url));
const schemaFile = `${folder}profile.schema.json`;
const embeddedFile = fileURLToPath(new URL('./embedded.ts', import.meta.url));
const rewrite = process.env['REWRITE'] === '1';

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json') && name !== 'profile.schema.json')
  .map((name) => name.slice(0, -'.json'.length))
  .sort();

test('the folder holds the twelve profiles the product promises, or more', () => {
  const promised = ['3b', '3b-plus', '4b', '400', 'cm4', '5', 'cm5', 'zero-2-w'].map((board) => `raspberry-pi-${board}`);
  for (const id of [...promised, 'generic-arm64-sbc', 'generic-x86-64-mini-pc', 'virtual-machine', 'container']) expect(names).toContain(id);
});

test.each(names)('hw-profiles/%s.json follows the schema and is named after its id', (name) => {
  const profile = profileSchema.parse(JSON.parse(readFileSync(`${folder}${name}.json`, 'utf8')));
  expect(profile.id).toBe(name);
  expect(profile.limits.criticalCelsius).toBeGreaterThan(profile.limits.hotCelsius);
});

test('the schema refuses a profile with an unknown field, and a rule that matches everything', () => {
  const good: Record<string, unknown> = JSON.parse(readFileSync(`${folder}container.json`, 'utf8'));
  expect(profileSchema.safeParse(good).success).toBe(true);
  expect(profileSchema.safeParse({ ...good, colour: 'green' }).success).toBe(false);
  expect(profileSchema.safeParse({ ...good, match: [{}] }).success).toBe(false);
});

test('the embedded module holds every file (REWRITE=1 renews it)', () => {
  if (rewrite) writeFileSync(embeddedFile, embeddedModule(names));
  expect(readFileSync(embeddedFile, 'utf8')).toBe(embeddedModule(names));
  expect(profiles).toHaveLength(names.length);
});

test('the JSON schema for editors is the schema of the code (REWRITE=1 renews it)', () => {
  const text = `${JSON.stringify(z.toJSONSchema(profileSchema, { io: 'input' }), null, 2)}\n`;
  if (rewrite) writeFileSync(schemaFile, text);
  expect(JSON.parse(readFileSync(schemaFile, 'utf8'))).toEqual(JSON.parse(text));
});

test('every profile has a staged machine and the other way round', () => {
  expect(readdirSync(fixturesDirectory).sort()).toEqual(names);
});

test.each(names)('the facts of %s choose exactly that profile', (name) => {
  const record = readHardware(openFacts(`${fixturesDirectory}${name}`));
  const { profile, known } = identifyProfile(record);
  expect(profile.id).toBe(name);
  expect(known).toBe(!profile.generic);
  const [best, next] = matchingProfiles(record);
  expect(next === undefined || (best !== undefined && next.rank < best.rank)).toBe(true);
  expect(profile.arch).toContain(record.arch);
  const mebibytes = record.memoryBytes / 1024 ** 2;
  if (profile.memoryMebibytes.length > 0) expect(profile.memoryMebibytes.some((size) => mebibytes <= size && mebibytes > size * 0.8)).toBe(true);
});

test('unknown hardware gets the generic profile and says so', () => {
  const record = readHardware(openFacts(`${fixturesDirectory}generic-arm64-sbc`));
  const { profile, known, reason } = identifyProfile(record);
  expect(profile.id).toBe('generic-arm64-sbc');
  expect(known).toBe(false);
  expect(reason).toContain('"Xunlong Orange Pi 5"');
  expect(reason).toContain('generic');
});

test('a container on a known board is a container', () => {
  const board = readHardware(openFacts(`${fixturesDirectory}raspberry-pi-4b`));
  expect(identifyProfile({ ...board, virtualisation: 'container', virtualiser: 'docker' }).profile.id).toBe('container');
});

test('a machine without a single fact still gets a profile', () => {
  const empty = readHardware(openFacts('/nonexistent'));
  expect(identifyProfile(empty)).toMatchObject({ known: false });
});
