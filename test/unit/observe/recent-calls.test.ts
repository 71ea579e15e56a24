import { expect, test } from 'vitest';
import { RecentCalls } from '../../../src/observe/recent-calls.ts';

test('keeps as many as fit, newest first', () => {
  const left: string[] = [];
  const recent = new RecentCalls<number>({ capacity: 3, onLeft: (callId) => left.push(callId) });
  for (const number of [1, 2, 3, 4, 5]) recent.add(`c${number}`, number);
  expect(recent.list()).toEqual([5, 4, 3]);
  expect([recent.get('c2'), recent.get('c3'), recent.size]).toEqual([undefined, 3, 3]);
  expect(left).toEqual(['c1', 'c2']);
});

test('a call that is entered again is the newest', () => {
  const recent = new RecentCalls<string>({ capacity: 2 });
  recent.add('a', 'first');
  recent.add('b', 'b');
  recent.add('a', 'second');
  recent.add('c', 'c');
  expect(recent.list()).toEqual(['c', 'second']);
});
