import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { HOUR } from '#core/time/time.ts';
import { freshFolder, IDLE_BUDGET, measureIdleWrites } from '#test/kit/idle-writes.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'robonet-idle-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('P-15: an idle hour stays inside the budget of writes and confirmations, per peer and altogether', () => {
  for (const peers of [1, 3]) {
    const idle = measureIdleWrites(createNodeCrypto(), freshFolder(folder, `with-${peers}`), peers, HOUR);
    expect(idle.bytes).toBeLessThanOrEqual(IDLE_BUDGET.bytesPerHour + peers * IDLE_BUDGET.bytesPerHourAndPeer);
    expect(idle.confirmations).toBeLessThanOrEqual(IDLE_BUDGET.confirmationsPerHour);
    // It does write: positions, trust and statements of an hour are not lost with the power.
    expect([...idle.bytesByFile.keys()]).toEqual(expect.arrayContaining(['peers.journal', 'statements.journal']));
    expect(idle.confirmations).toBeGreaterThan(6);
  }
}, 60_000);
