import { expect, test } from 'vitest';
import { screenRequest } from '../../../../src/engine/transaction/request-screen.ts';
import { sampleRequest } from './sample-messages.ts';

test.each([
  ['friendly-scanner', 'ignore'],
  ['sipvicious/0.3', 'ignore'],
  ['sipcli/v1.8', 'ignore'],
  ['SIP-CLI', 'ignore'],
  ['sundayddr', 'ignore'],
  ['Yealink SIP-T46S', 'pass'],
  ['sipclient 2', 'pass'],
  ['Cisco-CP8841', 'pass'],
])('User-Agent %s: %s', (agent, expected) => {
  const request = sampleRequest({ method: 'OPTIONS', extra: [`User-Agent: ${agent}`] });
  expect(screenRequest(request).type).toBe(expected);
});

test.each([
  ['sip:bob@example.com', 'pass'],
  ['SIPS:bob@example.com', 'pass'],
  ['tel:+49301234', 'pass'],
  ['soap.beep://192.0.2.103:3002', 'refuse'],
  ['nobodyKnowsThisScheme:totally-opaque', 'refuse'],
])('%s: %s', (uri, expected) => {
  expect(screenRequest(sampleRequest({ method: 'OPTIONS', uri })).type).toBe(expected);
});
