import { expect, test } from 'vitest';
import type { NumberTranslation } from '../../../src/config/number-translation.ts';
import { numberOf, plainUser, telUser, translateUser } from '../../../src/trunk/numbering.ts';

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
  ['8%30777', '80777'],
  ['%61lice%20b', 'alice b'],
  // Escapes that stand for no printable character, and the sign of escapes itself, say nothing in clear.
  ['j%C3%B6rg%00%0d%25', 'j%C3%B6rg%00%0d%25'],
  ['9%', '9%'],
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

test.each([
  // Escapes of what may stand there in clear (RFC 3261 §19.1.4).
  ['8%30777', '80777'],
  ['%2B49%39%30%30', '+49900'],
  ['%61lice', 'alice'],
  ['%2331%23123', '%2331%23123'],
  ['#31#123', '%2331%23123'],
  // Escapes that the grammar wants stay.
  ['j%40doe%3bx%3a%25%c3%b6', 'j%40doe%3Bx%3A%25%C3%B6'],
  ['9%', '9%25'],
  // Visual separators of numbers (RFC 3966 §5.1.1).
  ['+49-900-123', '+49900123'],
  ['+49(900)12.3;npdi;rn=+49-1', '+49900123;npdi;rn=+49-1'],
  ['8%2d%30123', '80123'],
  ['*31%2F-%2B', '*31%2F-+'],
  // No numbers.
  ['alice.smith-(1)', 'alice.smith-(1)'],
  ['-', '-'],
  ['a-b', 'a-b'],
  ['', ''],
])('user part %s in plain is %s', (user, expected) => {
  expect(plainUser(user)).toBe(expected);
  expect(plainUser(expected)).toBe(expected);
});

test('a local number has hexadecimal digits where it is said to be a number', () => {
  expect(plainUser('8-A.b;phone-context=x', true)).toBe('8Ab;phone-context=x');
  expect(plainUser('alice.smith', true)).toBe('alice.smith');
});

test('what a translation leaves is escaped again', () => {
  const swap: NumberTranslation = {
    name: 'swap',
    called: [{ type: 'strip-prefix', prefix: '9', addPrefix: '8' }],
    calling: [],
  };
  expect(translateUser([swap], 'called', '9%3b%40%25x%c3%b6')).toBe('8%3B%40%25x%C3%B6');
});
