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

test.each([
  ['From', '"sipvicious"<sip:100@1.1.1.1>;tag=1', 'ignore'],
  ['From', '<sip:sipvicious@192.0.2.1>;tag=1', 'ignore'],
  ['From', '"Friendly-Scanner" <sip:x@192.0.2.1>;tag=1', 'ignore'],
  ['To', '"SIPVicious"<sip:100@192.0.2.1>', 'ignore'],
  ['To', '<sip:SipVicious@192.0.2.1>', 'ignore'],
  ['From', '"Sipvic Ious" <sip:ious@192.0.2.1>;tag=1', 'pass'],
  ['From', '<sip:100@192.0.2.1>;tag=1', 'pass'],
  ['From', '<sip:100@1.1.1.1>;tag=1', 'pass'],
])('%s: %s without a telling User-Agent: %s', (name, value, expected) => {
  const request = sampleRequest({ method: 'OPTIONS' });
  for (const header of request.headers) {
    if (header.name === name) Object.assign(header, { value });
  }
  expect(screenRequest(request).type).toBe(expected);
});

test('the question svmap asks is known under any name', () => {
  const request = sampleRequest({ method: 'OPTIONS', uri: 'sip:100@192.0.2.1' });
  for (const header of request.headers) {
    if (header.name === 'From' || header.name === 'To') {
      Object.assign(header, { value: '"office"<sip:100@1.1.1.1>;tag=6434' });
    }
  }
  expect(screenRequest(request).type).toBe('ignore');
});

test.each(['svmap', 'SVWAR/0.3', 'svcrack', 'sipptk', 'sip-scan'])(
  'User-Agent %s: ignore',
  (agent) => {
    const request = sampleRequest({ method: 'REGISTER', extra: [`User-Agent: ${agent}`] });
    expect(screenRequest(request).type).toBe('ignore');
  },
);
