import { expect, test } from 'vitest';
import type { NumberTranslation } from '../../../src/config/number-translation.ts';
import { numberOf, telUser, translateUser } from '../../../src/trunk/numbering.ts';

const GLOBAL: NumberTranslation = {
  name: 'global',
  called: [
    { type: 'strip-prefix', prefix: '00', addPrefix: '+' },
    { type: 'strip-prefix', prefix: '0', addPrefix: '+49' },
  ],
  calling: [],
};
const NATIONAL: NumberTranslation = {
  name: 'national',
  called: [
    { type: 'strip-prefix', prefix: '+49', addPrefix: '0' },
    { type: 'strip-prefix', prefix: '#31#', addPrefix: '*31#' },
  ],
  calling: [],
};

test.each([
  ['0301234', '+49301234'],
  ['0301234;npdi;rn=+49301999', '+49301234;npdi;rn=+49301999'],
  // A global number has no context, a local one keeps it.
  ['0301234;phone-context=+49;npdi', '+49301234;npdi'],
  ['4711;phone-context=pbx.example', '4711;phone-context=pbx.example'],
  ['', ''],
  ['alice', 'alice'],
])('user part %s becomes %s', (user, expected) => {
  expect(translateUser([GLOBAL], 'called', user)).toBe(expected);
  expect(translateUser([GLOBAL], 'calling', user)).toBe(user);
});

test.each([
  ['+49301234', '0301234'],
  ['%2B49301234;ext=9', '0301234;ext=9'],
  ['%2b1212', '%2b1212'],
  ['%2331%23123', '*31%23123'],
  ['#31#123', '*31%23123'],
])('escapes in %s do not hide the number: %s', (user, expected) => {
  expect(translateUser([NATIONAL], 'called', user)).toBe(expected);
});

test('translations follow one another', () => {
  expect(translateUser([GLOBAL, NATIONAL], 'called', '0049301234')).toBe('0301234');
  expect(translateUser([], 'called', '0049301234')).toBe('0049301234');
});

test.each([
  ['+4930;npdi', '+4930'],
  ['%2B4930%23', '+4930#'],
  ['', ''],
])('the number in %j is %j', (user, expected) => {
  expect(numberOf(user)).toBe(expected);
});

test.each([
  ['tel:+49301234', '+49301234'],
  ['TEL:+49-30-1234;npdi;rn=+49301999', '+49-30-1234;npdi;rn=+49301999'],
  [
    'tel:4711;phone-context=+49.30;tgrp=TG-1;trunk-context=carrier.example',
    '4711;phone-context=+49.30',
  ],
  ['tel:+1;CIC=+16789;isub=12;x=y', '+1;CIC=+16789;isub=12'],
  ['tel:', undefined],
  ['sip:+49301234@host', undefined],
])('%s is user part %s', (uri, expected) => {
  expect(telUser(uri)).toBe(expected);
});
