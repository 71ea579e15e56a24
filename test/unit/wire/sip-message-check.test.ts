import { expect, test } from 'vitest';
import { contentLengthOf, groupHeaders } from '../../../src/wire/sip-message-check.ts';
import { WireError } from '../../../src/wire/wire-error.ts';

function lengthOf(...values: string[]): number | undefined {
  return contentLengthOf(groupHeaders(values.map((value) => ({ name: 'l', value }))));
}

test('the announced length, before anything else of the message is looked at', () => {
  expect(lengthOf()).toBeUndefined();
  expect(lengthOf('0')).toBe(0);
  expect(lengthOf('0120')).toBe(120);
});

test.each([[['1', '1']], [['-1']], [['']], [['1 2']], [['0x10']], [['1'.repeat(30)]]])(
  '%j is none',
  (values) => {
    expect(() => lengthOf(...values)).toThrow(WireError);
  },
);
