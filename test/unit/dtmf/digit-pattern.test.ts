import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileDigitPattern } from '../../../src/dtmf/digit-pattern.ts';
import type { DigitPattern } from '../../../src/dtmf/digit-pattern.ts';
import { PatternMatcher } from '../../../src/dtmf/digit-pattern-matcher.ts';
import { KPML_KEYS, kpmlKeyOf } from '../../../src/wire/kpml.ts';
import type { KpmlKey } from '../../../src/wire/kpml.ts';
import type { KpmlRegex } from '../../../src/wire/kpml-request.ts';

function regex(text: string): KpmlRegex {
  return { parts: [{ type: 'text', text }] };
}

function compile(...expressions: string[]): DigitPattern {
  const result = compileDigitPattern(expressions.map(regex));
  if (result.type === 'refused') throw new Error(result.detail);
  return result.pattern;
}

function keys(text: string): KpmlKey[] {
  return text.split('').map((character) => kpmlKeyOf(character) ?? '0');
}

/** Whether `typed` as a whole matches; a key followed by `!` is held long. */
function matches(expression: string, typed: string): boolean {
  const matcher = new PatternMatcher(compile(expression), false);
  for (const [, key = '', long] of typed.matchAll(/(.)(!?)/g)) {
    matcher.step(kpmlKeyOf(key) ?? '0', long === '!');
  }
  return typed !== '' && matcher.match?.end === matcher.position;
}

/** The expression that matches the single key, by its tag. */
function winner(expressions: string[], key: KpmlKey, isLong: boolean): string | undefined {
  const matcher = new PatternMatcher(compile(...expressions), false);
  matcher.step(key, isLong);
  return expressions[matcher.match?.regexIndex ?? -1];
}

function roll(expressions: string[], typed: string): PatternMatcher {
  const matcher = new PatternMatcher(compile(...expressions), true);
  for (const key of keys(typed)) matcher.step(key, false);
  return matcher;
}

/** The same expression for JavaScript. */
function javascript(dregex: string): RegExp {
  const source = dregex
    .replaceAll('[^5]', '[0-46-9]')
    .replaceAll(/(?<!\[)\*(?!#\])/g, '\\*')
    .replaceAll('.', '*')
    .replaceAll('{,', '{0,')
    .replaceAll('x', '[0-9]');
  return new RegExp(`^(?:${source})$`);
}

describe('the grammar', () => {
  test.each([
    ['5', '5', '6 55'],
    ['x', '0 9', '* # A R'],
    ['X', '7', '#'],
    ['*', '*', '#'],
    ['#', '#', '*'],
    ['a', 'A', 'B'],
    ['R', 'R', 'A'],
    ['r', 'R', '0'],
    ['[135]', '1 3 5', '2 4 0'],
    ['[2-9]', '2 9', '0 1 A'],
    ['[a-C]', 'A B C', 'D 1'],
    ['[0-9A-D*]', '0 D *', '# R'],
    ['[x*#ABCD]', '0 9 * # A D', 'R'],
    ['[^01]', '2 9', '0 1 * A'],
    ['[^2-8]', '0 1 9', '2 8 #'],
    ['[^*]', '0 9', '*'],
    ['12', '12', '1 2 21 123'],
    [' 1 2\n', '12', '1'],
    ['x.', '1 12 12345', '1*'],
    ['*x.', '* *1 *12', '1'],
    ['x{3}', '123', '12 1234'],
    ['x{1,1}', '1', '12'],
    ['x{2,3}', '12 123', '1 1234'],
    ['x{2,}', '12 123 123456', '1'],
    ['1x{,2}', '1 12 123', '2 1234'],
    ['1x{0}2', '12', '132'],
    ['1x{0,0}2', '12', '1'],
    ['x.#', '# 1# 12#', '1'],
    ['[12]{2}[34].', '12 1134 123', '13'],
    ['L5', '5 5!', '6 6!'],
    ['l5', '5 5!', '6'],
    ['Lx', '1 2!', '*'],
    ['L1{2}', '11 1!1!', '1'],
    ['011[2-9].', '011 0112345', '0111'],
  ])('%j takes %j, not %j', (expression, good, bad) => {
    expect(good.split(' ').filter((typed) => !matches(expression, typed))).toEqual([]);
    expect(bad.split(' ').filter((typed) => matches(expression, typed))).toEqual([]);
  });

  test.each([
    '',
    '  ',
    'E',
    '+',
    '1|2',
    '(12)',
    '|bs',
    '.',
    'x..',
    `x${'.'.repeat(200)}`,
    '{2}',
    'x{2}{2}',
    'x{',
    'x{2',
    'x{}',
    'x{,}',
    'x{a}',
    'x{-1}',
    'x{3,2}',
    'x{1001}',
    'x{1,1001}',
    'x{1001,}',
    `x{1${'0'.repeat(20)}}`,
    '[',
    '[]',
    '[^]',
    '[1',
    '[1-',
    '[1-]',
    '[-1]',
    '[5-2]',
    '[D-A]',
    '[9-A]',
    '[A-1]',
    '[x-9]',
    '[*-#]',
    '[R-R]',
    '[1[2]]',
    '[L1]',
    '[1^2]',
    'L',
    'L[12]',
    'LL1',
    '1]',
    '^1',
    '1-2',
  ])('%j is refused', (expression) => {
    expect(compileDigitPattern([regex(expression)]).type).toBe('refused');
  });

  test('the parts of pre and the rest are one expression', () => {
    const result = compileDigitPattern([
      {
        parts: [
          { type: 'pre', text: '*' },
          { type: 'text', text: 'x{2}' },
        ],
        tag: 't',
      },
    ]);
    expect(result).toMatchObject({
      type: 'pattern',
      pattern: { stepCount: 3, regexes: [{ tag: 't' }] },
    });
  });

  test('an unbounded repetition may be anything up to 1000', () => {
    expect(compile('x{1000,}').stepCount).toBe(1001);
  });

  test('10 000 steps are the limit of a document', () => {
    const full = Array.from({ length: 10 }, () => 'x{1000}');
    expect(compile(...full).stepCount).toBe(10_000);
    expect(compileDigitPattern([...full, '1'].map(regex)).type).toBe('refused');
  });
});

describe('long keys', () => {
  test.each<[expressions: string[], key: KpmlKey, isLong: boolean, winner: string | undefined]>([
    [['*', 'L*'], '*', false, '*'],
    [['*', 'L*'], '*', true, 'L*'],
    [['L*', '*'], '*', false, '*'],
    [['[*#]', 'L*'], '#', true, '[*#]'],
    [['[*#]', 'L*'], '*', true, 'L*'],
    [['L*'], '*', false, 'L*'],
    [['*'], '*', true, '*'],
    [['L*', '#'], '*', false, 'L*'],
    [['1', 'Lx'], '1', false, '1'],
    [['1', 'Lx'], '1', true, 'Lx'],
    [['1', 'Lx'], '2', false, 'Lx'],
  ])('%j: %s held long %s is %s', (expressions, key, isLong, expected) => {
    expect(winner(expressions, key, isLong)).toBe(expected);
  });

  test('the document tells whether length matters', () => {
    expect(compile('*', 'x').hasLongKeys).toBe(false);
    expect(compile('1', 'xL#').hasLongKeys).toBe(true);
  });
});

describe('several expressions', () => {
  test('the longest match wins, the first in the document among equals', () => {
    const matcher = new PatternMatcher(compile('x{2}', 'x', '[1-3]{2}'), false);
    matcher.step('1', false);
    expect(matcher.match).toEqual({ regexIndex: 1, start: 0, end: 1 });
    expect(matcher.outlook).toBe('other-regex');
    matcher.step('2', false);
    expect(matcher.match).toEqual({ regexIndex: 0, start: 0, end: 2 });
    expect(matcher.outlook).toBe('nothing');
  });

  test('a step that takes no key holds out no hope', () => {
    const matcher = new PatternMatcher(compile('1[^0-9]'), false);
    matcher.step('1', false);
    expect(matcher.outlook).toBe('nothing');
  });

  test('the outlook tells growth of the same expression from that of another', () => {
    const matcher = new PatternMatcher(compile('x.'), false);
    expect(matcher.outlook).toBe('other-regex');
    matcher.step('1', false);
    expect(matcher.outlook).toBe('same-regex');
  });

  test('an expression that is content without keys is known', () => {
    expect(new PatternMatcher(compile('1', 'x.'), false).emptyRegexIndex).toBe(1);
    expect(new PatternMatcher(compile('1', 'x{,3}#'), false).emptyRegexIndex).toBeUndefined();
  });
});

describe('a rolling window', () => {
  test.each([
    [['123'], '12123', { regexIndex: 0, start: 2, end: 5 }],
    [['11'], '2211', { regexIndex: 0, start: 2, end: 4 }],
    [['1x{2}', '23'], '123', { regexIndex: 0, start: 0, end: 3 }],
    [['x.'], '*12', { regexIndex: 0, start: 1, end: 3 }],
    [['12', '1234'], '012345', { regexIndex: 1, start: 1, end: 5 }],
    [['12', '23'], '123', { regexIndex: 0, start: 0, end: 2 }],
    [['123'], '1212', undefined],
  ])('%j in %s', (expressions, typed, expected) => {
    expect(roll(expressions, typed).match).toEqual(expected);
  });

  test('keys that no attempt needs are known', () => {
    expect(roll(['123'], '9912').earliestStart).toBe(2);
    expect(roll(['123'], '99').earliestStart).toBe(2);
    expect(roll(['12'], '912').earliestStart).toBe(1);
  });
});

describe('properties', () => {
  const alphabet = KPML_KEYS.split('');
  const one = fc.oneof(
    fc.constantFrom(...alphabet, 'x'),
    fc.constantFrom('[123]', '[^5]', '[2-4]', '[*#]', '[A-C]'),
  );
  const repeat = fc.constantFrom('', '.', '{2}', '{1,3}', '{,2}', '{1,}');
  const expression = fc
    .array(fc.tuple(one, repeat), { minLength: 1, maxLength: 5 })
    .map((positions) => positions.map(([position, times]) => position + times).join(''));
  const typed = fc.array(fc.constantFrom(...alphabet), { maxLength: 8 });

  test('the longest match is the one JavaScript finds', () => {
    fc.assert(
      fc.property(expression, typed, (text, pressed) => {
        const matcher = new PatternMatcher(compile(text), false);
        const other = javascript(text);
        let longest = 0;
        for (const [index, key] of pressed.entries()) {
          matcher.step(kpmlKeyOf(key) ?? '0', false);
          if (other.test(pressed.slice(0, index + 1).join(''))) longest = index + 1;
        }
        expect(matcher.match?.end ?? 0).toBe(longest);
      }),
      { numRuns: 2000 },
    );
  });

  test('any text compiles or is refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), (text) => {
        expect(compileDigitPattern([regex(text)]).type).toMatch(/^(?:pattern|refused)$/);
      }),
    );
  });

  test('the largest document costs less than 5 ms per key', () => {
    const matcher = new PatternMatcher(
      compile(...Array.from({ length: 10 }, () => 'x{,1000}')),
      true,
    );
    const times = Array.from({ length: 30 }, () => {
      const start = performance.now();
      matcher.step('5', false);
      return performance.now() - start;
    });
    expect(Math.min(...times)).toBeLessThan(5);
  });
});
