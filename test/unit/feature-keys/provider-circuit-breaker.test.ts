import { expect, test } from 'vitest';
import {
  type Admission,
  CircuitBreaker,
} from '../../../src/feature-keys/providers/circuit-breaker.ts';

/** What happens at a time: a request asks and gets an admission, or one that was admitted ends. */
type Step =
  | readonly [number, 'asks', Admission]
  | readonly [number, 'fails' | 'succeeds', 'go' | 'probe'];

test.each<[string, readonly Step[]]>([
  [
    'two failures in a row pass',
    [
      [0, 'fails', 'go'],
      [1, 'fails', 'go'],
      [2, 'asks', 'go'],
    ],
  ],
  [
    'a success in between starts the count anew',
    [
      [0, 'fails', 'go'],
      [1, 'fails', 'go'],
      [2, 'succeeds', 'go'],
      [3, 'fails', 'go'],
      [4, 'fails', 'go'],
      [5, 'asks', 'go'],
    ],
  ],
  [
    'the third failure opens it for a second',
    [
      [0, 'fails', 'go'],
      [1, 'fails', 'go'],
      [2, 'fails', 'go'],
      [3, 'asks', 'refused'],
      [1001, 'asks', 'refused'],
      [1002, 'asks', 'probe'],
      [1003, 'asks', 'wait'],
    ],
  ],
  [
    'a probe that succeeds closes it',
    [
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [1000, 'asks', 'probe'],
      [1001, 'succeeds', 'probe'],
      [1002, 'fails', 'go'],
      [1003, 'fails', 'go'],
      [1004, 'asks', 'go'],
    ],
  ],
  [
    'a probe that fails opens it again at once',
    [
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [1000, 'asks', 'probe'],
      [1100, 'fails', 'probe'],
      [2099, 'asks', 'refused'],
      [2100, 'asks', 'probe'],
    ],
  ],
  [
    'late answers to requests of before change nothing',
    [
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [0, 'fails', 'go'],
      [500, 'fails', 'go'],
      [600, 'succeeds', 'go'],
      [999, 'asks', 'refused'],
      [1000, 'asks', 'probe'],
      [1001, 'succeeds', 'go'],
      [1001, 'fails', 'go'],
      [1002, 'asks', 'wait'],
    ],
  ],
])('%s', (_title, steps) => {
  const breaker = new CircuitBreaker({ failures: 3, pauseMs: 1000 });
  const asked: Step[] = [];
  for (const [atMs, what, kind] of steps) {
    if (what === 'asks') asked.push([atMs, 'asks', breaker.admit(atMs)]);
    else if (what === 'fails') breaker.failed(kind, atMs);
    else breaker.succeeded(kind);
  }
  expect(asked).toEqual(steps.filter(([, what]) => what === 'asks'));
});
