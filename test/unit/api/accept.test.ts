import { expect, test } from 'vitest';
import { prefersOpenMetrics, prefersText } from '../../../src/api/accept.ts';

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

test.each([
  [undefined, false],
  ['*/*', false],
  ['text/plain', false],
  ['application/openmetrics-text', true],
  ['application/openmetrics-text;q=0', false],
  ['application/openmetrics-text; version=1.0.0; charset=utf-8;q=0.5,text/plain;q=0.8', false],
  // As Prometheus asks.
  [
    'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4,*/*;q=0.3',
    true,
  ],
])('Accept: %s prefers OpenMetrics: %s', (accept, expected) => {
  expect(prefersOpenMetrics(accept)).toBe(expected);
});
