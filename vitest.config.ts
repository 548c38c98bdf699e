/**
 * The test projects: `unit` beside the sources, `bin` against the built executables, `lan` on the virtual LAN (inside `scripts/lab-shell.ts`).
 */
import { defineConfig } from 'vitest/config';

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
        test: {
          name: 'lan',
          include: ['test/lan/**/*.test.ts'],
          globalSetup: ['test/lan/global-setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
