import fc from 'fast-check';
import { expect, test } from 'vitest';
import { returnItems, takeLists } from '../../../src/config/thread-parts.ts';

const list = fc.array(fc.integer(), { maxLength: 1200, size: 'max' });

test('long lists leave in parts and come back as they were', () => {
  fc.assert(
    fc.property(list, list, (one, other) => {
      const whole = { one, below: { other, text: 'x', none: undefined }, nothing: null };
      const copy = structuredClone(whole);
      const parts = takeLists(copy);
      expect(Math.max(copy.one.length, copy.below.other.length)).toBeLessThanOrEqual(250);
      expect(parts.filter(({ items }) => items.length > 250)).toEqual([]);
      for (const part of parts) returnItems(copy, part);
      expect(copy).toEqual(whole);
    }),
    { numRuns: 30 },
  );
});

test('a part of what is not there is refused', () => {
  expect(() => returnItems({ one: [] }, { path: ['other'], items: [1] })).toThrow('no list');
});
