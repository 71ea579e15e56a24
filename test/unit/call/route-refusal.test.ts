import { expect, test } from 'vitest';
import { limitCause, limitRefusal } from '../../../src/call/route-refusal.ts';

test.each([
  [undefined, '10'],
  [0, '1'],
  [40, '1'],
  [1001, '2'],
  [30_000, '30'],
])('a limit that lets the next call in after %s ms: Retry-After %s', (freeAfterMs, seconds) => {
  const refusal = {
    type: 'refused',
    scope: 'agent',
    name: 'carrier',
    constraint: 'max-burst-rate',
    freeAfterMs,
  } as const;
  const headers = { 'Retry-After': seconds };
  const text = 'max-burst-rate of session agent carrier';
  const cause = { name: 'limit-reached', by: 'sbc', text, refusalHeaders: headers };
  expect(limitCause(refusal)).toEqual(cause);
  expect(limitRefusal(refusal, 'policy', [])).toMatchObject({ cause, headers });
});
