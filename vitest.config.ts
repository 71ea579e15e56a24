import { defineConfig } from 'vitest/config';

/** `expect.poll` gives up after so long: a bound for the case that it never comes, not a claim about speed. */
const poll = { timeout: 20_000 };

export default defineConfig({
  test: {
    // Calls on real sockets wait more than they compute: more files at a time than there are cores.
    maxWorkers: 4,
    projects: [
      {
        // Pure code keeps nothing between files: one module graph per worker instead of one per file.
        test: {
          name: 'unit',
          expect: { poll },
          include: ['test/unit/**/*.test.ts'],
          pool: 'threads',
          isolate: false,
          // Bounds on waiting only: some tests start a process or a thread, which a busy machine delays.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'scenario',
          expect: { poll },
          include: ['test/scenario/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'peers',
          expect: { poll },
          include: ['test/peers/**/*.test.ts'],
          pool: 'forks',
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
    coverage: {
      provider: 'v8',
      include: ['src/wire/**/*.ts', 'src/dtmf/**/*.ts'],
      thresholds: { lines: 100, branches: 100 },
    },
  },
});
