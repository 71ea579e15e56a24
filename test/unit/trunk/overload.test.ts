import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OverloadConfig } from '../../../src/config/config.ts';
import { CALM, nextOverload, type OverloadState } from '../../../src/trunk/overload.ts';

const CONFIG: OverloadConfig = {
  lag: { highMs: 200, lowMs: 100 },
  cpu: { highPercent: 90, lowPercent: 70 },
  holdMs: 1000,
};

/** One sample every 500 ms. */
function run(samples: readonly (readonly [lagMs: number, cpu: number])[], config = CONFIG) {
  let state: OverloadState = CALM;
  const line = samples.map(([lagMs, cpuPercent], index) => {
    state = nextOverload(state, { lagMs, cpuPercent }, config, index * 500);
    return state.type === 'calm' ? '.' : state.reason === 'cpu' ? 'C' : 'L';
  });
  return line.join('');
}

const CALM_SAMPLE = [10, 20] as const;
const LAG = [300, 20] as const;
const CPU = [10, 95] as const;
const BETWEEN = [150, 80] as const;

test.each([
  ['nothing happens', [CALM_SAMPLE, CALM_SAMPLE, CALM_SAMPLE], '...'],
  ['one peak is none', [LAG, CALM_SAMPLE, LAG, CALM_SAMPLE], '....'],
  ['two samples are too short', [LAG, LAG, CALM_SAMPLE], '...'],
  ['lag for a second', [LAG, LAG, LAG, LAG], '..LL'],
  ['CPU for a second', [CPU, CPU, CPU], '..C'],
  ['one and then the other', [LAG, CPU, CPU], '..C'],
  ['at the threshold', [[200, 0] as const, [200, 0] as const, [200, 0] as const], '..L'],
  ['between the thresholds nothing begins', [BETWEEN, BETWEEN, BETWEEN, BETWEEN], '....'],
  ['and nothing ends', [LAG, LAG, LAG, BETWEEN, BETWEEN, BETWEEN, BETWEEN], '..LLLLL'],
  ['low for a second', [LAG, LAG, LAG, CALM_SAMPLE, CALM_SAMPLE, CALM_SAMPLE], '..LLL.'],
  [
    'low in a row only',
    [LAG, LAG, LAG, CALM_SAMPLE, CALM_SAMPLE, BETWEEN, CALM_SAMPLE, CALM_SAMPLE, CALM_SAMPLE],
    '..LLLLLL.',
  ],
  [
    'both must be low',
    [LAG, LAG, LAG, [10, 75] as const, [10, 75] as const, [10, 75] as const],
    '..LLLL',
  ],
])('%s', (_, samples, expected) => {
  expect(run(samples)).toBe(expected);
});

test('a measure whose threshold is 0 counts for nothing', () => {
  const off = { ...CONFIG, lag: { highMs: 0, lowMs: 0 } };
  expect(run([LAG, LAG, LAG, LAG], off)).toBe('....');
  expect(run([CPU, CPU, CPU, LAG, LAG, LAG], off)).toBe('..CCC.');
});

test('without hold each sample decides', () => {
  expect(run([LAG, CALM_SAMPLE, CPU, CALM_SAMPLE], { ...CONFIG, holdMs: 0 })).toBe('L.C.');
});

test('it never changes twice within the hold time', () => {
  const sample = fc.record({ lagMs: fc.nat(400), cpuPercent: fc.nat(100) });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 100 }), (samples) => {
      let state: OverloadState = CALM;
      let changedMs = Number.NEGATIVE_INFINITY;
      for (const [index, next] of samples.entries()) {
        const nowMs = index * 300;
        const before = state.type;
        state = nextOverload(state, next, CONFIG, nowMs);
        if (state.type === before) continue;
        expect(nowMs - changedMs).toBeGreaterThanOrEqual(CONFIG.holdMs);
        changedMs = nowMs;
      }
    }),
  );
});
