/**
 * What an idle node writes to its card in a day: a founder with linked members in virtual time, on the driver's own disk
 * layer; and what the same appends cost the block device on a real file system, where the kernel counts it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeCrypto } from '#core/node/crypto.ts';
import { HOUR } from '#core/time/time.ts';
import { freshFolder, IDLE_BUDGET, measureIdleWrites } from '#test/kit/idle-writes.ts';

/** One mesh size. */
export interface StorageRow {
  readonly peers: number;
  readonly bytesPerDay: number;
  readonly confirmationsPerDay: number;
  /** What `/proc/self/io` counts as written to the block layer, file system metadata included in part. */
  readonly deviceBytesPerDay: number;
  readonly budgetBytesPerDay: number;
}

/** Measure one idle hour for each number of peers. */
export function runStorage(options: { readonly peers: readonly number[]; readonly say: (line: string) => void }): readonly StorageRow[] {
  const parent = mkdtempSync(join(tmpdir(), 'robonet-bench-storage-'));
  try {
    return options.peers.map((peers) => {
      options.say(`an idle hour with ${peers} peers, in virtual time`);
      let before = 0;
      const idle = measureIdleWrites(createNodeCrypto(), freshFolder(parent, `with-${peers}`), peers, HOUR, () => (before = deviceBytes()));
      return {
        peers,
        bytesPerDay: idle.bytes * 24,
        confirmationsPerDay: idle.confirmations * 24,
        deviceBytesPerDay: (deviceBytes() - before) * 24,
        budgetBytesPerDay: (IDLE_BUDGET.bytesPerHour + peers * IDLE_BUDGET.bytesPerHourAndPeer) * 24,
      };
    });
  } finally {
    rmSync(parent, { recursive: true, force: true });
  }
}

function deviceBytes(): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync('/proc/self/io', 'latin1'))?.[1] ?? 0);
}
