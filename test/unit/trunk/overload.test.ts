import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { OverloadConfig } from '../../../src/config/config.ts';
import {
  CALM,
  type LoadSample,
  nextOverload,
  type OverloadState,
} from '../../../src/trunk/overload.ts';

const CONFIG: OverloadConfig = {
  lag: { highMs: 200, lowMs: 100 },
  cpu: { highPercent: 90, lowPercent: 70 },
  holdMs: 1000,
};

const IDLE = { takenPerSecond: 0, refused: 0 };

/** One sample every 500 ms. */
function run(samples: readonly (readonly [lagMs: number, cpu: number])[], config = CONFIG) {
  let state: OverloadState = CALM;
  const line = samples.map(([lagMs, cpuPercent], index) => {
    state = nextOverload(state, { lagMs, cpuPercent, ...IDLE }, config, index * 500);
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
        state = nextOverload(state, { ...next, ...IDLE }, CONFIG, nowMs);
        if (state.type === before) continue;
        expect(nowMs - changedMs).toBeGreaterThanOrEqual(CONFIG.holdMs);
        changedMs = nowMs;
      }
    }),
  );
});

/** Takes a pace of 100/s as the guard begins, then one sample every 500 ms. */
function paces(samples: readonly Partial<LoadSample>[]): readonly (number | undefined)[] {
  const calm = { lagMs: 10, cpuPercent: 20, ...IDLE };
  const high = { ...calm, lagMs: 300, takenPerSecond: 100 };
  let state = nextOverload(CALM, high, CONFIG, 0);
  state = nextOverload(state, high, CONFIG, 1000);
  const line = [state];
  for (const [index, sample] of samples.entries()) {
    state = nextOverload(state, { ...calm, ...sample }, CONFIG, 1500 + index * 500);
    line.push(state);
  }
  return line.map((each) =>
    each.type === 'calm' ? undefined : Math.round(each.callsPerSecond * 10) / 10,
  );
}

test('it begins sooner when the SIP engine already keeps calls out', () => {
  const high = { lagMs: 300, cpuPercent: 20, takenPerSecond: 100, refused: 1 };
  const first = nextOverload(CALM, high, CONFIG, 0);
  expect(nextOverload(first, high, CONFIG, 249).type).toBe('calm');
  expect(nextOverload(first, high, CONFIG, 250).type).toBe('overloaded');
  expect(nextOverload(first, { ...high, refused: 0 }, CONFIG, 250).type).toBe('calm');
});

describe('the pace of new calls', () => {
  const HIGH = { lagMs: 300, takenPerSecond: 80 };
  const KEPT_OUT = { takenPerSecond: 80, refused: 7 };

  test.each<[string, readonly Partial<LoadSample>[], readonly (number | undefined)[]]>([
    ['begins below what was taken', [], [85]],
    [
      'falls by a share while it is late',
      [
        { ...HIGH, refused: 9 },
        { ...HIGH, refused: 9 },
      ],
      [85, 72.3, 61.4],
    ],
    [
      'falls to what is taken where it kept nobody out',
      [{ ...HIGH, takenPerSecond: 60 }],
      [85, 51],
    ],
    ['by half at most', [{ ...HIGH, takenPerSecond: 1 }], [85, 36.1]],
    ['stays between the thresholds', [{ lagMs: 150, ...KEPT_OUT }], [85, 85]],
    ['rises while calls are refused without need', [KEPT_OUT, KEPT_OUT], [85, 95.6, 107.6]],
    ['stays when it keeps nobody out, and then ends', [{}, {}, {}], [85, 85, 85, undefined]],
    [
      'does not end as long as it keeps calls out',
      [{}, {}, KEPT_OUT, {}],
      [85, 85, 85, 95.6, 95.6],
    ],
  ])('%s', (_, samples, expected) => {
    expect(paces(samples)).toEqual(expected);
  });

  test('becomes none at all, and rises again from there', () => {
    const late = Array.from({ length: 12 }, () => ({ lagMs: 300 }));
    const line = paces([...late, KEPT_OUT]);
    expect(line.at(-2)).toBe(0);
    expect(line.at(-1)).toBe(2.5);
  });
});

/** A process that serves so many calls a second; what it is behind is its lag. */
function serve(offeredPerSecond: number, seconds: number): number {
  const capacity = 300;
  const stepMs = 250;
  let state: OverloadState = CALM;
  let waiting = 0;
  let served = 0;
  const steps = (seconds * 1000) / stepMs;
  for (let step = 0; step < steps; step += 1) {
    const offered = (offeredPerSecond * stepMs) / 1000;
    const pace = state.type === 'calm' ? Number.POSITIVE_INFINITY : state.callsPerSecond;
    // While it is late by more than the threshold the engine lets nobody in.
    const room = ((CONFIG.lag.highMs + stepMs) * capacity) / 1000 - waiting;
    const taken = Math.max(0, Math.min(offered, (pace * stepMs) / 1000, room));
    waiting += taken;
    const done = Math.min(waiting, (capacity * stepMs) / 1000);
    waiting -= done;
    served += done;
    const sample = {
      lagMs: (waiting / capacity) * 1000,
      cpuPercent: 50,
      takenPerSecond: (taken * 1000) / stepMs,
      refused: offered - taken,
    };
    state = nextOverload(state, sample, CONFIG, step * stepMs);
  }
  return served / seconds / capacity;
}

test.each([[0.9], [1.5], [2], [3], [10]])(
  'at %f times of what it can do it does nearly all it can',
  (factor) => {
    expect(serve(300 * factor, 60)).toBeGreaterThan(0.88);
  },
);
