import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patternProblem } from '../../../src/config/pattern.ts';

test.each([
  '^[zZ]oiper',
  '^(112|911)$',
  '^(?:00|\\+)49\\d{3,12}$',
  '(ab)+c',
  '(ab?)?c+',
  '[(*+]+',
  '\\(+x*',
  '[\\]+*]+',
  '',
])('%s is fine', (text) => {
  expect(patternProblem(text)).toBeUndefined();
});

test.each([
  ['(', /./],
  ['[z-a]', /./],
  ['a'.repeat(1025), /longer than 1024/],
  ['(a)\\1', /back-references/],
  ['(?<x>a)\\k<x>', /back-references/],
  ['(?=a)b', /lookaround/],
  ['(?<!a)b', /lookaround/],
  ['(a+)+$', /quantifier/],
  ['((a*)b)*', /quantifier/],
  ['(a{1,9}){1,9}', /quantifier/],
  ['(?:x+y)+', /quantifier/],
])('%s is refused', (text, reason) => {
  expect(patternProblem(text)).toMatch(reason);
});

test('any text is judged without throwing', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...Array.from('ab()[]{}*+?\\|1k<=!^$,')) }),
      (text) => {
        expect(['string', 'undefined']).toContain(typeof patternProblem(text));
      },
    ),
  );
});
