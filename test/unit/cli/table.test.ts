import { expect, test } from 'vitest';
import { formatTable } from '../../../src/cli/table.ts';

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
  ).toBe('a       b\nZürich  1\n😀       2\n');
});
