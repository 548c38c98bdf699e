/**
 * Damaged state: every file of a member's and of a founder's folder cut short, flipped, zeroed, missing, replaced. The real
 * driver is started on each. `ROBONET_POWER_CUT=long` tries every length and every bit of the small files (minutes).
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cutAt, type Damage, flipBit, type Folder, judgeDamage, missing, readFolder, replacedBy, zeroBlock } from '#test/power-cut/damage.ts';
import { type Owed, owedAfter } from '#test/power-cut/judge.ts';
import { recordLives } from '#test/power-cut/workloads.ts';

const isLong = process.env['ROBONET_POWER_CUT'] === 'long';
const TIME_LIMIT_MS = isLong ? 3_600_000 : 120_000;
/** Of these every bit is tried in the long form; of the others a sample. */
const SMALL_BYTES_MAX = 2_048;

let folder = '';
let foreign = '';
const lives = new Map<string, { readonly folder: string; readonly sound: Folder; readonly owed: Owed }>();

beforeAll(async () => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'robonet-damage-'));
  foreign = join(folder, 'precious');
  writeFileSync(foreign, 'precious');
  for (const recording of await recordLives(folder)) {
    const owed = owedAfter(recording.pledges.map(({ pledge }) => pledge));
    lives.set(recording.name, { folder: recording.folder, sound: readFolder(recording.folder), owed });
  }
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** `count` numbers from 0 to `end`, spread evenly; all of them in the long form of a small file. */
function spread(end: number, count: number, isSmall: boolean): readonly number[] {
  if (isLong && isSmall) return Array.from({ length: end }, (_, index) => index);
  return [...new Set(Array.from({ length: Math.min(end, count) }, (_, index) => Math.floor((index * end) / Math.min(end, count))))];
}

const KINDS: Readonly<Record<string, (file: string, bytes: Uint8Array) => readonly Damage[]>> = {
  'cut at any length': (file, bytes) => spread(bytes.length, 6, bytes.length <= SMALL_BYTES_MAX * 4).map((length) => cutAt(file, length)),
  'with any bit flipped': (file, bytes) => spread(bytes.length * 8, 16, bytes.length <= SMALL_BYTES_MAX).map((bit) => flipBit(file, bit)),
  'with zeros in it': (file, bytes) => [zeroBlock(file, 0, 512), zeroBlock(file, Math.floor(bytes.length / 2), 512), zeroBlock(file, 0, bytes.length)],
  missing: (file) => [missing(file)],
  'replaced by something else': (file) =>
    (['a folder', 'a link to nowhere', 'a link to a foreign file'] as const).map((what) => replacedBy(file, what, foreign)),
};

describe.each(['founder', 'device'])('the folder of a %s', (name) => {
  test.each(Object.keys(KINDS))(
    'P-7, P-8: a file %s: the node starts as itself, or says what is gone, or refuses with a code; it never repeats an incarnation',
    async (kind) => {
      const life = lives.get(name)!;
      const failures: string[] = [];
      const outcomes = new Map<string, number>();
      for (const [file, bytes] of life.sound) {
        for (const damage of KINDS[kind]!(file, bytes)) {
          const { outcome, code, wrong } = await judgeDamage(life.folder, life.sound, damage, life.owed);
          const key = `${file}: ${outcome}${code === null ? '' : ` (${code})`}`;
          outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
          for (const what of wrong) failures.push(`${file} ${damage.what}: ${what}`);
        }
      }
      if (isLong) console.log(`${name}, ${kind}: ${[...outcomes].map(([key, times]) => `${key} ${times}`).join('; ')}`);
      expect(failures.slice(0, 40)).toEqual([]);
      expect(outcomes.size).toBeGreaterThan(5);
      expect(readFileSync(foreign, 'utf8')).toBe('precious');
    },
    TIME_LIMIT_MS,
  );
});
