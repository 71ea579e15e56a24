import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchPattern, type Program, readPattern } from '../../../src/config/linear-pattern.ts';

function programOf(pattern: string): Program {
  const program = readPattern(pattern);
  if ('problem' in program) throw new Error(program.problem);
  return program;
}

function match(pattern: string, text: string): readonly string[] | 'none' | 'exhausted' {
  const found = matchPattern(programOf(pattern), text, { steps: 1_000_000 });
  return typeof found === 'string' ? found : found.groups;
}

test.each<[string, string, readonly string[] | 'none']>([
  ['abc', 'xabcx', ['abc']],
  ['^abc$', 'xabc', 'none'],
  ['^(\\d+)-(\\d+)$', '12-34', ['12-34', '12', '34']],
  ['(a)|(b)', 'b', ['b', '', 'b']],
  ['(?:a|ab)(c|bcd)', 'abcd', ['abcd', 'bcd']],
  ['a+?', 'aaa', ['a']],
  ['a+', 'baaa', ['aaa']],
  ['a{2,3}', 'aaaa', ['aaa']],
  ['a{2,}', 'aaaa', ['aaaa']],
  ['a{2}', 'a', 'none'],
  ['[^a-c.]+', 'abx-y.', ['x-y']],
  ['[\\d-]+', 'a1-2', ['1-2']],
  ['[a-]+', 'b-a', ['-a']],
  ['\\w+\\s\\W\\D\\S', 'ab !xy', ['ab !xy']],
  ['\\.', 'a.b', ['.']],
  ['x*', 'yy', ['']],
])('%s in %s', (pattern, text, expected) => {
  expect(match(pattern, text)).toEqual(expected);
});

test.each([
  ['', 'it is empty'],
  ['(a', 'a "(" without ")"'],
  ['a)', 'a ")" too many'],
  ['*a', 'nothing to repeat'],
  ['a**', 'nothing to repeat'],
  ['^*', 'nothing to repeat'],
  ['a{', '"{" without a number of repeats'],
  ['a{3,2}', 'repeats must rise and be 64 at most'],
  ['a{65}', 'repeats must rise and be 64 at most'],
  ['(a)\\1', '"\\1" is not supported'],
  ['\\bx', '"\\b" is not supported'],
  ['(?=a)', 'only (…) and (?:…) are supported'],
  ['(?<n>a)', 'only (…) and (?:…) are supported'],
  ['[b-a]', 'a range that does not rise'],
  ['[a', 'it ends too early'],
  ['a\\', 'it ends too early'],
  ['((a{64}){64}){64}', 'too many repeats in each other'],
  ['()'.repeat(10), 'more than 9 groups'],
  ['(?:'.repeat(33), 'more than 32 groups in another'],
  ['a'.repeat(257), 'longer than 256 characters'],
])('%s is refused: %s', (pattern, problem) => {
  expect(readPattern(pattern)).toEqual({ problem });
});

test('repeats of nothing end', () => {
  expect(match('(?:(?:(?:){64}){64}){64}x', 'x')).toEqual(['x']);
});

describe('it finds what JavaScript finds', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '(a)', '(a|b)', '(?:ab|a)', 'x');
  const times = fc.constantFrom('', '', '*', '+', '?', '*?', '+?', '??', '{1,2}');
  const piece = fc.tuple(atom, times).map(([one, many]) => one + many);
  const pattern = fc.array(piece, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
  const either = fc
    .array(pattern, { minLength: 1, maxLength: 3 })
    .map((patterns) => patterns.join('|'));
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'x', '1'), maxLength: 10 });

  test('for any pattern and text', () => {
    fc.assert(
      fc.property(either, text, (source, subject) => {
        fc.pre((source.match(/\((?!\?)/g) ?? []).length <= 9);
        const found = matchPattern(programOf(source), subject, { steps: 1_000_000 });
        const expected = new RegExp(source).exec(subject);
        const range = typeof found === 'string' ? found : [found.start, found.end];
        expect(range).toEqual(
          expected === null ? 'none' : [expected.index, expected.index + expected[0].length],
        );
      }),
      { numRuns: 2000 },
    );
  });
});

test.each(['(a|a)*b', 'a*a*a*a*a*a*b', '(.*)(.*)(.*)(.*)z', '((a|b)*(a|c)*)*e', '(a?){64}b'])(
  'the steps of %s grow with the text and not faster',
  (pattern) => {
    const steps = (length: number): number => {
      const budget = { steps: 100_000_000 };
      expect(matchPattern(programOf(pattern), 'a'.repeat(length), budget)).toBe('none');
      return 100_000_000 - budget.steps;
    };
    expect(steps(4000) / steps(2000)).toBeLessThan(2.1);
  },
);

test('a match ends with its budget', () => {
  const budget = { steps: 100 };
  expect(matchPattern(programOf('a*b'), 'a'.repeat(1000), budget)).toBe('exhausted');
});
