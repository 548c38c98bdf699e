import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lockState } from './state-lock.ts';

const folders: string[] = [];

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'robonet-lock-'));
  folders.push(path);
  return path;
}

/** What a held lock says. */
function ownLock(): string {
  const path = folder();
  const lock = lockState(path);
  const text = readFileSync(join(path, 'lock'), 'utf8');
  lock.release();
  return text;
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

describe('the lock of a state folder', () => {
  it('is held by one, and free again afterwards', () => {
    const path = folder();
    const lock = lockState(path);
    expect(() => lockState(path)).toThrow(/in use/);
    lock.release();
    lockState(path).release();
    expect(readdirSync(path)).toEqual([]);
  });

  it('left behind by a power cut does not hold: a dead process, a reused number, an earlier boot, an empty file', () => {
    for (const stale of ['4194303 17', `${process.pid} 1`, `${ownLock().slice(0, -1)}x`, '\0'.repeat(40), '', 'nonsense']) {
      const path = folder();
      writeFileSync(join(path, 'lock'), stale);
      const lock = lockState(path);
      expect(readFileSync(join(path, 'lock'), 'utf8')).toMatch(new RegExp(`^${process.pid} \\d+ [0-9a-f-]{36}$`));
      expect(readdirSync(path)).toEqual(['lock']);
      lock.release();
    }
  });

  it('that somebody else has taken meanwhile is not released by us', () => {
    const path = folder();
    const lock = lockState(path);
    writeFileSync(join(path, 'lock'), '1 1');
    lock.release();
    expect(readdirSync(path)).toEqual(['lock']);
  });
});
