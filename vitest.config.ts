/**
 * The test projects: `unit` beside the sources, `bin` against the built executables, `lan` on the virtual LAN (inside `scripts/lab-shell.ts`): most
 * files two at a time, as each has a LAN of its own and waits more than it works; `lan-alone` those that measure how fast something is, or need
 * both processors.
 */
import { defineConfig } from 'vitest/config';

const alone = ['hostile-load', 'lab/lab', 'mesh-11', 'phys-02', 'phys-04', 'start'].map((name) => `test/lan/${name}.test.ts`);
const lan = { globalSetup: ['test/lan/global-setup.ts'], testTimeout: 180_000, hookTimeout: 180_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{core,mesh,provisioner,agent,scripts,bench}/**/*.test.ts', 'test/*.test.ts', 'test/sim/**/*.test.ts'],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'bin',
          include: ['test/bin/**/*.test.ts'],
          globalSetup: ['test/bin/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: { ...lan, name: 'lan', include: ['test/lan/**/*.test.ts'], exclude: alone, maxWorkers: 2, sequence: { groupOrder: 1 } },
      },
      {
        test: { ...lan, name: 'lan-alone', include: alone, fileParallelism: false, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
