import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { readEvidence, writeEvidence } from './evidence-store.ts';
import { DRIVER_LIMITS } from './limits.ts';

const folders: string[] = [];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'evidence-'));
  folders.push(made);
  return made;
}

afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true });
});

const name = (kind: string, number: number): string => `${kind}-${String(number).padStart(20, '0')}`;

describe('the evidence store', () => {
  test('what is kept is read back, replaced and removed by its name; foreign files are passed over', () => {
    const state = folder();
    expect(readEvidence(state)).toEqual([]);
    writeEvidence(state, name('proof', 1), Uint8Array.of(1));
    writeEvidence(state, name('contest', 2), Uint8Array.of(2));
    writeEvidence(state, name('contest', 2), Uint8Array.of(3));
    writeFileSync(join(state, 'evidence', 'notes.txt'), 'somebody was here');
    mkdirSync(join(state, 'evidence', name('proof', 9)));
    expect(readEvidence(state).map((piece) => [piece.name, piece.record[0]])).toEqual([
      [name('proof', 1), 1],
      [name('contest', 2), 3],
    ]);
    writeEvidence(state, name('contest', 2), null);
    writeEvidence(state, name('contest', 2), null);
    expect(readEvidence(state)).toHaveLength(1);
  });

  test('when it is full the oldest that convicts nobody goes first, convictions last', () => {
    const state = folder();
    mkdirSync(join(state, 'evidence'));
    const big = new Uint8Array(DRIVER_LIMITS.evidenceBytesMax / 4);
    for (const [age, kind] of ['proof', 'break', 'break', 'proof'].entries()) {
      const path = join(state, 'evidence', name(kind, age));
      writeFileSync(path, big);
      utimesSync(path, 1_000 + age, 1_000 + age);
    }
    const left = (): readonly string[] => readdirSync(join(state, 'evidence')).sort();
    writeEvidence(state, name('break', 7), Uint8Array.of(1));
    expect(left()).toEqual([name('break', 2), name('break', 7), name('proof', 0), name('proof', 3)].sort());
    writeEvidence(state, name('proof', 8), big);
    writeEvidence(state, name('proof', 9), big);
    expect(left()).toEqual([name('proof', 0), name('proof', 3), name('proof', 8), name('proof', 9)].sort());
    const bytes = left().reduce((sum, file) => sum + statSync(join(state, 'evidence', file)).size, 0);
    expect(bytes).toBeLessThanOrEqual(DRIVER_LIMITS.evidenceBytesMax);
  });
});
