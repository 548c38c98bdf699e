/**
 * Power cuts: the writes of whole lives are recorded, and the real driver is started on every state that a disk may be in
 * afterwards. `ROBONET_POWER_CUT=long` cuts at every operation and rolls the dice more often (minutes).
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Recording } from '#test/power-cut/recording.ts';
import { type Effort, replay, type Report } from '#test/power-cut/replay.ts';
import { recordCompaction, recordDiary, recordLives, recordRotations } from '#test/power-cut/workloads.ts';

const isLong = process.env['ROBONET_POWER_CUT'] === 'long';
const effort: Effort = {
  stride: isLong ? 1 : 2,
  dice: Number(process.env['ROBONET_POWER_CUT_DICE'] ?? (isLong ? 24 : 1)),
  seed: process.env['ROBONET_POWER_CUT_SEED'] ?? 'power',
};
const TIME_LIMIT_MS = isLong ? 3_600_000 : 120_000;

let folder = '';
let recordings: readonly Recording[] = [];

beforeAll(async () => {
  // In memory where there is room: the states are thousands, and their fsyncs need no disk.
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'robonet-power-'));
  recordings = [...(await recordLives(folder)), await recordDiary(folder), recordCompaction(folder), await recordRotations(folder)];
}, 60_000);
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function run(name: string, more: Partial<Effort> = {}): Promise<Report> {
  const recording = recordings.find((candidate) => candidate.name === name)!;
  const report = await replay(recording, { ...effort, ...more });
  if (isLong)
    console.log(
      `${name}: ${report.operations} operations, ${report.cuts} cuts, ${report.states} states; ${[...report.torn].map(([file, times]) => `${file} ${times}`).join(', ')}`,
    );
  expect(report.failures).toEqual([]);
  return report;
}

const torn = (report: Report): readonly string[] => [...report.torn.keys()];

describe('a power cut at any point', () => {
  test.each(['founder', 'device'])(
    'P-1, P-2, P-3, P-13: of the life of a %s: it starts again as itself, twice, with everything it had promised',
    async (name) => {
      const report = await run(name);
      expect(report.states).toBeGreaterThan(60);
      // The cuts did cut: what had been written was not there, or only in part.
      for (const file of ['identity', 'incarnation', 'statements', 'events']) expect(torn(report).some((name) => name.startsWith(file))).toBe(true);
      expect(torn(report).length).toBeGreaterThan(8);
    },
    TIME_LIMIT_MS,
  );

  test(
    'H-61, H-64, P-1: of a device that is rotated: the identity before or after, never one that others do not know or a key that is away',
    async () => {
      const { disk, pledges } = recordings.find(({ name }) => name === 'rotations')!;
      expect(pledges.filter(({ pledge }) => pledge.kind === 'rotation').map(({ pledge }) => pledge)).toMatchObject([{ number: 1 }, { number: 2 }]);
      const away = pledges.find(({ pledge }) => pledge.kind === 'key-away')!.at;
      expect(away).toBeLessThan(disk.operations.length);
      // From the file that loses the key on.
      const report = await run('rotations', { from: away - 12, stride: 1 });
      expect(torn(report)).toEqual(expect.arrayContaining(['identity', 'identity.new']));
      expect(report.states).toBeGreaterThan(100);
    },
    TIME_LIMIT_MS,
  );

  test(
    'P-6: while the diary is rotated: the node starts, the diary lacks at most its end',
    async () => {
      const report = await run('diary', { stride: isLong ? 1 : 9 });
      expect(torn(report)).toContain('events.jsonl');
    },
    TIME_LIMIT_MS,
  );

  test(
    'P-4: while the peers’ journal is rewritten: each peer has its newest record, whole',
    async () => {
      const { operations } = recordings.find(({ name }) => name === 'compaction')!.disk;
      const rewrite = operations.findIndex((operation) => operation.kind === 'rename');
      expect(rewrite).toBeGreaterThan(0);
      await run('compaction', { from: rewrite - 6, stride: 1 });
    },
    TIME_LIMIT_MS,
  );
});
