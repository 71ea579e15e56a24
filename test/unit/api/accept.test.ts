import { expect, test } from 'vitest';
import { prefersText } from '../../../src/api/accept.ts';

test.each([
  [undefined, false],
  ['', false],
  ['*/*', false],
  ['application/json', false],
  ['text/plain', true],
  ['TEXT/PLAIN', true],
  ['text/*', true],
  ['text/plain, application/json', false],
  ['text/plain, application/json;q=0.5', true],
  ['text/plain;q=0.4, application/json;q=0.5', false],
  ['text/plain;q=0, */*', false],
  ['text/plain, */*;q=0.1', true],
  ['text/html, application/xhtml+xml, */*;q=0.8', false],
  ['text/plain;q=nonsense', false],
  ['text/plain;q=7', false],
])('Accept: %s prefers text: %s', (accept, expected) => {
  expect(prefersText(accept)).toBe(expected);
});
