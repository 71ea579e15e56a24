import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatTable } from '../../../src/cli/table.ts';
import { cutText, textWidth } from '../../../src/cli/text-width.ts';

test('columns are as wide as their longest cell', () => {
  const rows = [
    ['carrier', 'up', '3'],
    ['x', 'locked', ''],
  ];
  expect(formatTable(['agent', 'state', 'calls'], rows)).toBe(
    'agent    state   calls\ncarrier  up      3\nx        locked\n',
  );
});

test('no rows, no table', () => {
  expect(formatTable(['agent'], [])).toBe('');
});

test('control characters do not reach the terminal', () => {
  expect(formatTable(['a'], [['x\u001B[2J\r\ny']])).toBe('a\nx·[2J··y\n');
});

test('characters outside of ASCII keep the columns', () => {
  expect(
    formatTable(
      ['a', 'b'],
      [
        ['Zürich', '1'],
        ['😀', '2'],
      ],
    ),
  ).toBe('a       b\nZürich  1\n😀      2\n');
});

test.each<[string, number]>([
  ['', 0],
  ['plain', 5],
  ['Zürich', 6],
  ['Zu\u0308rich', 6],
  ['日本語', 6],
  ['한국', 4],
  ['ﾃｽﾄ', 3],
  ['Ａ１', 4],
  ['😀', 2],
  ['👩‍👧', 2],
  ['☎️', 2],
  ['a\u200Bb', 2],
  ['٣', 1],
])('%j takes %i columns', (text, columns) => {
  expect(textWidth(text)).toBe(columns);
});

test.each<[string, number, string]>([
  ['carrier', 7, 'carrier'],
  ['carrier', 6, 'carri…'],
  ['日本語', 5, '日本…'],
  ['日本語', 4, '日…'],
  ['carrier', 1, '…'],
  ['carrier', 0, ''],
])('%j cut to %i columns is %j', (text, columns, cut) => {
  expect(cutText(text, columns)).toBe(cut);
});

test('on a narrow terminal the widest columns are cut first, the first one last', () => {
  const rows = [['call-0123456789', 'a long remark about the call', 'up']];
  const table = (columns: number): string =>
    formatTable(['CALL', 'REMARK', 'STATE'], rows, { columns });
  expect(table(80)).toBe(
    'CALL             REMARK                        STATE\ncall-0123456789  a long remark about the call  up\n',
  );
  expect(table(40)).toBe(
    'CALL             REMARK            STATE\ncall-0123456789  a long remark a…  up\n',
  );
  expect(table(25)).toBe('CALL        REMARK  STATE\ncall-0123…  a lon…  up\n');
  expect(table(10)).toBe('CALL    R…\ncall-…  a…\n');
});

test('no line is wider than the terminal', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 3, maxLength: 3 }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.integer({ min: 1, max: 60 }),
      (rows, columns) => {
        const lines = formatTable(['A', 'B', 'C'], rows, { columns }).trimEnd().split('\n');
        expect(lines.filter((line) => textWidth(line) > columns)).toEqual([]);
      },
    ),
    { numRuns: 100 },
  );
});
