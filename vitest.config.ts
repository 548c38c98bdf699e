import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['{core,mesh,provisioner,agent,scripts}/**/*.test.ts', 'test/*.test.ts'] } },
      { test: { name: 'lan', include: ['test/lan/**/*.test.ts'], fileParallelism: false, testTimeout: 180_000, hookTimeout: 180_000 } },
      { test: { name: 'bin', include: ['test/bin/**/*.test.ts'], fileParallelism: false, testTimeout: 120_000, hookTimeout: 300_000 } },
    ],
  },
});
