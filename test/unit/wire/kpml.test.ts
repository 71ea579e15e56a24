import { expect, test } from 'vitest';
import { KpmlError, kpmlKeyOf, sipStatusOf } from '../../../src/wire/kpml.ts';
import { attempt, WireError } from '../../../src/wire/wire-error.ts';

test.each([
  ['0', '0'],
  ['d', 'D'],
  ['R', 'R'],
  ['*', '*'],
  ['E', undefined],
  ['', undefined],
  ['12', undefined],
])('the key of %j is %s', (character, key) => {
  expect(kpmlKeyOf(character)).toBe(key);
});

test('an error of reading has a SIP status', () => {
  expect(sipStatusOf(new KpmlError({ type: 'sip', status: 413 }, 'long'))).toBe(413);
  expect(sipStatusOf(new KpmlError({ type: 'kpml', code: 501 }, 'bad'))).toBe(400);
  expect(sipStatusOf(new WireError('bad'))).toBe(400);
});

function failing(error: Error): () => string {
  return () => {
    throw error;
  };
}

function answer(error: WireError): string {
  return error.message;
}

test('an attempt answers errors of reading and passes bugs on', () => {
  expect(attempt(() => 'read', answer)).toBe('read');
  expect(attempt(failing(new WireError('bad')), answer)).toBe('bad');
  expect(() => attempt(failing(new RangeError('bug')), answer)).toThrow(RangeError);
});
