import { expect, test } from 'vitest';
import { NgHealth } from '../../../../src/media/rtpengine/ng-health.ts';

/** `p` an answer to a ping, `a` another answer, `-` a missed deadline. */
function after(course: string): boolean {
  const health = new NgHealth();
  for (const step of course) {
    if (step === '-') health.missedDeadline();
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
])('%s: up %s, %s', (course, isUp) => {
  expect(after(course)).toBe(isUp);
});
