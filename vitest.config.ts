import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], pool: 'threads' } },
      {
        test: {
          name: 'scenario',
          include: ['test/scenario/**/*.test.ts'],
          pool: 'forks',
          // Real sockets wait more than they compute: two at a time also where there are two cores.
          maxWorkers: 2,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/wire/**', 'src/dtmf/**'],
      thresholds: { lines: 100, branches: 100 },
    },
  },
});
