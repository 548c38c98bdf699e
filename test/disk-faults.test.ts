/**
 * A disk that is full, dying or read-only at any one call of a founder's life: the node ends with a code and says nothing
 * more, and the next start on a sound disk has everything that was promised.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isFault } from '#core/errors/fault.ts';
import { createMeshNode } from '#mesh/driver/create-mesh-node.ts';
import { CrashStates } from '#test/power-cut/crash-states.ts';
import { type DiskFault, FaultyDisk } from '#test/power-cut/faulty-disk.ts';
import { judgeRestart, materialise, owedAfter } from '#test/power-cut/judge.ts';
import { Recording } from '#test/power-cut/recording.ts';
import { nodeOptions } from '#test/power-cut/workloads.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'robonet-faults-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Life {
  readonly recording: Recording;
  readonly disk: FaultyDisk;
  /** Code of the fault that ended it; null where it lived to its orderly end. */
  readonly ended: string | null;
}

/** Start, found, invite twice, stop; on a disk with one fault in it. */
async function live(name: string, fault: DiskFault): Promise<Life> {
  const recording = new Recording(name, join(folder, name));
  const disk = new FaultyDisk(recording.disk.calls, fault);
  const fatal: unknown[] = [];
  const node = createMeshNode(nodeOptions(recording.folder, { disk: disk.calls, crypto: recording.crypto, fatal: (error) => fatal.push(error) }));
  const codeOf = (error: unknown): string => {
    if (!isFault(error)) throw error;
    return error.code;
  };
  let ended: string | null = null;
  try {
    await node.start();
    recording.pledge({ kind: 'identity', aid: node.status().self.aid });
    await node.found({ name: 'attic', admission: 'approve', trustProfile: 'lab' });
    recording.pledge({ kind: 'member', mesh: 'attic' });
    for (let round = 0; round < 2; round += 1) {
      await node.invite({ role: 'member', uses: 1, expiresInMs: 3_600_000, label: null });
      recording.pledge({ kind: 'committed', index: node.status().mesh!.commitIndex });
    }
    await node.stop();
  } catch (error) {
    ended = codeOf(error);
    await node.stop().catch((reason: unknown) => codeOf(reason));
  }
  if (ended === null && fatal.length > 0) ended = codeOf(fatal[0]);
  return { recording, disk, ended };
}

const CODES: Readonly<Record<DiskFault['code'], readonly string[]>> = {
  ENOSPC: ['RN-MESH-106'],
  EIO: ['RN-MESH-102', 'RN-MESH-105', 'RN-MESH-001'],
  EROFS: ['RN-MESH-102', 'RN-MESH-105'],
  EACCES: ['RN-MESH-102', 'RN-MESH-105'],
};

describe('a disk that fails', () => {
  test.each([
    ['full at any write', { call: 'writeSync', code: 'ENOSPC' }],
    ['full in the middle of any write', { call: 'writeSync', code: 'ENOSPC', half: true }],
    ['unable to confirm a file', { call: 'fsyncSync', code: 'EIO' }],
    ['unable to confirm a journal', { call: 'fdatasyncSync', code: 'EIO' }],
    ['unable to rename', { call: 'renameSync', code: 'EIO' }],
    ['read-only at any opening', { call: 'openSync', code: 'EROFS' }],
    ['closed to us at any opening', { call: 'openSync', code: 'EACCES' }],
  ] as const)(
    'P-14: %s: the node ends with a code, tries nothing again, and has kept its promises at the next start',
    async (name, fault) => {
      const failures: string[] = [];
      let happened = 0;
      for (let nth = 1; nth < 200; nth += 1) {
        const { recording, disk, ended } = await live(`${fault.call}-${fault.code}-${name.length}-${nth}`, { ...fault, nth });
        if (!disk.happened) break;
        happened += 1;
        const at = `${fault.call} ${nth}`;
        if (ended === null || !CODES[fault.code].includes(ended)) failures.push(`${at}: ended with ${ended ?? 'no fault'}`);
        for (const call of disk.after) failures.push(`${at}: afterwards ${call}`);
        const states = new CrashStates();
        for (const operation of recording.disk.operations) states.advance(operation);
        // What could not be confirmed may be there, or not.
        for (const weather of ['all', 'none'] as const) {
          materialise(states.at(weather), recording.folder);
          for (const what of await judgeRestart(recording.folder, owedAfter(recording.pledges.map(({ pledge }) => pledge))))
            failures.push(`${at}, what was unconfirmed: ${weather}: ${what}`);
        }
        rmSync(recording.folder, { recursive: true, force: true });
      }
      expect(failures.slice(0, 20)).toEqual([]);
      expect(happened).toBeGreaterThan(4);
    },
    60_000,
  );
});
