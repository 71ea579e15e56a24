import { expect, test } from 'vitest';
import { mentionsAny } from '../../../src/wire/address-mention.ts';

test.each([
  ['10.1.2.3', true],
  ['at 10.1.2.3:5060', true],
  ['x=10.1.2.3;y', true],
  ['110.1.2.3', false],
  ['10.1.2.30', false],
  ['10.1.2.30 and 10.1.2.3', true],
  ['2.10.1.2.3', false],
  ['PBX.Example', true],
  ['my-pbx.example', true],
  ['mypbx.example', false],
  ['', false],
])('%j: %s', (text, expected) => {
  expect(mentionsAny(text, ['10.1.2.3', 'pbx.example'])).toBe(expected);
});
