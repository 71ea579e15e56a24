import { expect, test } from 'vitest';
import { crossing } from '../../../src/call/headers/header-crossing.ts';
import type { SipMessage } from '../../../src/wire/sip-message.ts';
import { CALLER_DOMAIN, CALLER_HOST, path } from './header-fixtures.ts';

function referWith(value: string): SipMessage {
  const headers = [{ name: 'Referred-By', value }];
  return { type: 'request', method: 'REFER', uri: 'sip:a@b', headers, body: Buffer.alloc(0) };
}

test.each<[value: string, crossed: string | undefined]>([
  [`"Alice" <sip:1000@${CALLER_DOMAIN}>;cid="2@a"`, '"Alice" <sip:1000@10.2.2.254>'],
  [`sip:1000@${CALLER_DOMAIN}`, '<sip:1000@10.2.2.254>'],
  ['<tel:+4930123>', '<tel:+4930123>'],
  [`<sip:${CALLER_HOST}@x>`, undefined],
  ['<http://example.com>', undefined],
  ['"', undefined],
])('Referred-By: %s crosses between trusted sides as %s, else not at all', (value, crossed) => {
  const message = referWith(value);

  expect(crossing(message, path('trusted', 'trusted')).headers['Referred-By']).toBe(crossed);
  expect(crossing(message, path('trusted')).headers['Referred-By']).toBeUndefined();
  expect(crossing(message, path('untrusted', 'trusted')).headers['Referred-By']).toBeUndefined();
});
