import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isUnavailable, orderServices } from '../../../../src/engine/transport/service-order.ts';
import type { ServiceRecord } from '../../../../src/engine/transport/service-order.ts';

/** `name:priority:weight` for each record. */
function records(text: string): readonly ServiceRecord[] {
  return text.split(' ').map((entry) => {
    const [name = '', priority, weight] = entry.split(':');
    return { name, port: 5060, priority: Number(priority), weight: Number(weight) };
  });
}

/** Gives the numbers one after the other, then 0. */
function lots(...numbers: number[]): () => number {
  return () => numbers.shift() ?? 0;
}

function names(ordered: readonly ServiceRecord[]): string {
  return ordered.map(({ name }) => name).join('');
}

describe('the order of SRV records', () => {
  test.each([
    ['lower priority numbers first', 'c:30:0 a:10:0 b:20:0', [], 'abc'],
    ['the lot falls into the share of a', 'a:1:60 b:1:40', [0.5], 'ab'],
    ['the lot falls into the share of b', 'a:1:60 b:1:40', [0.7], 'ba'],
    ['the highest lot is the last one', 'a:1:60 b:1:40', [0.999], 'ba'],
    ['the lowest lot belongs to weight 0', 'a:1:60 z:1:0', [0], 'za'],
    ['any other lot does not', 'z:1:0 a:1:60', [0.02], 'az'],
    ['without weights they stay as they are', 'a:1:0 b:1:0 c:1:0', [0.9, 0.9], 'abc'],
    ['each priority draws for itself', 'd:2:1 a:1:1 c:2:1 b:1:1', [0.9, 0, 0.9, 0], 'bacd'],
  ])('%s', (_rule, text, numbers, expected) => {
    expect(names(orderServices(records(text), lots(...numbers)))).toBe(expected);
  });

  const anyRecord = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd'),
    port: fc.integer({ min: 1, max: 65_535 }),
    priority: fc.integer({ min: 0, max: 3 }),
    weight: fc.integer({ min: 0, max: 65_535 }),
  });
  const anyRandom = fc.infiniteStream(fc.double({ min: 0, max: 0.999_999_999, noNaN: true }));

  test('loses nothing, invents nothing and never puts a worse priority before a better one', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 20 }), anyRandom, (given, stream) => {
        const ordered = orderServices(given, () => stream.next().value);
        expect(new Set(ordered)).toEqual(new Set(given));
        expect(ordered).toHaveLength(given.length);
        const priorities = ordered.map(({ priority }) => priority);
        expect(priorities).toEqual(priorities.toSorted((one, other) => one - other));
      }),
    );
  });

  test('gives the first place in proportion to the weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 6 }),
        (weights) => {
          const given = weights.map((weight, index) => ({
            name: String(index),
            port: 5060,
            priority: 1,
            weight,
          }));
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          const first = new Map<string, number>();
          // Every lot once: 0 goes to the first record as well.
          for (let lot = 0; lot <= total; lot += 1) {
            const [winner] = orderServices(given, lots((lot + 0.5) / (total + 1)));
            if (lot > 0) first.set(winner?.name ?? '', (first.get(winner?.name ?? '') ?? 0) + 1);
          }
          expect(weights.map((_weight, index) => first.get(String(index)))).toEqual(weights);
        },
      ),
      { numRuns: 50 },
    );
  });
});

test.each([
  ['.:0:0', true],
  [':0:0', true],
  ['a:0:0', false],
  ['.:0:0 a:0:0', false],
])('%s denies the service: %s', (text, expected) => {
  expect(isUnavailable(records(text))).toBe(expected);
});

test('no record denies nothing', () => {
  expect(isUnavailable([])).toBe(false);
});
