import { expect, test } from 'vitest';
import { RecentMap } from '../../../../src/engine/transport/recent-map.ts';

test('the entry not used for longest makes room', () => {
  const map = new RecentMap<number>(3);
  for (const [index, key] of ['a', 'b', 'c'].entries()) map.set(key, index);
  map.get('a');
  map.set('d', 3);
  expect(['a', 'b', 'c', 'd'].map((key) => map.get(key))).toEqual([0, undefined, 2, 3]);
});

test('it never grows beyond its size, and forgets all when told to', () => {
  const map = new RecentMap<number>(100);
  for (let index = 0; index < 10_000; index += 1) map.set(`source ${index}`, index);
  expect(map.size).toBe(100);
  map.clear();
  expect([map.size, map.get('source 9999')]).toEqual([0, undefined]);
});
