import { expect, test } from 'vitest';
import { readCounters } from '../../../src/api/counter-reading.ts';
import type { CountedCall } from '../../../src/api/series-sampler.ts';

test('every call is read once, few of them at a time, and those without media are passed over', async () => {
  let asked = 0;
  let pending = 0;
  let most = 0;
  const call: CountedCall = {
    session: {
      media: {
        counters: async () => {
          asked += 1;
          pending += 1;
          most = Math.max(most, pending);
          await Promise.resolve();
          pending -= 1;
          return [];
        },
      },
    },
  };
  const calls = Array.from({ length: 1_001 }, (_, index) =>
    index === 7 ? { session: undefined } : call,
  );
  await readCounters(calls);
  expect(asked).toBe(1_000);
  expect(most).toBeLessThanOrEqual(50);
});
