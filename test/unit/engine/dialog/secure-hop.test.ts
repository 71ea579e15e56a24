import { expect, test } from 'vitest';
import { contactOf } from '../../../../src/engine/core/local-address.ts';
import { secureHop } from '../../../../src/engine/dialog/secure-hop.ts';

test.each([
  ['sip:proxy.example;lr', 'sip:bob@example.com', 'sip:proxy.example;lr'],
  ['sip:proxy.example;lr', 'sips:bob@example.com', 'sips:proxy.example;lr'],
  ['SIP:192.0.2.1;transport=udp', 'SIPS:bob@example.com', 'sips:192.0.2.1;transport=udp'],
  ['sips:proxy.example', 'sip:bob@example.com', 'sips:proxy.example'],
])('%s on the way to %s is %s', (hop, target, expected) => {
  expect(secureHop(hop, target)).toBe(expected);
});

test.each([
  ['tls', 'sips:bob@example.com', '<sips:192.0.2.7:5061>'],
  ['tls', 'sip:bob@example.com', '<sip:192.0.2.7:5061;transport=tls>'],
  ['udp', 'sips:bob@example.com', '<sip:192.0.2.7:5061>'],
] as const)('our Contact on %s in a dialog with %s is %s', (protocol, uri, expected) => {
  expect(contactOf({ protocol, address: '192.0.2.7', port: 5061 }, uri)).toBe(expected);
});
