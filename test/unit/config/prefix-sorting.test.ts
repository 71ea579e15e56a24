import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixMap } from '../../../src/config/prefix-map.ts';

const DIGITS = fc.string({ unit: fc.constantFrom('0', '1', '+', '#'), maxLength: 4 });

test('beginnings are found the same whether the prefixes were sorted at once or in steps', () => {
  fc.assert(
    fc.property(
      fc.array(DIGITS, { maxLength: 40 }),
      DIGITS,
      fc.integer({ min: 1, max: 7 }),
      (prefixes, text, stepItems) => {
        const map = new PrefixMap<true>();
        for (const prefix of prefixes) map.take(prefix, () => true);
        const sorting = map.sorting(stepItems);
        while (sorting.next().done !== true);
        expect(map.hasBeginning(text)).toBe(prefixes.some((prefix) => prefix.startsWith(text)));
      },
    ),
  );
});

test('each step touches no more prefixes than asked for', () => {
  const map = new PrefixMap<true>();
  for (let n = 0; n < 1000; n += 1) map.take(String((n * 7919) % 1000), () => true);
  let steps = 0;
  for (const sorting = map.sorting(50); sorting.next().done !== true; steps += 1);
  // Twenty runs, and five rounds in which each prefix is merged once.
  expect(steps).toBeGreaterThanOrEqual(20 + 5 * 15);
});
