import { expect, test } from 'vitest';
import { DEADLINE_MS } from '../../../../src/media/rtpengine/ng-exchange.ts';
import { NgHealth } from '../../../../src/media/rtpengine/ng-health.ts';

/**
 * `p` an answer to a ping, `a` another answer, `-` a missed deadline of a request sent behind the last one, `=` one of a
 * request that waited beside it.
 */
function after(course: string): boolean {
  const health = new NgHealth();
  let nowMs = 0;
  for (const step of course) {
    if (step === '-') nowMs += DEADLINE_MS;
    if (step === '-' || step === '=') health.missedDeadline(nowMs - DEADLINE_MS, nowMs);
    else health.answered(step === 'p');
  }
  return health.isUp;
}

test.each([
  ['', false, 'nothing is known'],
  ['p', true, 'it answers'],
  ['-', false, 'it was never there'],
  ['-p', true, 'it came'],
  ['p----', true, 'four deadlines'],
  ['p-----', false, 'five deadlines'],
  ['p----a----', true, 'an answer between them'],
  ['p----a-----', false, 'five after an answer'],
  ['p-----a', false, 'a stray answer of a node that is down'],
  ['p-----p', true, 'it came back'],
  ['p-----p----', true, 'the row begins anew'],
  ['p-===========', true, 'twelve requests at once are one deadline'],
  ['p-===-===-===-===', true, 'four times four at once'],
  ['p-===-===-===-===-', false, 'five deadlines, some with others beside them'],
])('%s: up %s, %s', (course, isUp) => {
  expect(after(course)).toBe(isUp);
});
