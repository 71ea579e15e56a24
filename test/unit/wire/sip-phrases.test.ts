import { expect, test } from 'vitest';
import { phraseOf } from '../../../src/wire/sip-phrases.ts';

test.each([
  [180, 'Ringing'],
  [199, 'Progress'],
  [202, 'Accepted'],
  [299, 'OK'],
  [302, 'Moved Temporarily'],
  [420, 'Bad Extension'],
  [486, 'Busy Here'],
  [499, 'Failure'],
])('a %i is told as %s', (status, phrase) => {
  expect(phraseOf(status)).toBe(phrase);
});
