import { describe, expect, test } from 'vitest';
import { damageOf, JOURNEYS, type Journey } from './digit-journey.ts';

const NO_DAMAGE = { lost: 0, doubled: 0, reordered: 0, garbled: 0 };
const STRINGS = 200;

function isDamaged(journey: Journey): boolean {
  return Object.values(damageOf(journey)).some((count) => count > 0);
}

describe.each(JOURNEYS)('%s', (_name, travel) => {
  test('keys of which a packet arrives in its turn are heard once and in order', () => {
    const seeds = Array.from({ length: STRINGS }, (_, index) => index + 1);
    const journeys = seeds.map((seed) => ({ seed, ...travel(seed) }));
    const damaged = journeys.filter((journey) => isDamaged(journey));
    expect(damaged.map(({ seed, pressed, keys }) => ({ seed, pressed, keys }))).toEqual([]);
    expect(journeys.flatMap(({ heard }) => heard).length).toBeGreaterThan(STRINGS);
  });

  // Of one press no end arrived and of the next, with the same key, nothing but ends; or repeats without E came late.
  test.each([10_831, 11_091, 14_258, 20_037, 35_107, 86_585, 128_682])(
    'string %i, which once lost a key or told one late',
    (seed) => {
      expect(damageOf(travel(seed))).toEqual(NO_DAMAGE);
    },
  );
});

test('damage is found: lost, doubled, out of order, garbled', () => {
  const journey = {
    pressed: '1234',
    vanished: new Set([3]),
    overtaken: new Set<number>(),
    sentPackets: 0,
    arrivedPackets: 0,
  };
  const damage = (heard: number[], keys: string): unknown =>
    Object.values(damageOf({ ...journey, heard, keys }));
  expect(damage([0, 1, 2], '123')).toEqual([0, 0, 0, 0]);
  expect(damage([0, 2], '13')).toEqual([1, 0, 0, 0]);
  expect(damage([0, 1, 1, 2], '1223')).toEqual([0, 1, 0, 0]);
  expect(damage([0, 2, 1], '132')).toEqual([0, 0, 1, 0]);
  expect(damage([0, 1, 2], '12')).toEqual([0, 0, 0, 1]);
  expect(damage([0, 1, 2], '124')).toEqual([0, 0, 0, 1]);
});
